// The continuous-filter convolution of ARCHITECTURE.md section 2 for training, with its derivatives.
//
// Training needs two passes over the same edges, and neither needs a graph of a graph:
//   1. energy and forces:   q(y, D), then dE/dy and dE/dD            (convolve, convolve_backward)
//   2. the loss's gradient: q and its rate of change along given velocities of the atoms, then the gradients
//      by y, by the rate of y and by the filters' control points      (the same two with Rates)
// because the loss depends on forces linearly to first order: d(loss) = sum_i g_i . dF_i, and -sum_i g_i . F_i is the
// rate of the energy when atom i moves with velocity g_i. So one backward pass over (value, rate) is enough.
//
// Rows of q: m (F), v (3 x A), t (5 x A). Written to be inlined into one function per CPU (convolution.cpp).
#pragma once

#include <cmath>
#include <cstdint>
#include <vector>

namespace hea_training {

#define HEA_INLINE static inline __attribute__((always_inline))

struct Shape {
  std::int64_t edges, atoms, features, angular, intervals;
  double cutoff;
  std::int64_t channels() const { return features + 2 * angular; }
  std::int64_t row() const { return features + 8 * angular; }
  std::int64_t table() const { return (intervals + 3) * channels(); }
};

// Half edges; first, second and pair have one entry an edge, displacement and velocity three.
template<class T>
struct Edges {
  const std::int64_t *first, *second, *pair;
  const T *displacement;
  const T *velocity;  // rate of the displacement; nullptr in pass 1
};

// One edge's distance, direction and spline weights. `weight_rate` is the weights' rate in pass 2 and their derivative
// by r in pass 1.
template<class T>
struct EdgeGeometry {
  T r, u[3], angle[8];  // angle: u (3), then Y(u) (5)
  T u_rate[3], angle_rate[8];
  T weight[4], weight_rate[4];
  std::int64_t interval;
};

template<class T>
HEA_INLINE EdgeGeometry<T> geometry(const Edges<T> &edges, std::int64_t e, const Shape &shape) {
  const T root3 = T(1.7320508075688772);
  EdgeGeometry<T> g;
  const T *d = edges.displacement + 3 * e;
  g.r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
  for (int c = 0; c < 3; ++c) g.u[c] = d[c] / g.r;
  const T x = g.u[0], y = g.u[1], z = g.u[2];
  const T harmonics[5] = {root3 * x * y, root3 * y * z, root3 * x * z, root3 / 2 * (x * x - y * y),
                          (3 * z * z - 1) / 2};
  for (int c = 0; c < 3; ++c) g.angle[c] = g.u[c];
  for (int c = 0; c < 5; ++c) g.angle[3 + c] = harmonics[c];

  const T inverse_h = T(shape.intervals / shape.cutoff);
  T position = g.r * inverse_h;
  g.interval = static_cast<std::int64_t>(position);
  if (g.interval > shape.intervals - 1) g.interval = shape.intervals - 1;
  const T t = position - T(g.interval), s = 1 - t;
  g.weight[0] = s * s * s / 6;
  g.weight[1] = (3 * t * t * t - 6 * t * t + 4) / 6;
  g.weight[2] = (-3 * t * t * t + 3 * t * t + 3 * t + 1) / 6;
  g.weight[3] = t * t * t / 6;
  T slope = inverse_h;
  if (edges.velocity) {
    const T *v = edges.velocity + 3 * e;
    const T r_rate = v[0] * x + v[1] * y + v[2] * z;
    for (int c = 0; c < 3; ++c) g.u_rate[c] = (v[c] - r_rate * g.u[c]) / g.r;
    const T *p = g.u_rate;
    const T rates[5] = {root3 * (p[0] * y + x * p[1]), root3 * (p[1] * z + y * p[2]), root3 * (p[0] * z + x * p[2]),
                        root3 * (x * p[0] - y * p[1]), 3 * z * p[2]};
    for (int c = 0; c < 3; ++c) g.angle_rate[c] = p[c];
    for (int c = 0; c < 5; ++c) g.angle_rate[3 + c] = rates[c];
    slope *= r_rate;
  }
  g.weight_rate[0] = -s * s / 2 * slope;
  g.weight_rate[1] = (9 * t * t - 12 * t) / 6 * slope;
  g.weight_rate[2] = (-9 * t * t + 6 * t + 3) / 6 * slope;
  g.weight_rate[3] = t * t / 2 * slope;
  return g;
}

template<class T>
HEA_INLINE void combine(T *__restrict out, const T *__restrict control, const T *weight, std::int64_t channels) {
  const T *c0 = control, *c1 = control + channels, *c2 = control + 2 * channels, *c3 = control + 3 * channels;
  const T w0 = weight[0], w1 = weight[1], w2 = weight[2], w3 = weight[3];
#pragma omp simd
  for (std::int64_t c = 0; c < channels; ++c) out[c] = w0 * c0[c] + w1 * c1[c] + w2 * c2[c] + w3 * c3[c];
}

// q[receiver] += filter * y[sender] for one direction of an edge; `sign` is -1 seen from the second atom (u flips, Y
// does not).
template<class T, bool rates>
HEA_INLINE void gather(T *__restrict q, T *__restrict q_rate, const T *__restrict y, const T *__restrict y_rate,
                       const T *__restrict w, const T *__restrict w_rate, const EdgeGeometry<T> &g, T sign,
                       const Shape &shape) {
  const std::int64_t F = shape.features, A = shape.angular;
#pragma omp simd
  for (std::int64_t f = 0; f < F; ++f) {
    q[f] += w[f] * y[f];
    if (rates) q_rate[f] += w[f] * y_rate[f] + w_rate[f] * y[f];
  }
  for (int c = 0; c < 8; ++c) {
    const T *wc = w + F + (c < 3 ? 0 : A), *wc_rate = w_rate + F + (c < 3 ? 0 : A);
    const T angle = c < 3 ? sign * g.angle[c] : g.angle[c];
    const T angle_rate = rates ? (c < 3 ? sign * g.angle_rate[c] : g.angle_rate[c]) : T(0);
    T *row = q + F + c * A, *row_rate = rates ? q_rate + F + c * A : nullptr;
#pragma omp simd
    for (std::int64_t a = 0; a < A; ++a) {
      const T value = wc[a] * y[a];
      row[a] += angle * value;
      if (rates) row_rate[a] += angle * (wc[a] * y_rate[a] + wc_rate[a] * y[a]) + angle_rate * value;
    }
  }
}

// The gradients by the C scalar messages (and by their rates), one direction of an edge: m as it is, v and t projected
// on the direction.
template<class T, bool rates>
HEA_INLINE void project(T *__restrict z, T *__restrict z_rate, const T *__restrict grad, const T *__restrict grad_rate,
                        const EdgeGeometry<T> &g, T sign, const Shape &shape) {
  const std::int64_t F = shape.features, A = shape.angular;
#pragma omp simd
  for (std::int64_t f = 0; f < F; ++f) {
    z[f] = grad[f];
    if (rates) z_rate[f] = grad_rate[f];
  }
  for (std::int64_t a = 0; a < 2 * A; ++a) {
    z[F + a] = 0;
    if (rates) z_rate[F + a] = 0;
  }
  for (int c = 0; c < 8; ++c) {
    T *zc = z + F + (c < 3 ? 0 : A), *zc_rate = rates ? z_rate + F + (c < 3 ? 0 : A) : nullptr;
    const T angle = c < 3 ? sign * g.angle[c] : g.angle[c];
    const T angle_rate = rates ? (c < 3 ? sign * g.angle_rate[c] : g.angle_rate[c]) : T(0);
    const T *row = grad + F + c * A, *row_rate = rates ? grad_rate + F + c * A : nullptr;
#pragma omp simd
    for (std::int64_t a = 0; a < A; ++a) {
      zc[a] += angle * row[a];
      if (rates) {
        zc[a] += angle_rate * row_rate[a];
        zc_rate[a] += angle * row_rate[a];
      }
    }
  }
}

// Adds the gradients by y of the sender and by the filter's values, given the messages' gradients z.
template<class T, bool rates>
HEA_INLINE void scatter(T *__restrict y_grad, T *__restrict y_rate_grad, T *__restrict w_grad,
                        T *__restrict w_rate_grad, const T *__restrict z, const T *__restrict z_rate,
                        const T *__restrict y, const T *__restrict y_rate, const T *__restrict w,
                        const T *__restrict w_rate, std::int64_t begin, std::int64_t end) {
  // Channels begin..end read features 0..end-begin: the plain, the vector and the tensor channels share y's first
  // columns.
#pragma omp simd
  for (std::int64_t c = begin; c < end; ++c) {
    const std::int64_t f = c - begin;
    y_grad[f] += w[c] * z[c];
    w_grad[c] += y[f] * z[c];
    if (rates) {
      y_grad[f] += w_rate[c] * z_rate[c];
      y_rate_grad[f] += w[c] * z_rate[c];
      w_grad[c] += y_rate[f] * z_rate[c];
      w_rate_grad[c] += y[f] * z_rate[c];
    }
  }
}

// y: [1 or 2][atoms][F] (value, rate); q: [1 or 2][atoms][F + 8 A], added to; table: [pairs][n + 3][C].
template<class T, bool rates>
HEA_INLINE void convolve(const Shape &shape, const Edges<T> &edges, const T *table, const T *y, T *q) {
  const std::int64_t F = shape.features, C = shape.channels(), Q = shape.row(), N = shape.atoms;
  std::vector<T> buffer(2 * C);
  T *w = buffer.data(), *w_rate = w + C;
  const T *y_rate = y + N * F;  // behind the end, and never read, without rates
  T *q_rate = q + N * Q;
  for (std::int64_t e = 0; e < shape.edges; ++e) {
    const std::int64_t i = edges.first[e], j = edges.second[e];
    const EdgeGeometry<T> g = geometry(edges, e, shape);
    const T *control = table + edges.pair[e] * shape.table() + g.interval * C;
    combine(w, control, g.weight, C);
    if (rates) combine(w_rate, control, g.weight_rate, C);
    gather<T, rates>(q + i * Q, q_rate + i * Q, y + j * F, y_rate + j * F, w, w_rate, g, T(1), shape);
    gather<T, rates>(q + j * Q, q_rate + j * Q, y + i * F, y_rate + i * F, w, w_rate, g, T(-1), shape);
  }
}

// Pass 1 fills y_grad [atoms][F] and displacement_grad [edges][3]; pass 2 fills y_grad [2][atoms][F] and table_grad.
// All are added to.
template<class T, bool rates>
HEA_INLINE void convolve_backward(const Shape &shape, const Edges<T> &edges, const T *table, const T *y,
                                  const T *q_grad, T *y_grad, T *displacement_grad, T *table_grad) {
  const std::int64_t F = shape.features, A = shape.angular, C = shape.channels(), Q = shape.row(), N = shape.atoms;
  const std::int64_t shift_y = N * F, shift_q = N * Q;  // to the rates, which are not touched without them
  std::vector<T> buffer(6 * C);
  T *w = buffer.data(), *w_rate = w + C, *z = w + 2 * C, *z_rate = w + 3 * C, *w_grad = w + 4 * C,
    *w_rate_grad = w + 5 * C;
  const T root3 = T(1.7320508075688772);
  for (std::int64_t e = 0; e < shape.edges; ++e) {
    const EdgeGeometry<T> g = geometry(edges, e, shape);
    const std::int64_t offset = edges.pair[e] * shape.table() + g.interval * C;
    combine(w, table + offset, g.weight, C);
    combine(w_rate, table + offset, g.weight_rate, C);
    for (std::int64_t c = 0; c < C; ++c) w_grad[c] = w_rate_grad[c] = 0;
    T angle_grad[8] = {0, 0, 0, 0, 0, 0, 0, 0};
    for (int direction = 0; direction < 2; ++direction) {
      const std::int64_t to = direction ? edges.second[e] : edges.first[e],
                         from = direction ? edges.first[e] : edges.second[e];
      const T sign = direction ? T(-1) : T(1);
      const T *grad = q_grad + to * Q, *yj = y + from * F;
      T *yg = y_grad + from * F;
      project<T, rates>(z, z_rate, grad, grad + shift_q, g, sign, shape);
      const std::int64_t bounds[4] = {0, F, F + A, F + 2 * A};
      for (int block = 0; block < 3; ++block)
        scatter<T, rates>(yg, yg + shift_y, w_grad, w_rate_grad, z, z_rate, yj, yj + shift_y, w, w_rate, bounds[block],
                          bounds[block + 1]);
      if (displacement_grad) {
        for (int c = 0; c < 8; ++c) {
          const T *wc = w + F + (c < 3 ? 0 : A), *row = grad + F + c * A;
          T sum = 0;
#pragma omp simd reduction(+ : sum)
          for (std::int64_t a = 0; a < A; ++a) sum += wc[a] * row[a] * yj[a];
          angle_grad[c] += c < 3 ? sign * sum : sum;
        }
      }
    }
    if (displacement_grad) {
      T r_grad = 0;
#pragma omp simd reduction(+ : r_grad)
      for (std::int64_t c = 0; c < C; ++c) r_grad += w_rate[c] * w_grad[c];
      const T x = g.u[0], y1 = g.u[1], z1 = g.u[2];
      const T *k = angle_grad + 3;
      const T u_grad[3] = {angle_grad[0] + root3 * (y1 * k[0] + z1 * k[2] + x * k[3]),
                           angle_grad[1] + root3 * (x * k[0] + z1 * k[1] - y1 * k[3]),
                           angle_grad[2] + root3 * (y1 * k[1] + x * k[2]) + 3 * z1 * k[4]};
      const T along = u_grad[0] * x + u_grad[1] * y1 + u_grad[2] * z1;
      for (int c = 0; c < 3; ++c) displacement_grad[3 * e + c] += r_grad * g.u[c] + (u_grad[c] - along * g.u[c]) / g.r;
    }
    if (table_grad) {
      for (int k = 0; k < 4; ++k) {
        T *__restrict row = table_grad + offset + k * C;
        const T b = g.weight[k], b_rate = rates ? g.weight_rate[k] : T(0);
#pragma omp simd
        for (std::int64_t c = 0; c < C; ++c) row[c] += b * w_grad[c] + b_rate * w_rate_grad[c];
      }
    }
  }
}

}  // namespace hea_training
