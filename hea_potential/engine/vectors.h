// Short vectors of the instruction set that the file is compiled for.
//
// Included by kernels_*.cpp, which are compiled with different instruction sets: everything lies in an anonymous
// namespace and no standard header with inline functions is used, so that no function compiled for a wide instruction
// set can be picked by the linker for use elsewhere.
#pragma once

#include <cstddef>
#include <cstdint>

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

}  // namespace
}  // namespace hea
