// Matrix products: tiles of rows x NV vectors are kept in registers. See vectors.h for what may be used here.
#pragma once

#include "kernels.h"
#include "vectors.h"

namespace hea {
namespace {

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

}  // namespace
}  // namespace hea
