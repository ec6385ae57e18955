// What all orderings of one structure share: its edges, and which atoms are within how many edges of each other.
#pragma once

#include <vector>

#include "bonds.h"

namespace hea {

template<typename T>
class ScanGeometry {
 public:
  explicit ScanGeometry(const Model &model);

  // Throws std::invalid_argument for what Bonds refuses, for ghosts, and where two atoms share more than one edge.
  void place(const Configuration &configuration);

  int n_atoms() const { return n_; }
  int n_edges() const { return static_cast<int>(ends_.size()); }
  // The half edges in order of their first atoms, and where each atom's begin. Their table_row is the interval of the
  // spline: the first row of the table of a pair of species has to be added.
  const std::vector<Edge<T>> &edges() const { return edges_; }
  const std::vector<std::int64_t> &first() const { return first_; }
  struct Ends {
    int i, j;
    double r, density;  // the length, and d(r) of the gates
  };
  const Ends &ends(int edge) const { return ends_[static_cast<std::size_t>(edge)]; }
  int edge_between(int i, int j) const { return edge_between_[at(i, j)]; }  // -1: none
  const std::vector<int> &edges_of(int i) const { return edges_of_[static_cast<std::size_t>(i)]; }
  Edge<T> seen_from(int i, int edge) const;  // the edge as it leads from its end i to the other

  // Atoms that are at most `hops` edges away, hops = 1 .. n_interactions, in ascending order, the atom itself too.
  const std::vector<int> &within(int hops, int i) const { return within_[at(hops - 1, i)]; }
  bool reaches(int hops, int i, int j) const { return place_within(hops, i, j) >= 0; }
  // Where j stands among those within reach of i, -1: not at all.
  int place_within(int hops, int i, int j) const { return places_[static_cast<std::size_t>(hops - 1)][at(i, j)]; }

 private:
  std::size_t at(int row, int column) const {
    return static_cast<std::size_t>(row) * static_cast<std::size_t>(n_) + static_cast<std::size_t>(column);
  }
  void find_reach();

  double cutoff_;
  int n_interactions_, n_ = 0;
  Bonds<T> bonds_;
  std::vector<Edge<T>> edges_;
  std::vector<std::int64_t> first_;
  std::vector<Ends> ends_;
  std::vector<std::vector<int>> edges_of_;
  std::vector<int> edge_between_;
  std::vector<std::vector<int>> within_;  // [n_interactions][n]
  std::vector<std::vector<int>> places_;  // [n_interactions][n][n]
};

}  // namespace hea
