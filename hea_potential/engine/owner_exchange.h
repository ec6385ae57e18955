// An exchange within one process: ghosts are copies of owned atoms of the same arrays. It emulates a decomposition in
// tests.
#pragma once

#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "potential.h"

namespace hea {

class OwnerExchange : public Exchange {
 public:
  // owner[n_all - n_owned]: the owned atom that each ghost is a copy of.
  OwnerExchange(int n_owned, int n_all, std::vector<int> owner) : n_owned_(n_owned), owner_(std::move(owner)) {
    if (static_cast<int>(owner_.size()) != n_all - n_owned) {
      throw std::invalid_argument("owner has " + std::to_string(owner_.size()) +
                                  " members, allowed is one for each of the " + std::to_string(n_all - n_owned) +
                                  " ghosts");
    }
    for (const int i : owner_) {
      if (i < 0 || i >= n_owned) {
        throw std::invalid_argument("owner holds " + std::to_string(i) + ", allowed are 0 to " +
                                    std::to_string(n_owned - 1));
      }
    }
  }

  void to_ghosts(float *rows, int width) override { copy(rows, width); }
  void to_ghosts(double *rows, int width) override { copy(rows, width); }
  void from_ghosts(float *rows, int width) override { add(rows, width); }
  void from_ghosts(double *rows, int width) override { add(rows, width); }
  double sum_over_ranks(double x) override { return x; }
  void sum_over_ranks(double *, int) override {}

 private:
  template<typename T>
  void copy(T *rows, int width) const {
    for (std::size_t k = 0; k < owner_.size(); ++k) {
      for (int p = 0; p < width; ++p) ghost(rows, k, width)[p] = owned(rows, k, width)[p];
    }
  }

  template<typename T>
  void add(T *rows, int width) const {
    for (std::size_t k = 0; k < owner_.size(); ++k) {
      for (int p = 0; p < width; ++p) owned(rows, k, width)[p] += ghost(rows, k, width)[p];
    }
  }

  template<typename T>
  T *ghost(T *rows, std::size_t k, int width) const {
    return rows + (static_cast<std::size_t>(n_owned_) + k) * static_cast<std::size_t>(width);
  }

  template<typename T>
  T *owned(T *rows, std::size_t k, int width) const {
    return rows + static_cast<std::size_t>(owner_[k]) * static_cast<std::size_t>(width);
  }

  int n_owned_;
  std::vector<int> owner_;
};

}  // namespace hea
