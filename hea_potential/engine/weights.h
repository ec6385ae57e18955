// The weights of a model in the order the kernels read them, for the elements in use ("species": 0, 1, ..).
#pragma once

#include <vector>

#include "aligned.h"
#include "kernels.h"
#include "model.h"

namespace hea {

// x -> x.M and g -> g.M^T, both packed.
template<typename T>
struct Matrix {
  int n_in = 0, n_out = 0;  // padded
  Aligned<T> forward, backward;
};

// Rows of an adapter that share a gate.
struct AdapterGroup {
  int gate;  // a species, or n_species for the gate of three or more elements
  int begin, end;
};

template<typename T>
struct Adapter {
  Matrix<T> in, out;  // channels -> rows -> features
};

template<typename T>
struct Interaction {
  Matrix<T> in2f, f2out1, f2out2;
  Aligned<T> bias1, bias2;
  Aligned<T> table;                 // [pair of species][n_intervals + 3][channels]
  std::vector<Adapter<T>> adapter;  // by species; empty without gates
};

template<typename T>
struct Head {
  Matrix<T> hidden;
  Aligned<T> bias;
  std::vector<double> out;
  double e0 = 0.0;
};

template<typename T>
struct Weights {
  // `used` are different indices into model.elements.
  Weights(const Model &model, const std::vector<int> &used, const Kernels<T> &kernels);

  int pair(int a, int b) const { return a <= b ? a * n_species - a * (a - 1) / 2 + (b - a) : pair(b, a); }

  int n_species = 0;
  Widths widths;
  int n_hidden = 0;  // as in the model; rows are padded(n_hidden) wide
  int n_intervals = 0;
  bool silu = false;
  Aligned<T> embedding;  // [species][features]
  Aligned<T> first_y;    // U^0 embedding
  std::vector<Interaction<T>> interactions;
  std::vector<Head<T>> heads;                             // by species
  std::vector<std::vector<AdapterGroup>> adapter_groups;  // by species; only rows whose gates can be open
  int adapter_rows = 0;                                   // padded, the same for all species
  bool gated() const { return adapter_rows > 0; }
};

}  // namespace hea
