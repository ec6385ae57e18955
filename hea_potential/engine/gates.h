// The gates of the adapters: how much of each other species an atom has around it.
#pragma once

#include <vector>

#include "aligned.h"
#include "potential.h"

namespace hea {

// The gates of one atom of species `own`: of each species, closed for its own, and of three or more; [n_species + 1].
void find_gates(const double *densities, int n_species, int own, double *gates);

class Gates {
 public:
  explicit Gates(int n_species) : n_species_(n_species) {}

  // Zeros [n_all][n_species] for the densities around the atoms, to be added to before forward().
  double *densities(int n_all);
  // Completes the densities of the owned atoms and opens their gates; species[n_all].
  void forward(const std::vector<int> &species, int n_owned, Exchange *exchange);
  // Turns the gradient by the gates into that by the densities, [n_all][n_species].
  const double *backward(const std::vector<int> &species, int n_owned, Exchange *exchange);

  bool open(int atom) const;  // is any gate of this owned atom
  // [n_species + 1] of an owned atom: a gate for each species, one for three or more elements.
  const double *of(int atom) const { return gates_.data() + place(atom, n_species_ + 1); }
  double *gradient(int atom) { return gradients_.data() + place(atom, n_species_ + 1); }

 private:
  static std::size_t place(int row, int width) {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(width);
  }

  int n_species_;
  Aligned<double> densities_;  // then the gradient by them
  Aligned<double> gates_, gradients_;
};

}  // namespace hea
