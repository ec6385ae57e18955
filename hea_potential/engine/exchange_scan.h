// The complete exchange scan: energies of all orderings of a fixed geometry that differ by one swap of unlike atoms.
#pragma once

#include <array>
#include <memory>
#include <vector>

#include "potential.h"

namespace hea {

class ExchangeScan {
 public:
  // elements[type] is an index into model.elements. Throws std::invalid_argument.
  ExchangeScan(const Model &model, const std::vector<int> &elements, Precision precision);
  ~ExchangeScan();
  ExchangeScan(ExchangeScan &&) noexcept;
  ExchangeScan &operator=(ExchangeScan &&) noexcept;

  double cutoff() const;
  int n_types() const;
  int n_atoms() const;
  // Takes a geometry: of a configuration without ghosts, in which no two atoms share more than one edge. Its types are
  // taken by order() alone. Throws std::invalid_argument for bad input, naming the atoms, as Potential does.
  void place(const Configuration &configuration);
  // Takes the types of the atoms, type[n_atoms], and returns the energy, that of Potential::evaluate.
  double order(const int *type);
  // What follows throws std::invalid_argument unless order() came after the last place().
  // energy[n_atoms][n_types] of the orderings in which one atom has another type.
  void substitutions(double *energy);
  // energy[n] of the orderings in which the atoms of a pair are swapped. Throws also for atoms that are not there.
  void exchanges(const std::array<int, 2> *pairs, std::size_t n, double *energy);
  // All pairs i < j of atoms of different elements.
  std::vector<std::array<int, 2>> unlike_pairs() const;

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

}  // namespace hea
