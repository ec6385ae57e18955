// The kernels in terms of short vectors. Included by kernels_*.cpp, which are compiled with different instruction sets:
// everything lies in an anonymous namespace and no standard header with inline functions is used, so that no function
// compiled for a wide instruction set can be picked by the linker for use elsewhere.
#pragma once

#include "kernels.h"

#if defined(__AVX512F__)
#define HEA_VECTOR_BYTES 64
#define HEA_TILE_ROWS 6
#define HEA_TILE_VECTORS 4
#elif defined(__AVX2__)
#define HEA_VECTOR_BYTES 32
#define HEA_TILE_ROWS 6
#define HEA_TILE_VECTORS 2
#else
#define HEA_VECTOR_BYTES 16
#define HEA_TILE_ROWS 3
#define HEA_TILE_VECTORS 4
#endif
#define HEA_INLINE inline __attribute__((always_inline))

namespace hea {
namespace {

template<typename T>
struct VectorOf;
template<>
struct VectorOf<float> {
  typedef float Type __attribute__((vector_size(HEA_VECTOR_BYTES), may_alias));
  typedef std::int32_t Integer __attribute__((vector_size(HEA_VECTOR_BYTES), may_alias));
};
template<>
struct VectorOf<double> {
  typedef double Type __attribute__((vector_size(HEA_VECTOR_BYTES), may_alias));
  typedef std::int64_t Integer __attribute__((vector_size(HEA_VECTOR_BYTES), may_alias));
};
template<typename T>
using Vector = typename VectorOf<T>::Type;
template<typename T>
constexpr int lanes = HEA_VECTOR_BYTES / static_cast<int>(sizeof(T));

template<typename T>
HEA_INLINE Vector<T> load(const T *x) {
  return *reinterpret_cast<const Vector<T> *>(x);
}
template<typename T>
HEA_INLINE void store(T *x, Vector<T> value) {
  *reinterpret_cast<Vector<T> *>(x) = value;
}
template<typename T>
HEA_INLINE Vector<T> fill(T x) {
  return x - Vector<T>{};
}
template<typename T>
HEA_INLINE T sum(Vector<T> x) {
  // Halves are added to halves; written on the array so that compilers use their own shuffles.
  T lane[lanes<T>];
  __builtin_memcpy(lane, &x, sizeof x);
  for (int half = lanes<T> / 2; half > 0; half /= 2) {
    for (int k = 0; k < half; ++k) lane[k] += lane[k + half];
  }
  return lane[0];
}

// ---- edges

template<typename T>
HEA_INLINE Vector<T> combine(const T *const rows[4], const T weights[4], int at) {
  return weights[0] * load(rows[0] + at) + weights[1] * load(rows[1] + at) + weights[2] * load(rows[2] + at) +
         weights[3] * load(rows[3] + at);
}

template<typename T>
struct FilterRows {
  const T *row[4];
  FilterRows(const T *table, const Edge<T> &edge, int channels) {
    row[0] = table + static_cast<std::ptrdiff_t>(edge.table_row) * channels;
    for (int k = 1; k < 4; ++k) row[k] = row[k - 1] + channels;
  }
};

// NV vectors of m of atom i, starting at channel `at`.
template<typename T, int NV>
void radial_forward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y, T *message) {
  constexpr int W = lanes<T>;
  const T *yi = y + static_cast<std::ptrdiff_t>(i) * w.features + at;
  Vector<T> total[NV] = {};
  for (std::int64_t e = list.first[i]; e < list.first[i + 1]; ++e) {
    const Edge<T> &edge = list.edges[e];
    const FilterRows<T> rows(table, edge, w.channels());
    const T *yj = y + static_cast<std::ptrdiff_t>(edge.neighbour) * w.features + at;
    T *mj = message + static_cast<std::ptrdiff_t>(edge.neighbour) * w.message() + at;
    for (int v = 0; v < NV; ++v) {
      const Vector<T> filter = combine(rows.row, edge.basis, at + v * W);
      total[v] += filter * load(yj + v * W);
      store(mj + v * W, load(mj + v * W) + filter * load(yi + v * W));
    }
  }
  T *mi = message + static_cast<std::ptrdiff_t>(i) * w.message() + at;
  for (int v = 0; v < NV; ++v) store(mi + v * W, load(mi + v * W) + total[v]);
}

// One vector of each component of v and t of atom i, starting at angular feature `at`.
template<typename T>
void angular_forward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y, T *message) {
  const Vector<T> yi = load(y + static_cast<std::ptrdiff_t>(i) * w.features + at);
  Vector<T> total[8] = {};
  for (std::int64_t e = list.first[i]; e < list.first[i + 1]; ++e) {
    const Edge<T> &edge = list.edges[e];
    const FilterRows<T> rows(table, edge, w.channels());
    const Vector<T> filter_v = combine(rows.row, edge.basis, w.features + at);
    const Vector<T> filter_t = combine(rows.row, edge.basis, w.features + w.angular + at);
    const Vector<T> yj = load(y + static_cast<std::ptrdiff_t>(edge.neighbour) * w.features + at);
    T *mj = message + static_cast<std::ptrdiff_t>(edge.neighbour) * w.message() + w.features + at;
    const Vector<T> from_j_v = filter_v * yj, from_i_v = filter_v * yi;
    const Vector<T> from_j_t = filter_t * yj, from_i_t = filter_t * yi;
    for (int c = 0; c < 3; ++c) {
      total[c] += edge.direction[c] * from_j_v;
      T *out = mj + c * w.angular;
      store(out, load(out) - edge.direction[c] * from_i_v);
    }
    for (int c = 0; c < 5; ++c) {
      total[3 + c] += edge.harmonics[c] * from_j_t;
      T *out = mj + (3 + c) * w.angular;
      store(out, load(out) + edge.harmonics[c] * from_i_t);
    }
  }
  T *mi = message + static_cast<std::ptrdiff_t>(i) * w.message() + w.features + at;
  for (int c = 0; c < 8; ++c) store(mi + c * w.angular, load(mi + c * w.angular) + total[c]);
}

