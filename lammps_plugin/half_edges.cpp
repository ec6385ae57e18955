#include "half_edges.h"

#include <algorithm>

#include "neigh_list.h"

namespace LAMMPS_NS {

void HalfEdges::build(const NeighList &list, int n_owned, const double *x, const int *type,
                      const std::vector<char> &takes_part, double cutoff) {
  std::size_t most = 1;  // one slot more than edges: collect() writes before it knows whether an edge counts
  for (int k = 0; k < list.inum; ++k) most += list.numneigh[list.ilist[k]];
  if (neighbour_.size() < most) {
    neighbour_.resize(most + most / 4);
    vector_.resize(3 * neighbour_.size());
  }
  first_.resize(std::size_t(n_owned) + 1);

  const bool every_type = std::all_of(takes_part.begin() + 1, takes_part.end(), [](char takes) { return takes != 0; });
  if (every_type)
    collect<true>(list, n_owned, x, type, takes_part, cutoff * cutoff);
  else
    collect<false>(list, n_owned, x, type, takes_part, cutoff * cutoff);
}

template<bool every_type>
void HalfEdges::collect(const NeighList &list, int n_owned, const double *x, const int *type,
                        const std::vector<char> &takes_part, double cutoff_squared) {
  std::int64_t n = 0;
  int next = 0;  // first atom whose edges have not begun; atoms that a skip list leaves out have none
  double shortest = cutoff_squared;
  for (int k = 0; k < list.inum; ++k) {
    const int i = list.ilist[k];
    while (next <= i) first_[next++] = n;
    if (!every_type && !takes_part[type[i]]) continue;

    const double xi = x[3 * std::size_t(i)], yi = x[3 * std::size_t(i) + 1], zi = x[3 * std::size_t(i) + 2];
    const int *neighbours = list.firstneigh[i];
    const int n_neighbours = list.numneigh[i];
    for (int m = 0; m < n_neighbours; ++m) {
      const int j = neighbours[m] & NEIGHMASK;
      const double *xj = x + 3 * std::size_t(j);
      const double dx = xj[0] - xi, dy = xj[1] - yi, dz = xj[2] - zi;
      const double r_squared = dx * dx + dy * dy + dz * dz;
      neighbour_[n] = j;
      vector_[3 * n] = dx;
      vector_[3 * n + 1] = dy;
      vector_[3 * n + 2] = dz;
      const bool counts = r_squared < cutoff_squared && (every_type || takes_part[type[j]]);
      shortest = counts ? std::min(shortest, r_squared) : shortest;
      n += counts;
    }
  }
  while (next <= n_owned) first_[next++] = n;
  shortest_squared_ = shortest;
}

double HalfEdges::memory_usage() const {
  return static_cast<double>(first_.capacity() * sizeof(std::int64_t) + neighbour_.capacity() * sizeof(int) +
                             vector_.capacity() * sizeof(double));
}

}  // namespace LAMMPS_NS
