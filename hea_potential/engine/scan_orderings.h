// Energies of the orderings that differ from a given one at one or two atoms, computed from what they share with it.
//
// Another species of an atom reaches one edge farther with every interaction: after l of them it has changed the rows
// (x, y) of the atoms within l edges. An exchange is two such substitutions at once. A row that only one of them
// reaches is that of the substitution alone, computed once for all exchanges; only rows that both reach are computed
// anew. The first messages depend on species alone: they are kept for every species of their atom, and each changed
// neighbour adds a difference.
#pragma once

#include <vector>

#include "scan_geometry.h"
#include "scan_layers.h"
#include "scan_species.h"

namespace hea {

template<typename T>
class ScanOrderings {
 public:
  // `used`: different indices into model.elements, the species; the model must outlive the object.
  ScanOrderings(const Model &model, const std::vector<int> &used);

  void place(const Configuration &configuration) { geometry_.place(configuration); }
  // Takes the ordering that all others are compared with, species[n_atoms]; returns its energy.
  double order(const std::vector<int> &species);
  double with_substitution(int atom, int species);
  double with_exchange(int p, int q);

  int n_atoms() const { return geometry_.n_atoms(); }

 private:
  // What a substitution reaches, by the number of interactions that were made.
  struct Reached {
    bool has_rows = false, has_energies = false;
    std::vector<Aligned<T>> x, y;
    std::vector<double> energy;
  };

  Reached &reached(const Site &site) {
    return reached_[static_cast<std::size_t>(site.atom) * static_cast<std::size_t>(weights_.n_species) +
                    static_cast<std::size_t>(site.species)];
  }
  const Reached &computed(const Site &site, bool with_energies);
  void run(const Sites &sites, int n_interactions);
  void choose_atoms(const Sites &sites, int hops);
  void begin_rows(const Sites &sites, int layer);
  const T *row_before(const Sites &sites, int layer, int atom, std::vector<Aligned<T>> Reached::*rows);
  T *first_messages(const Sites &sites);
  T *messages(const Sites &sites, int layer);
  void add_edge(const Edge<T> &edge, int a, int b, int source);
  void find_own_messages();

  const Kernels<T> &kernels_;
  int n_interactions_;
  Weights<T> weights_;
  ScanLayers<T> layers_;
  ScanGeometry<T> geometry_;
  ScanSpecies<T> species_;

  // Of the given ordering.
  double energy_ = 0.0;
  std::vector<double> atom_energy_;
  Aligned<T> own_message_;        // [n][species that the atom might be][message], the first
  Reached whole_;                 // rows of all atoms
  std::vector<Reached> reached_;  // [n][species]

  // Of the ordering in work.
  std::vector<int> atoms_, row_;          // the atoms of the rows, and the row of an atom or -1
  std::vector<int> row_before_;           // of the interaction before
  std::vector<int> sources_, source_of_;  // the atoms of the rows of y_, and the other way round
  std::vector<RowGroup> groups_;
  Reached work_;
  Aligned<T> first_y_;  // of each species, the same negative, and rows of zeros
  Aligned<T> y_, message_, gate_;
  std::vector<std::int64_t> first_edge_;
  std::vector<Edge<T>> edges_;
};

}  // namespace hea