template<typename T>
void edges_forward(const EdgeList<T> &list, const Widths &w, const T *table, const T *y, T *message) {
  constexpr int W = lanes<T>;
  for (int i = 0; i < list.n_owned; ++i) {
    if (list.first[i] == list.first[i + 1]) continue;
    int at = 0;
    for (; at + 4 * W <= w.features; at += 4 * W) radial_forward<T, 4>(list, i, w, at, table, y, message);
    for (; at + 2 * W <= w.features; at += 2 * W) radial_forward<T, 2>(list, i, w, at, table, y, message);
    for (; at < w.features; at += W) radial_forward<T, 1>(list, i, w, at, table, y, message);
    for (at = 0; at < w.angular; at += W) angular_forward(list, i, w, at, table, y, message);
  }
}

template<typename T, int NV, bool with_y>
void radial_backward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y,
                     const T *message_gradient, T *y_gradient, EdgeGradient<T> *gradient) {
  constexpr int W = lanes<T>;
  const T *yi = y + static_cast<std::ptrdiff_t>(i) * w.features + at;
  const T *gmi = message_gradient + static_cast<std::ptrdiff_t>(i) * w.message() + at;
  Vector<T> total[NV] = {};
  for (std::int64_t e = list.first[i]; e < list.first[i + 1]; ++e) {
    const Edge<T> &edge = list.edges[e];
    const FilterRows<T> rows(table, edge, w.channels());
    const T *yj = y + static_cast<std::ptrdiff_t>(edge.neighbour) * w.features + at;
    const T *gmj = message_gradient + static_cast<std::ptrdiff_t>(edge.neighbour) * w.message() + at;
    Vector<T> radial = {};
    for (int v = 0; v < NV; ++v) {
      const Vector<T> gi = load(gmi + v * W), gj = load(gmj + v * W);
      radial += combine(rows.row, edge.slope, at + v * W) * (gi * load(yj + v * W) + gj * load(yi + v * W));
      if constexpr (with_y) {
        const Vector<T> filter = combine(rows.row, edge.basis, at + v * W);
        total[v] += filter * gj;
        T *out = y_gradient + static_cast<std::ptrdiff_t>(edge.neighbour) * w.features + at + v * W;
        store(out, load(out) + filter * gi);
      }
    }
    gradient[e].radial += sum<T>(radial);
  }
  if constexpr (with_y) {
    T *out = y_gradient + static_cast<std::ptrdiff_t>(i) * w.features + at;
    for (int v = 0; v < NV; ++v) store(out + v * W, load(out + v * W) + total[v]);
  }
}

