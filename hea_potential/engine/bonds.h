// The edges within the cutoff: what the filters need of them, their pair terms, and at the end forces and virials.
#pragma once

#include <vector>

#include "aligned.h"
#include "kernels.h"
#include "model.h"
#include "potential.h"
#include "zbl.h"

namespace hea {

// Parameters of a pair of species.
struct PairTerms {
  Zbl zbl;
  double distance_min = 0.0;
};

// An edge within the cutoff in double precision.
struct Bond {
  int neighbour;
  double vector[3];
  double slope;  // of ZBL by r
};

template<typename T>
class Bonds {
 public:
  Bonds(const Model &model, const std::vector<int> &used);

  // Copies the edges of a configuration that are within the cutoff; species[n_all], -1 for atoms without this
  // potential. Adds ZBL to result.energy and atom_energy and marks result.beyond_training. Adds to
  // densities[n_all][n_species], unless null, how much of each species is around each atom: d(r) = (1 - (r/r_c)^2)^3.
  // Throws std::invalid_argument.
  void build(const Configuration &configuration, const std::vector<int> &species, double *densities, Result &result);

  // Adds the forces and virials of all edges to the result; by_density is the gradient by the densities, or null.
  void finish(const std::vector<int> &species, const double *by_density, Result &result) const;

  int n_owned() const { return static_cast<int>(first_.size()) - 1; }
  EdgeList<T> list() const { return {n_owned(), first_.data(), edges_.data()}; }
  const Bond *bonds() const { return bonds_.data(); }  // of the edges of the list
  EdgeGradient<T> *gradients() { return gradients_.data(); }

 private:
  void add(int i, int j, int pair, const double *vector, double r, Result &result);
  double density_base(double r2) const { return 1.0 - r2 * inverse_cutoff2_; }

  double cutoff_, inverse_cutoff2_, inverse_spacing_;
  int n_intervals_, n_species_;
  std::vector<PairTerms> terms_;  // [n_species][n_species]
  std::vector<int> table_;        // [n_species][n_species], first row of the pair's filter table
  // Work arrays of at least n_ members; they grow and never shrink.
  std::size_t n_ = 0;
  std::vector<std::int64_t> first_{0};
  Aligned<Edge<T>> edges_;
  std::vector<Bond> bonds_;
  Aligned<EdgeGradient<T>> gradients_;
};

}  // namespace hea
