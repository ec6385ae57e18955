// The dense layers of the interactions and the heads, for rows of atoms that the caller chooses.
#pragma once

#include <vector>

#include "weights.h"

namespace hea {

// Rows begin .. end-1 are atoms of one species.
struct RowGroup {
  int begin, end, species;
};

template<typename T>
class ScanLayers {
 public:
  ScanLayers(const Weights<T> &weights, const Kernels<T> &kernels);

  // Adds to x[row][features] what an interaction makes of message[row][..] and gate[row][adapter_rows]; y is the new
  // x's for the next interaction, and left alone after the last.
  void update(int layer, const std::vector<RowGroup> &groups, const T *message, const T *gate, T *x, T *y);
  // Energies of atoms from their last x, without pair terms.
  void energies(const std::vector<RowGroup> &groups, const T *x, double *energy);

 private:
  void update_block(int layer, const RowGroup &rows, const T *message, const T *gate, T *x, T *y);
  void find_isolated_energies();

  const Weights<T> &weights_;
  const Kernels<T> &kernels_;
  std::vector<double> shift_;  // by species, what makes the energy of a lone atom E0
  Aligned<T> block_[3];
};

}  // namespace hea
