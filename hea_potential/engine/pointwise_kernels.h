// Activations, gates, and invariants of messages. See vectors.h for what may be used here.
#pragma once

#include "kernels.h"
#include "vectors.h"

namespace hea {
namespace {

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
void invariants_backward(const Widths &w, const T *q_gradient, T *message) {
  const std::ptrdiff_t features = w.features, angular = w.angular;
  for (std::ptrdiff_t f = 0; f < features; f += lanes<T>) store(message + f, load(q_gradient + f));
  message += features;
  q_gradient += features;
  for (std::ptrdiff_t a = 0; a < angular; a += lanes<T>) {
    T *v = message + a, *t = v + 3 * angular;
    const Vector<T> scale_v = load(q_gradient + a) / roots<T>(T(1) + norm2<T, 3>(v, angular));
    const Vector<T> scale_t = load(q_gradient + angular + a) / roots<T>(T(1) + norm2<T, 5>(t, angular));
#pragma GCC unroll 8
    for (int c = 0; c < 8; ++c) store(v + c * angular, (c < 3 ? scale_v : scale_t) * load(v + c * angular));
  }
}

}  // namespace
}  // namespace hea
