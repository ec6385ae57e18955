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
// Sums of the lanes of four vectors.
template<typename T>
struct FourSums {
  typedef T Quad __attribute__((vector_size(4 * sizeof(T)), may_alias));

  template<typename V>
  static HEA_INLINE Quad fold(V x) {
    constexpr int n = static_cast<int>(sizeof(V) / sizeof(T));
    if constexpr (n == 4)
      return x;
    else if constexpr (n == 8)
      return fold(low<4>(x) + high<4>(x));
    else
      return fold(low<8>(x) + high<8>(x));
  }
  template<int n, typename V>
  static HEA_INLINE auto low(V x) {
    if constexpr (n == 4)
      return __builtin_shufflevector(x, x, 0, 1, 2, 3);
    else
      return __builtin_shufflevector(x, x, 0, 1, 2, 3, 4, 5, 6, 7);
  }
  template<int n, typename V>
  static HEA_INLINE auto high(V x) {
    if constexpr (n == 4)
      return __builtin_shufflevector(x, x, 4, 5, 6, 7);
    else
      return __builtin_shufflevector(x, x, 8, 9, 10, 11, 12, 13, 14, 15);
  }

  // Adds the four sums to out[0..3].
  static HEA_INLINE void add(const Vector<T> (&x)[4], T *out) {
    if constexpr (lanes<T> < 4) {
      for (int k = 0; k < 4; ++k) out[k] += x[k][0] + x[k][1];
    } else {
      const Quad a = fold(x[0]), b = fold(x[1]), c = fold(x[2]), d = fold(x[3]);
      const Quad ab = __builtin_shufflevector(a, b, 0, 4, 1, 5) + __builtin_shufflevector(a, b, 2, 6, 3, 7);
      const Quad cd = __builtin_shufflevector(c, d, 0, 4, 1, 5) + __builtin_shufflevector(c, d, 2, 6, 3, 7);
      Quad total;
      __builtin_memcpy(&total, out, sizeof total);
      total += __builtin_shufflevector(ab, cd, 0, 1, 4, 5) + __builtin_shufflevector(ab, cd, 2, 3, 6, 7);
      __builtin_memcpy(out, &total, sizeof total);
    }
  }

  static HEA_INLINE T one(Vector<T> x) {
    if constexpr (lanes<T> < 4)
      return x[0] + x[1];
    else {
      const Quad q = fold(x);
      return (q[0] + q[1]) + (q[2] + q[3]);
    }
  }
};

// ---- edges
//
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
    Vector<T> gj = load(gmj);
    const Vector<T> sx = gi[0] * yj - gj * yi;
    Vector<T> to_i_v = -ux * gj, to_j_v = ux * gi[0], along_v = ux * sx;
    gj = load(gmj + component);
    const Vector<T> sy = gi[1] * yj - gj * yi;
    to_i_v -= uy * gj, to_j_v += uy * gi[1], along_v += uy * sy;
    gj = load(gmj + 2 * component);
    const Vector<T> sz = gi[2] * yj - gj * yi;
    to_i_v -= uz * gj, to_j_v += uz * gi[2], along_v += uz * sz;

    Vector<T> s[5], to_i_t = {}, to_j_t = {}, along_t = {};
#pragma GCC unroll 5
    for (int c = 0; c < 5; ++c) {
      const T harmonic = edge->harmonics[c];
      gj = load(gmj + (3 + c) * component);
      s[c] = gi[3 + c] * yj + gj * yi;
      to_i_t += harmonic * gj;
      to_j_t += harmonic * gi[3 + c];
      along_t += harmonic * s[c];
    }
    const Combination<T> value(edge->basis), slope(edge->slope);
    const Vector<T> filter_v = value.of(row, stride), filter_t = value.of(row + component, stride);
    if constexpr (with_y) {
      T *gyj = y_gradient + edge->neighbour * y_width + at;
      total += filter_v * to_i_v + filter_t * to_i_t;
      store(gyj, load(gyj) + (filter_v * to_j_v + filter_t * to_j_t));
    }
    // dY/du by x, y, z: Y = (sqrt3 xy, sqrt3 yz, sqrt3 xz, sqrt3/2 (x^2 - y^2), (3 z^2 - 1)/2).
    const T rx = root3 * ux, ry = root3 * uy, rz = root3 * uz;
    const Vector<T> by[4] = {slope.of(row, stride) * along_v + slope.of(row + component, stride) * along_t,
                             filter_v * sx + filter_t * (ry * s[0] + rz * s[2] + rx * s[3]),
                             filter_v * sy + filter_t * (rx * s[0] + rz * s[1] - ry * s[3]),
                             filter_v * sz + filter_t * (ry * s[1] + rx * s[2] + (3 * uz) * s[4])};
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