template<typename T, bool with_y>
void angular_backward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y,
                      const T *message_gradient, T *y_gradient, EdgeGradient<T> *gradient) {
  constexpr T root3 = static_cast<T>(1.7320508075688772935L);
  const Vector<T> yi = load(y + static_cast<std::ptrdiff_t>(i) * w.features + at);
  const T *gmi = message_gradient + static_cast<std::ptrdiff_t>(i) * w.message() + w.features + at;
  Vector<T> gi[8];
  for (int c = 0; c < 8; ++c) gi[c] = load(gmi + c * w.angular);
  Vector<T> total = {};
  for (std::int64_t e = list.first[i]; e < list.first[i + 1]; ++e) {
    const Edge<T> &edge = list.edges[e];
    const T *u = edge.direction, *harmonic = edge.harmonics;
    const FilterRows<T> rows(table, edge, w.channels());
    const Vector<T> yj = load(y + static_cast<std::ptrdiff_t>(edge.neighbour) * w.features + at);
    const T *gmj = message_gradient + static_cast<std::ptrdiff_t>(edge.neighbour) * w.message() + w.features + at;

    // s = derivative of E by filter times u_c or Y_c, lane by lane; seen from j the direction is -u.
    Vector<T> s[8], along_v = {}, along_t = {}, to_i = {}, to_j = {}, to_i_t = {}, to_j_t = {};
    for (int c = 0; c < 3; ++c) {
      const Vector<T> gj = load(gmj + c * w.angular);
      s[c] = gi[c] * yj - gj * yi;
      along_v += u[c] * s[c];
      to_i -= u[c] * gj;
      to_j += u[c] * gi[c];
    }
    for (int c = 0; c < 5; ++c) {
      const Vector<T> gj = load(gmj + (3 + c) * w.angular);
      s[3 + c] = gi[3 + c] * yj + gj * yi;
      along_t += harmonic[c] * s[3 + c];
      to_i_t += harmonic[c] * gj;
      to_j_t += harmonic[c] * gi[3 + c];
    }
    const Vector<T> filter_v = combine(rows.row, edge.basis, w.features + at);
    const Vector<T> filter_t = combine(rows.row, edge.basis, w.features + w.angular + at);
    const Vector<T> radial = combine(rows.row, edge.slope, w.features + at) * along_v +
                             combine(rows.row, edge.slope, w.features + w.angular + at) * along_t;
    if constexpr (with_y) {
      total += filter_v * to_i + filter_t * to_i_t;
      T *out = y_gradient + static_cast<std::ptrdiff_t>(edge.neighbour) * w.features + at;
      store(out, load(out) + filter_v * to_j + filter_t * to_j_t);
    }
    // dY/du by rows x, y, z: (sqrt3 xy, sqrt3 yz, sqrt3 xz, sqrt3/2 (x^2 - y^2), (3 z^2 - 1)/2).
    const T x = root3 * u[0], yy = root3 * u[1], z = root3 * u[2];
    const Vector<T> by_x = filter_v * s[0] + filter_t * (yy * s[3] + z * s[5] + x * s[6]);
    const Vector<T> by_y = filter_v * s[1] + filter_t * (x * s[3] + z * s[4] - yy * s[6]);
    const Vector<T> by_z = filter_v * s[2] + filter_t * (yy * s[4] + x * s[5] + (3 * u[2]) * s[7]);
    EdgeGradient<T> &out = gradient[e];
    out.radial += sum<T>(radial);
    out.angular[0] += sum<T>(by_x);
    out.angular[1] += sum<T>(by_y);
    out.angular[2] += sum<T>(by_z);
  }
  if constexpr (with_y) {
    T *out = y_gradient + static_cast<std::ptrdiff_t>(i) * w.features + at;
    store(out, load(out) + total);
  }
}

