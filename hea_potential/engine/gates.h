// The gates of the adapters: how much of each other species an atom has around it, smooth in all distances.
#pragma once

#include <cstdint>
#include <vector>

#include "aligned.h"
#include "bonds.h"
#include "potential.h"

namespace hea {

class Gates {
 public:
  Gates(int n_species, double cutoff) : n_species_(n_species), inverse_cutoff2_(1.0 / (cutoff * cutoff)) {}

  // Sums the densities around all atoms and opens the gates of the owned ones.
  void forward(const std::vector<int> &species, const std::vector<std::int64_t> &first, const std::vector<Bond> &bonds,
               Exchange *exchange);
  // Turns the gradient by the gates into that by the distances, added to the bonds' slopes.
  void backward(const std::vector<int> &species, const std::vector<std::int64_t> &first, std::vector<Bond> &bonds,
                Exchange *exchange);

  int width() const { return n_species_ + 1; }  // a gate for each species, one for three or more elements
  bool open(int atom) const;                    // is any gate of this owned atom
  const double *of(int atom) const { return gates_.data() + static_cast<std::size_t>(atom * width()); }
  double *gradient(int atom) { return gradients_.data() + static_cast<std::size_t>(atom * width()); }

 private:
  int n_species_;
  double inverse_cutoff2_;
  Aligned<double> densities_;          // [n_all][n_species], then the gradient by them
  Aligned<double> gates_, gradients_;  // [n_owned][n_species + 1]
};

}  // namespace hea