// ---- matrix products: tiles of `rows` x `NV` vectors kept in registers

template<typename T, int rows, int NV>
void tile(int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate, T *out, int out_stride) {
  constexpr int W = lanes<T>;
  Vector<T> total[rows][NV];
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) {
      total[r][v] = bias != nullptr ? load(bias + v * W) : Vector<T>{};
      if (accumulate) total[r][v] += load(out + static_cast<std::ptrdiff_t>(r) * out_stride + v * W);
    }
  }
  for (int p = 0; p < k; ++p) {
    Vector<T> weight[NV];
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) weight[v] = load(weights + (static_cast<std::ptrdiff_t>(p) * NV + v) * W);
#pragma GCC unroll 6
    for (int r = 0; r < rows; ++r) {
      const T x = in[static_cast<std::ptrdiff_t>(r) * in_stride + p];
#pragma GCC unroll 4
      for (int v = 0; v < NV; ++v) total[r][v] += x * weight[v];
    }
  }
#pragma GCC unroll 6
  for (int r = 0; r < rows; ++r) {
#pragma GCC unroll 4
    for (int v = 0; v < NV; ++v) store(out + static_cast<std::ptrdiff_t>(r) * out_stride + v * W, total[r][v]);
  }
}

template<typename T, int rows, int NV>
HEA_INLINE void last_tile(int m, int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate,
                          T *out, int out_stride) {
  if constexpr (rows > 0) {
    if (m == rows)
      tile<T, rows, NV>(k, in, in_stride, weights, bias, accumulate, out, out_stride);
    else
      last_tile<T, rows - 1, NV>(m, k, in, in_stride, weights, bias, accumulate, out, out_stride);
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
      case 1:
        multiply_panel<T, 1>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride);
        break;
      case 2:
        multiply_panel<T, 2>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride);
        break;
      case 3:
        multiply_panel<T, 3>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride);
        break;
      default:
        multiply_panel<T, HEA_TILE_VECTORS>(m, k, in, in_stride, packed, shift, accumulate, out + at, out_stride);
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
  // Chebyshev fit on |r| <= log(2)/2, relative error 3e-9
  V p = fill(0.0013948592786785386f);
  constexpr float coefficients[] = {0.008375137267496521f, 0.041666218094712895f, 0.1666641537660689f,
                                    0.5000000107814108f,   1.000000037750114f,    1.0f};
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
  constexpr double coefficients[] = {
      1.0 / 479001600, 1.0 / 39916800, 1.0 / 3628800, 1.0 / 362880, 1.0 / 40320, 1.0 / 5040, 1.0 / 720,
      1.0 / 120,       1.0 / 24,       1.0 / 6,       0.5,          1.0,         1.0};
  for (const double c : coefficients) p = p * r + c;
  const I exponent = ((I)shifted + 1023) << 52;
  return p * (V)exponent;
}

// 2 atanh(s) for 0 <= s <= 1/3. Chebyshev fit in s^2 of relative error 4e-9, and the series.
HEA_INLINE Vector<float> twice_atanh(Vector<float> s) {
  const Vector<float> square = s * s;
  Vector<float> p = fill(0.281746572705819f);
  constexpr float coefficients[] = {0.27961418833369334f, 0.40024853723552f, 0.6666631593507939f, 2.0000000078777496f};
  for (const float c : coefficients) p = p * square + c;
  return p * s;
}

HEA_INLINE Vector<double> twice_atanh(Vector<double> s) {
  constexpr int terms = 17;
  const Vector<double> square = s * s;
  Vector<double> p = fill(2.0 / (2 * terms - 1));
  for (int k = terms - 2; k >= 0; --k) p = p * square + 2.0 / (2 * k + 1);
  return p * s;
}