template<typename T, bool with_y>
void edges_backward_of(const EdgeList<T> &list, const Widths &w, const T *table, const T *y, const T *gm, T *gy,
                       EdgeGradient<T> *gradient) {
  constexpr int W = lanes<T>;
  for (int i = 0; i < list.n_owned; ++i) {
    if (list.first[i] == list.first[i + 1]) continue;
    int at = 0;
    for (; at + 4 * W <= w.features; at += 4 * W) radial_backward<T, 4, with_y>(list, i, w, at, table, y, gm, gy, gradient);
    for (; at + 2 * W <= w.features; at += 2 * W) radial_backward<T, 2, with_y>(list, i, w, at, table, y, gm, gy, gradient);
    for (; at < w.features; at += W) radial_backward<T, 1, with_y>(list, i, w, at, table, y, gm, gy, gradient);
    for (at = 0; at < w.angular; at += W) angular_backward<T, with_y>(list, i, w, at, table, y, gm, gy, gradient);
  }
}

template<typename T>
void edges_backward(const EdgeList<T> &list, const Widths &w, const T *table, const T *y, const T *gm, T *gy,
                    EdgeGradient<T> *gradient) {
  if (gy != nullptr) edges_backward_of<T, true>(list, w, table, y, gm, gy, gradient);
  else edges_backward_of<T, false>(list, w, table, y, gm, gy, gradient);
}

// ---- matrix products: tiles of `rows` x `NV` vectors kept in registers

template<typename T, int rows, int NV>
void tile(int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate, T *out, int out_stride) {
  constexpr int W = lanes<T>;
  Vector<T> total[rows][NV];
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < NV; ++v) {
      total[r][v] = bias != nullptr ? load(bias + v * W) : Vector<T>{};
      if (accumulate) total[r][v] += load(out + static_cast<std::ptrdiff_t>(r) * out_stride + v * W);
    }
  }
  for (int p = 0; p < k; ++p) {
    Vector<T> weight[NV];
    for (int v = 0; v < NV; ++v) weight[v] = load(weights + (static_cast<std::ptrdiff_t>(p) * NV + v) * W);
    for (int r = 0; r < rows; ++r) {
      const T x = in[static_cast<std::ptrdiff_t>(r) * in_stride + p];
      for (int v = 0; v < NV; ++v) total[r][v] += x * weight[v];
    }
  }
  for (int r = 0; r < rows; ++r) {
    for (int v = 0; v < NV; ++v) store(out + static_cast<std::ptrdiff_t>(r) * out_stride + v * W, total[r][v]);
  }
}

template<typename T, int rows, int NV>
HEA_INLINE void last_tile(int m, int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate,
                          T *out, int out_stride) {
  if constexpr (rows > 0) {
    if (m == rows) tile<T, rows, NV>(k, in, in_stride, weights, bias, accumulate, out, out_stride);
    else last_tile<T, rows - 1, NV>(m, k, in, in_stride, weights, bias, accumulate, out, out_stride);
  }
}

