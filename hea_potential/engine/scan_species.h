// The species of the atoms in a given ordering and in changes of it, and what depends on nothing else: gates and pair
// terms.
#pragma once

#include <vector>

#include "gates.h"
#include "scan_geometry.h"
#include "weights.h"
#include "zbl.h"

namespace hea {

// An atom and the species that it gets.
struct Site {
  int atom, species;
};
using Sites = std::vector<Site>;  // none, one or two

template<typename T>
class ScanSpecies {
 public:
  ScanSpecies(const Model &model, const std::vector<int> &used, const Weights<T> &weights,
              const ScanGeometry<T> &geometry);

  // Takes the ordering that all others are compared with; returns its pair terms, eV.
  double order(const std::vector<int> &species);
  void apply(const Sites &sites);
  void revert(const Sites &sites);

  int given(int atom) const { return given_[static_cast<std::size_t>(atom)]; }
  int now(int atom) const { return now_[static_cast<std::size_t>(atom)]; }
  // The gates of the rows of an atom's adapter, as the kernels read them; row[adapter_rows].
  void copy_gates(int atom, T *row);
  // What sites change of the pair terms, eV.
  double repulsion_change(const Sites &sites) const;

 private:
  void spread_gates(int atom, const double *densities, T *row);
  double repulsion(int a, int b, double r) const;

  const Weights<T> &weights_;
  const ScanGeometry<T> &geometry_;
  std::vector<Zbl> zbl_;  // [species][species]
  std::vector<int> given_, now_;
  std::vector<double> densities_, densities_now_;  // [n][species]
  std::vector<double> repulsion_;                  // [n][species that the atom might be], with its neighbours
  std::vector<char> is_touched_;                   // whether an atom's gates are others than in the given ordering
  std::vector<double> of_atom_;                    // gates of one atom
  Aligned<T> gates_;                               // [n][adapter rows]
};

}  // namespace hea
