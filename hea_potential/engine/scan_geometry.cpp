#include "scan_geometry.h"

#include <cmath>
#include <stdexcept>
#include <string>

namespace hea {

// Only the geometry is taken from the bonds: all atoms are of the first species to them.
template<typename T>
ScanGeometry<T>::ScanGeometry(const Model &model)
    : cutoff_(model.cutoff), n_interactions_(model.n_interactions), bonds_(model, {0}) {}

template<typename T>
void ScanGeometry<T>::place(const Configuration &configuration) {
  n_ = 0;  // nothing is placed until all is well
  ends_.clear();
  if (configuration.n_all != configuration.n_owned) {
    throw std::invalid_argument("n_owned = " + std::to_string(configuration.n_owned) +
                                " and n_all = " + std::to_string(configuration.n_all) +
                                ", allowed are equal numbers: a scan has no ghosts");
  }
  const int n = configuration.n_owned;
  const std::vector<int> species(static_cast<std::size_t>(n), 0);
  Result repulsion_of_one_species;
  bonds_.build(configuration, species, nullptr, repulsion_of_one_species);

  const EdgeList<T> list = bonds_.list();
  const auto n_found = static_cast<std::size_t>(list.first[n]);
  edges_.assign(list.edges, list.edges + n_found);
  first_.assign(list.first, list.first + n + 1);
  n_ = n;
  edge_between_.assign(static_cast<std::size_t>(n) * static_cast<std::size_t>(n), -1);
  edges_of_.assign(static_cast<std::size_t>(n), {});
  for (int i = 0; i < n; ++i) {
    for (auto e = static_cast<int>(list.first[i]); e < list.first[i + 1]; ++e) {
      const Bond &bond = bonds_.bonds()[e];
      const int j = bond.neighbour;
      if (i == j || edge_between_[at(i, j)] >= 0) {
        n_ = 0;
        ends_.clear();
        throw std::invalid_argument("atoms " + std::to_string(i) + " and " + std::to_string(j) +
                                    " are neighbours more than once, allowed are clusters and cells of at least twice "
                                    "the cutoff");
      }
      const double r2 =
          bond.vector[0] * bond.vector[0] + bond.vector[1] * bond.vector[1] + bond.vector[2] * bond.vector[2];
      const double base = 1.0 - r2 / (cutoff_ * cutoff_);
      ends_.push_back({i, j, std::sqrt(r2), base * base * base});
      edge_between_[at(i, j)] = edge_between_[at(j, i)] = e;
      edges_of_[static_cast<std::size_t>(i)].push_back(e);
      edges_of_[static_cast<std::size_t>(j)].push_back(e);
    }
  }
  find_reach();
}

template<typename T>
void ScanGeometry<T>::find_reach() {
  const auto n = static_cast<std::size_t>(n_);
  within_.assign(static_cast<std::size_t>(n_interactions_) * n, {});
  places_.assign(static_cast<std::size_t>(n_interactions_), std::vector<int>(n * n, -1));
  for (int i = 0; i < n_; ++i) {
    std::vector<int> last = {i};
    for (int hops = 1; hops <= n_interactions_; ++hops) {
      std::vector<char> is_near(n, 0);
      for (const int j : last) {
        is_near[static_cast<std::size_t>(j)] = 1;
        for (const int e : edges_of(j)) is_near[static_cast<std::size_t>(ends(e).i == j ? ends(e).j : ends(e).i)] = 1;
      }
      last.clear();
      for (int j = 0; j < n_; ++j) {
        if (is_near[static_cast<std::size_t>(j)] == 0) continue;
        places_[static_cast<std::size_t>(hops - 1)][at(i, j)] = static_cast<int>(last.size());
        last.push_back(j);
      }
      within_[at(hops - 1, i)] = last;
    }
  }
}

template<typename T>
Edge<T> ScanGeometry<T>::seen_from(int i, int edge) const {
  Edge<T> seen = edges_[static_cast<std::size_t>(edge)];
  if (ends(edge).i != i) {
    for (T &component : seen.direction) component = -component;
  }
  return seen;
}

template class ScanGeometry<float>;
template class ScanGeometry<double>;

}  // namespace hea