template<typename T, int NV>
void multiply_panel(int m, int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate, T *out,
                    int out_stride) {
  constexpr int rows = HEA_TILE_ROWS;
  for (; m >= rows; m -= rows, in += static_cast<std::ptrdiff_t>(rows) * in_stride,
                    out += static_cast<std::ptrdiff_t>(rows) * out_stride) {
    tile<T, rows, NV>(k, in, in_stride, weights, bias, accumulate, out, out_stride);
  }
  last_tile<T, rows - 1, NV>(m, k, in, in_stride, weights, bias, accumulate, out, out_stride);
}

template<typename T>
void multiply(int m, int n, int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate, T *out,
              int out_stride) {
  constexpr int W = lanes<T>, panel = HEA_TILE_VECTORS * W;
  for (int at = 0; at < n; at += panel) {
    const T *packed = weights + static_cast<std::ptrdiff_t>(at) * k;
    const T *shift = bias != nullptr ? bias + at : nullptr;
    switch (n - at < panel ? (n - at) / W : HEA_TILE_VECTORS) {
      case 1: multiply_panel<T, 1>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride); break;
      case 2: multiply_panel<T, 2>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride); break;
      case 3: multiply_panel<T, 3>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride); break;
      default: multiply_panel<T, HEA_TILE_VECTORS>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride);
    }
  }
}

// ---- activations

// e^x for x <= 0; below the smallest normal number it is that number.
HEA_INLINE Vector<float> exp_of_negative(Vector<float> x) {
  using V = Vector<float>;
  using I = VectorOf<float>::Integer;
  x = x < -87.0f ? fill(-87.0f) : x;
  const V shifted = x * 1.44269504f + 12582912.0f;  // 1.5 * 2^23: the low bits are the nearest integer
  const V n = shifted - 12582912.0f;
  const V r = (x - n * 0.693359375f) + n * 2.12194440e-4f;
  V p = fill(1.0f / 5040);
  constexpr float coefficients[] = {1.0f / 720, 1.0f / 120, 1.0f / 24, 1.0f / 6, 0.5f, 1.0f, 1.0f};
  for (const float c : coefficients) p = p * r + c;
  const I exponent = ((I)shifted + 127) << 23;
  return p * (V)exponent;
}

HEA_INLINE Vector<double> exp_of_negative(Vector<double> x) {
  using V = Vector<double>;
  using I = VectorOf<double>::Integer;
  x = x < -708.0 ? fill(-708.0) : x;
  const V shifted = x * 1.4426950408889634 + 6755399441055744.0;  // 1.5 * 2^52
  const V n = shifted - 6755399441055744.0;
  const V r = (x - n * 0.693147180369123816490) - n * 1.90821492927058770002e-10;
  V p = fill(1.0 / 6227020800.0);
  constexpr double coefficients[] = {1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320,
                                     1.0 / 5040,      1.0 / 720,      1.0 / 120,     1.0 / 24,     1.0 / 6,
                                     0.5,             1.0,            1.0};
  for (const double c : coefficients) p = p * r + c;
  const I exponent = ((I)shifted + 1023) << 52;
  return p * (V)exponent;
}

// log(1 + z) = 2 atanh(s), s = z/(2 + z) <= 1/3, by its series.
template<typename T>
HEA_INLINE Vector<T> twice_atanh(Vector<T> s) {
  constexpr int terms = sizeof(T) == 4 ? 8 : 17;
  const Vector<T> square = s * s;
  Vector<T> p = fill(T(2) / T(2 * terms - 1));
  for (int k = terms - 2; k >= 0; --k) p = p * square + T(2) / T(2 * k + 1);
  return p * s;
}

template<typename T>
struct Softplus {
  Vector<T> value, slope;  // log(1 + e^x) - log 2, and 1/(1 + e^-x)
};

