// The inner loops, compiled once per instruction set (kernels_*.cpp) and chosen at load. Nothing here allocates or
// throws.
//
// Rows are padded to a multiple of `row_padding` numbers with zeros and aligned to 64 bytes, so no loop has a
// remainder.
#pragma once

#include <cstddef>
#include <cstdint>

namespace hea {

constexpr int block_atoms = 48;  // rows of a block stay in the first two caches from layer to layer
constexpr int row_padding = 16;
constexpr int padded(int n) {
  return (n + row_padding - 1) / row_padding * row_padding;
}

// Padded widths of the rows.
struct Widths {
  int features = 0;                                        // y and m
  int angular = 0;                                         // one component of v or t; 0 without angular features
  int channels() const { return features + 2 * angular; }  // q, and one control point of a filter table
  int message() const { return features + 8 * angular; }   // m, v_x v_y v_z, t_0 .. t_4
};

// What the filters need to know of an edge, the same in all interactions.
template<typename T>
struct Edge {
  std::int32_t neighbour;
  std::int32_t table_row;  // first of the four control points of its interval, in rows of Widths::channels()
  T basis[4];              // B_k(t)
  T slope[4];              // dB_k/dr
  T direction[3];          // u, from i to j
  T harmonics[5];          // Y(u)
};

template<typename T>
struct EdgeList {
  int n_owned;
  const std::int64_t *first;  // [n_owned + 1]
  const Edge<T> *edges;
};

// dE/dr at fixed u, and dE/du at fixed r, of an edge: four numbers in a row.
template<typename T>
struct EdgeGradient {
  T radial;
  T angular[3];
};

template<typename T>
struct Kernels {
  const char *name;
  int panel;  // columns of a packed weight matrix that lie together; the last panel may be narrower

  // message[i] and message[j] += filtered y[j] and y[i].
  void (*edges_forward)(const EdgeList<T> &list, const Widths &widths, const T *table, const T *y, T *message);
  // Adds to gradient of each edge, and, unless y_gradient is null, to y_gradient[i] and y_gradient[j].
  void (*edges_backward)(const EdgeList<T> &list, const Widths &widths, const T *table, const T *y,
                         const T *message_gradient, T *y_gradient, EdgeGradient<T> *gradient);

  // out[m][n] = in[m][k] . weights[k][n] (+ bias[n]) (+ out if accumulate); weights packed by `pack`.
  void (*multiply)(int m, int n, int k, const T *in, int in_stride, const T *weights, const T *bias, bool accumulate,
                   T *out, int out_stride);

  void (*ssp)(std::ptrdiff_t n, const T *x, T *value);                       // log(1 + e^x) - log 2
  void (*ssp_and_slope)(std::ptrdiff_t n, const T *x, T *value, T *slope);   // and 1/(1 + e^-x)
  void (*times_ssp_slope)(std::ptrdiff_t n, const T *x, T *y);               // y *= 1/(1 + e^-x)
  void (*silu_and_slope)(std::ptrdiff_t n, const T *x, T *value, T *slope);  // x/(1 + e^-x) and its slope

  void (*gated_ssp)(std::ptrdiff_t n, const T *x, const T *gate, T *value);  // gate ssp(x)
  // From the gradient by that to those by x, in place, and by the gate, added.
  void (*gated_ssp_backward)(std::ptrdiff_t n, const T *x, const T *gate, T *gradient, T *gate_gradient);

  // q of one atom from its message.
  void (*invariants)(const Widths &widths, const T *message, T *q);
  // Replaces the message by the gradient with respect to it.
  void (*invariants_backward)(const Widths &widths, const T *q_gradient, T *message);
};

// The best table for this machine's processor, or the one that the environment variable HEA_SIMD names.
template<typename T>
const Kernels<T> &kernels();

// The table "avx512", "avx2" or "baseline", or null if the processor cannot run it.
template<typename T>
const Kernels<T> *kernels_named(const char *name);

// dense[k][n], n a multiple of row_padding, into panels [n/panel][k][panel].
template<typename T>
void pack(const T *dense, int k, int n, int panel, T *packed);

}  // namespace hea
