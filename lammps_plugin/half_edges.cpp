#include "half_edges.h"

#include <algorithm>

#include "neigh_list.h"

namespace LAMMPS_NS {

void HalfEdges::build(const NeighList &list, int n_owned, const double *const *x, const int *type,
                      const std::vector<int> &row_of_atom, const std::vector<char> &takes_part, double cutoff) {
  std::size_t most = 1;  // one slot more than edges: collect() writes before it knows whether an edge counts
  for (int k = 0; k < list.inum; ++k) most += list.numneigh[list.ilist[k]];
  if (neighbour_.size() < most) {
    neighbour_.resize(most + most / 4);
    vector_.resize(3 * neighbour_.size());
  }
  first_.resize(std::size_t(n_owned) + 1);

  const bool every_type = std::all_of(takes_part.begin() + 1, takes_part.end(), [](char takes) { return takes != 0; });
  const auto work = every_type ? &HalfEdges::collect<true> : &HalfEdges::collect<false>;
  const double *coordinates = row_of_atom.empty() ? nullptr : x[0];
  (this->*work)(list, n_owned, coordinates, type, row_of_atom.data(), takes_part.data(), cutoff * cutoff);
}

template<bool every_type>
void HalfEdges::collect(const NeighList &list, int n_owned, const double *x, const int *type, const int *row_of_atom,
                        const char *takes_part, double cutoff_squared) {
  // Every entry of the list is written and overwritten by the next if it does not count: faster than a branch.
  int *neighbour = neighbour_.data();
  double *vector = vector_.data();
  int next = 0;  // first atom whose edges have not begun; atoms that a skip list leaves out have none
  double shortest = cutoff_squared;
  for (int k = 0; k < list.inum; ++k) {
    const int i = list.ilist[k];
    while (next <= i) first_[next++] = neighbour - neighbour_.data();
    if (!every_type && !takes_part[type[i]]) continue;

    const double *xi = x + 3 * std::size_t(i);
    const double x0 = xi[0], x1 = xi[1], x2 = xi[2];
    const int *entry = list.firstneigh[i];
    const int *const end = entry + list.numneigh[i];
    for (; entry < end; ++entry) {
      const int j = *entry & NEIGHMASK;
      const double *xj = x + 3 * std::size_t(j);
      const double d0 = xj[0] - x0, d1 = xj[1] - x1, d2 = xj[2] - x2;
      const double r_squared = d0 * d0 + d1 * d1 + d2 * d2;
      *neighbour = row_of_atom[j];
      vector[0] = d0;
      vector[1] = d1;
      vector[2] = d2;
      const int counts = r_squared < cutoff_squared && (every_type || takes_part[type[j]]);
      shortest = std::min(shortest, r_squared);
      neighbour += counts;
      vector += 3 * counts;
    }
  }
  while (next <= n_owned) first_[next++] = neighbour - neighbour_.data();
  shortest_squared_ = shortest;
}

double HalfEdges::memory_usage() const {
  return static_cast<double>(first_.capacity() * sizeof(std::int64_t) + neighbour_.capacity() * sizeof(int) +
                             vector_.capacity() * sizeof(double));
}

}  // namespace LAMMPS_NS