template<typename T>
struct Softplus {
  Vector<T> value, slope;  // log(1 + e^x) - log 2, and 1/(1 + e^-x)
};

template<typename T>
HEA_INLINE Softplus<T> softplus(Vector<T> x) {
  const Vector<T> z = exp_of_negative(x < T(0) ? x : -x);
  // log(1 + z) = 2 atanh(z/(2 + z)); one division serves it and the slope
  const Vector<T> both = T(1) / ((T(1) + z) * (T(2) + z));
  const Vector<T> inverse = (T(2) + z) * both;
  const Vector<T> log1p = twice_atanh(z * (T(1) + z) * both);
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

template<typename T>
void gated_ssp(std::ptrdiff_t n, const T *x, const T *gate, T *value) {
  for (std::ptrdiff_t k = 0; k < n; k += lanes<T>) store(value + k, load(gate + k) * softplus<T>(load(x + k)).value);
}

template<typename T>
void gated_ssp_backward(std::ptrdiff_t n, const T *x, const T *gate, T *gradient, T *gate_gradient) {
  for (std::ptrdiff_t k = 0; k < n; k += lanes<T>) {
    const Softplus<T> s = softplus<T>(load(x + k));
    const Vector<T> g = load(gradient + k);
    store(gate_gradient + k, load(gate_gradient + k) + g * s.value);
    store(gradient + k, g * load(gate + k) * s.slope);
  }
}

// ---- invariants of a message

HEA_INLINE float root(float x) {
  return __builtin_sqrtf(x);
}
HEA_INLINE double root(double x) {
  return __builtin_sqrt(x);
}

template<typename T>
HEA_INLINE Vector<T> roots(Vector<T> x) {
  Vector<T> out;
  for (int k = 0; k < lanes<T>; ++k) out[k] = root(x[k]);
  return out;
}

template<typename T, int n>
HEA_INLINE Vector<T> norm2(const T *component, std::ptrdiff_t stride) {
  Vector<T> total = {};
#pragma GCC unroll 5
  for (int c = 0; c < n; ++c) total += load(component + c * stride) * load(component + c * stride);
  return total;
}

template<typename T>
void invariants(const Widths &w, const T *message, T *q) {
  const std::ptrdiff_t features = w.features, angular = w.angular;
  for (std::ptrdiff_t f = 0; f < features; f += lanes<T>) store(q + f, load(message + f));
  const T *v = message + features, *t = v + 3 * angular;
  q += features;
  for (std::ptrdiff_t a = 0; a < angular; a += lanes<T>) {
    // sqrt(1 + s) - 1 without its cancellation at small s
    const Vector<T> sv = norm2<T, 3>(v + a, angular), st = norm2<T, 5>(t + a, angular);
    store(q + a, sv / (roots<T>(T(1) + sv) + T(1)));
    store(q + angular + a, st / (roots<T>(T(1) + st) + T(1)));
  }
}

template<typename T>
void invariants_backward(const Widths &w, const T *message, const T *q_gradient, T *out) {
  const std::ptrdiff_t features = w.features, angular = w.angular;
  for (std::ptrdiff_t f = 0; f < features; f += lanes<T>) store(out + f, load(q_gradient + f));
  message += features;
  q_gradient += features;
  out += features;
  for (std::ptrdiff_t a = 0; a < angular; a += lanes<T>) {
    const T *v = message + a, *t = v + 3 * angular;
    const Vector<T> scale_v = load(q_gradient + a) / roots<T>(T(1) + norm2<T, 3>(v, angular));
    const Vector<T> scale_t = load(q_gradient + angular + a) / roots<T>(T(1) + norm2<T, 5>(t, angular));
#pragma GCC unroll 8
    for (int c = 0; c < 8; ++c) store(out + c * angular + a, (c < 3 ? scale_v : scale_t) * load(v + c * angular));
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
          gated_ssp<T>,
          gated_ssp_backward<T>,
          invariants<T>,
          invariants_backward<T>};
}

}  // namespace
}  // namespace hea
