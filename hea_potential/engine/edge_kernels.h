// Sums over edges: messages, and the gradients that go back through them. See vectors.h for what may be used here.
#pragma once

#include "kernels.h"
#include "vectors.h"

namespace hea {
namespace {

// Everything of an edge is copied to local variables first: stores to rows could change it for all the compiler knows.

template<typename T>
struct Combination {
  Vector<T> weight[4];
  explicit HEA_INLINE Combination(const T (&weights)[4])
      : weight{fill(weights[0]), fill(weights[1]), fill(weights[2]), fill(weights[3])} {}
  // Of four rows of a table, at the vector that starts at `row` in the first.
  HEA_INLINE Vector<T> of(const T *row, std::ptrdiff_t stride) const {
    return (weight[0] * load(row) + weight[1] * load(row + stride)) +
           (weight[2] * load(row + 2 * stride) + weight[3] * load(row + 3 * stride));
  }
};

// NV vectors of m of atom i, starting at channel `at`.
template<typename T, int NV>
void radial_forward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y, T *message) {
  constexpr int W = lanes<T>;
  const std::ptrdiff_t stride = w.channels(), y_width = w.features, m_width = w.message();
  const Edge<T> *edge = list.edges + list.first[i], *const end = list.edges + list.first[i + 1];
  table += at;
  y += at;
  message += at;
  Vector<T> yi[NV], total[NV] = {};
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) yi[v] = load(y + i * y_width + v * W);
  for (; edge != end; ++edge) {
    const T *row = table + edge->table_row * stride, *yj = y + edge->neighbour * y_width;
    T *mj = message + edge->neighbour * m_width;
    const Combination<T> value(edge->basis);
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      const Vector<T> filter = value.of(row + v * W, stride);
      total[v] += filter * load(yj + v * W);
      store(mj + v * W, load(mj + v * W) + filter * yi[v]);
    }
  }
  T *mi = message + i * m_width;
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) store(mi + v * W, load(mi + v * W) + total[v]);
}

// One vector of each component of v and t of atom i, starting at angular feature `at`.
template<typename T>
void angular_forward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y, T *message) {
  const std::ptrdiff_t stride = w.channels(), y_width = w.features, m_width = w.message(), component = w.angular;
  const Edge<T> *edge = list.edges + list.first[i], *const end = list.edges + list.first[i + 1];
  table += w.features + at;
  y += at;
  message += w.features + at;
  const Vector<T> yi = load(y + i * y_width);
  Vector<T> total[8] = {};
  for (; edge != end; ++edge) {
    const T *row = table + edge->table_row * stride;
    T *mj = message + edge->neighbour * m_width;
    const Combination<T> value(edge->basis);
    const Vector<T> filter_v = value.of(row, stride), filter_t = value.of(row + component, stride);
    const Vector<T> yj = load(y + edge->neighbour * y_width);
    const Vector<T> from_j_v = filter_v * yj, from_i_v = filter_v * yi;
    const Vector<T> from_j_t = filter_t * yj, from_i_t = filter_t * yi;
#pragma GCC unroll 3
    for (int c = 0; c < 3; ++c) {
      const T u = edge->direction[c];
      total[c] += u * from_j_v;
      store(mj + c * component, load(mj + c * component) - u * from_i_v);
    }
#pragma GCC unroll 5
    for (int c = 0; c < 5; ++c) {
      const T harmonic = edge->harmonics[c];
      T *out = mj + (3 + c) * component;
      total[3 + c] += harmonic * from_j_t;
      store(out, load(out) + harmonic * from_i_t);
    }
  }
  T *mi = message + i * m_width;
#pragma GCC unroll 8
  for (int c = 0; c < 8; ++c) store(mi + c * component, load(mi + c * component) + total[c]);
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
  const std::ptrdiff_t stride = w.channels(), y_width = w.features, m_width = w.message();
  const Edge<T> *edge = list.edges + list.first[i], *const end = list.edges + list.first[i + 1];
  gradient += list.first[i];
  table += at;
  y += at;
  message_gradient += at;
  if constexpr (with_y) y_gradient += at;
  Vector<T> yi[NV], gi[NV], total[NV] = {};
#pragma GCC unroll 4
  for (int v = 0; v < NV; ++v) {
    yi[v] = load(y + i * y_width + v * W);
    gi[v] = load(message_gradient + i * m_width + v * W);
  }
  for (; edge != end; ++edge, ++gradient) {
    const T *row = table + edge->table_row * stride, *yj = y + edge->neighbour * y_width;
    const T *gmj = message_gradient + edge->neighbour * m_width;
    T *gyj = with_y ? y_gradient + edge->neighbour * y_width : nullptr;
    const Combination<T> value(edge->basis), slope(edge->slope);
    Vector<T> radial = {};
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      const Vector<T> gj = load(gmj + v * W);
      radial += slope.of(row + v * W, stride) * (gi[v] * load(yj + v * W) + gj * yi[v]);
      if constexpr (with_y) {
        const Vector<T> filter = value.of(row + v * W, stride);
        total[v] += filter * gj;
        store(gyj + v * W, load(gyj + v * W) + filter * gi[v]);
      }
    }
    gradient->radial += FourSums<T>::one(radial);
  }
  if constexpr (with_y) {
    T *out = y_gradient + i * y_width;
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) store(out + v * W, load(out + v * W) + total[v]);
  }
}