template<typename T>
HEA_INLINE Softplus<T> softplus(Vector<T> x) {
  const Vector<T> z = exp_of_negative(x < T(0) ? x : -x);
  const Vector<T> inverse = T(1) / (T(1) + z);
  const Vector<T> log1p = twice_atanh<T>(z / (T(2) + z));
  return {(x < T(0) ? Vector<T>{} : x) + log1p - static_cast<T>(0.693147180559945309417L),
          x < T(0) ? z * inverse : inverse};
}

template<typename T>
void ssp(std::ptrdiff_t n, const T *x, T *value) {
  for (std::ptrdiff_t k = 0; k < n; k += lanes<T>) store(value + k, softplus<T>(load(x + k)).value);
}

template<typename T>
void ssp_and_slope(std::ptrdiff_t n, const T *x, T *value, T *slope) {
  for (std::ptrdiff_t k = 0; k < n; k += lanes<T>) {
    const Softplus<T> s = softplus<T>(load(x + k));
    store(value + k, s.value);
    store(slope + k, s.slope);
  }
}

template<typename T>
void times_ssp_slope(std::ptrdiff_t n, const T *x, T *y) {
  for (std::ptrdiff_t k = 0; k < n; k += lanes<T>) store(y + k, load(y + k) * softplus<T>(load(x + k)).slope);
}

template<typename T>
void silu_and_slope(std::ptrdiff_t n, const T *x, T *value, T *slope) {
  for (std::ptrdiff_t k = 0; k < n; k += lanes<T>) {
    const Vector<T> at = load(x + k), s = softplus<T>(at).slope;
    store(value + k, at * s);
    store(slope + k, s * (T(1) + at * (T(1) - s)));
  }
}

// ---- invariants of a message

HEA_INLINE float root(float x) { return __builtin_sqrtf(x); }
HEA_INLINE double root(double x) { return __builtin_sqrt(x); }

template<typename T>
HEA_INLINE T norm2(const T *component, int n, int stride) {
  T total = 0;
  for (int c = 0; c < n; ++c) total += component[c * stride] * component[c * stride];
  return total;
}

template<typename T>
void invariants(const Widths &w, const T *message, T *q) {
  for (int f = 0; f < w.features; ++f) q[f] = message[f];
  const T *v = message + w.features, *t = v + 3 * w.angular;
  T *qv = q + w.features, *qt = qv + w.angular;
  for (int a = 0; a < w.angular; ++a) {
    // sqrt(1 + s) - 1 without its cancellation at small s
    const T sv = norm2(v + a, 3, w.angular), st = norm2(t + a, 5, w.angular);
    qv[a] = sv / (root(1 + sv) + 1);
    qt[a] = st / (root(1 + st) + 1);
  }
}

template<typename T>
void invariants_backward(const Widths &w, const T *message, const T *q_gradient, T *out) {
  for (int f = 0; f < w.features; ++f) out[f] = q_gradient[f];
  const T *v = message + w.features, *t = v + 3 * w.angular;
  const T *gv = q_gradient + w.features, *gt = gv + w.angular;
  T *ov = out + w.features, *ot = ov + 3 * w.angular;
  for (int a = 0; a < w.angular; ++a) {
    const T scale_v = gv[a] / root(1 + norm2(v + a, 3, w.angular));
    const T scale_t = gt[a] / root(1 + norm2(t + a, 5, w.angular));
    for (int c = 0; c < 3; ++c) ov[c * w.angular + a] = scale_v * v[c * w.angular + a];
    for (int c = 0; c < 5; ++c) ot[c * w.angular + a] = scale_t * t[c * w.angular + a];
  }
}

template<typename T>
constexpr Kernels<T> table(const char *name) {
  return {name,
          HEA_TILE_VECTORS * lanes<T>,
          edges_forward<T>,
          edges_backward<T>,
          multiply<T>,
          ssp<T>,
          ssp_and_slope<T>,
          times_ssp_slope<T>,
          silu_and_slope<T>,
          invariants<T>,
          invariants_backward<T>};
}

}  // namespace
}  // namespace hea