template<typename T, bool with_y>
void angular_backward(const EdgeList<T> &list, int i, const Widths &w, int at, const T *table, const T *y,
                      const T *message_gradient, T *y_gradient, EdgeGradient<T> *gradient) {
  constexpr T root3 = static_cast<T>(1.7320508075688772935L);
  const std::ptrdiff_t stride = w.channels(), y_width = w.features, m_width = w.message(), component = w.angular;
  const Edge<T> *edge = list.edges + list.first[i], *const end = list.edges + list.first[i + 1];
  gradient += list.first[i];
  table += w.features + at;
  y += at;
  message_gradient += w.features + at;
  const Vector<T> yi = load(y + i * y_width);
  Vector<T> gi[8], total = {};
#pragma GCC unroll 8
  for (int c = 0; c < 8; ++c) gi[c] = load(message_gradient + i * m_width + c * component);
  for (; edge != end; ++edge, ++gradient) {
    const T *row = table + edge->table_row * stride;
    const T *gmj = message_gradient + edge->neighbour * m_width;
    const Vector<T> yj = load(y + edge->neighbour * y_width);
    const T ux = edge->direction[0], uy = edge->direction[1], uz = edge->direction[2];

    // s: derivative of E by filter times u_c or Y_c, lane by lane; seen from j the direction is -u.
    // to_i, to_j: what the filters pass on to the gradients by y_i and y_j.
    Vector<T> s[8], to_i_v = {}, to_j_v = {}, to_i_t = {}, to_j_t = {};
#pragma GCC unroll 3
    for (int c = 0; c < 3; ++c) {
      const T u = edge->direction[c];
      const Vector<T> gj = load(gmj + c * component);
      s[c] = gi[c] * yj - gj * yi;
      to_i_v -= u * gj;
      to_j_v += u * gi[c];
    }
#pragma GCC unroll 5
    for (int c = 3; c < 8; ++c) {
      const T harmonic = edge->harmonics[c - 3];
      const Vector<T> gj = load(gmj + c * component);
      s[c] = gi[c] * yj + gj * yi;
      to_i_t += harmonic * gj;
      to_j_t += harmonic * gi[c];
    }
    const Vector<T> along_v = to_i_v * yi + to_j_v * yj, along_t = to_i_t * yi + to_j_t * yj;
    const Combination<T> value(edge->basis), slope(edge->slope);
    const Vector<T> filter_v = value.of(row, stride), filter_t = value.of(row + component, stride);
    const Vector<T> radial = slope.of(row, stride) * along_v + slope.of(row + component, stride) * along_t;
    if constexpr (with_y) {
      T *gyj = y_gradient + edge->neighbour * y_width + at;
      total += filter_v * to_i_v + filter_t * to_i_t;
      store(gyj, load(gyj) + (filter_v * to_j_v + filter_t * to_j_t));
    }
    // dY/du by x, y, z: Y = (sqrt3 xy, sqrt3 yz, sqrt3 xz, sqrt3/2 (x^2 - y^2), (3 z^2 - 1)/2).
    const T rx = root3 * ux, ry = root3 * uy, rz = root3 * uz;
    const Vector<T> by[4] = {radial, filter_v * s[0] + filter_t * (ry * s[3] + rz * s[5] + rx * s[6]),
                             filter_v * s[1] + filter_t * (rx * s[3] + rz * s[4] - ry * s[6]),
                             filter_v * s[2] + filter_t * (ry * s[4] + rx * s[5] + (3 * uz) * s[7])};
    FourSums<T>::add(by, &gradient->radial);
  }
  if constexpr (with_y) {
    T *out = y_gradient + i * y_width + at;
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
    for (; at + 4 * W <= w.features; at += 4 * W)
      radial_backward<T, 4, with_y>(list, i, w, at, table, y, gm, gy, gradient);
    for (; at + 2 * W <= w.features; at += 2 * W)
      radial_backward<T, 2, with_y>(list, i, w, at, table, y, gm, gy, gradient);
    for (; at < w.features; at += W) radial_backward<T, 1, with_y>(list, i, w, at, table, y, gm, gy, gradient);
    for (at = 0; at < w.angular; at += W) angular_backward<T, with_y>(list, i, w, at, table, y, gm, gy, gradient);
  }
}

template<typename T>
void edges_backward(const EdgeList<T> &list, const Widths &w, const T *table, const T *y, const T *gm, T *gy,
                    EdgeGradient<T> *gradient) {
  if (gy != nullptr)
    edges_backward_of<T, true>(list, w, table, y, gm, gy, gradient);
  else
    edges_backward_of<T, false>(list, w, table, y, gm, gy, gradient);
}

}  // namespace
}  // namespace hea
