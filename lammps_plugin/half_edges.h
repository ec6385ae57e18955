// LAMMPS' half neighbour list (with its skin) as the engine's half edges (within the cutoff).
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace LAMMPS_NS {

class NeighList;

// Buffers grow to the largest list seen and are reused, so a step allocates nothing.
class HalfEdges {
 public:
  // Of LAMMPS' atoms and ghosts: positions x, type, and row_of_atom, the engine's index of each. takes_part: by type,
  // non-zero where atoms of that type have this potential. The list must have its atoms in ascending order, as LAMMPS
  // builds them.
  void build(const NeighList &list, int n_owned, const double *const *x, const int *type,
             const std::vector<int> &row_of_atom, const std::vector<char> &takes_part, double cutoff);

  const std::int64_t *first() const { return first_.data(); }    // [n_owned + 1]
  const int *neighbour() const { return neighbour_.data(); }     // [n_edges], rows
  const double *vector() const { return vector_.data(); }        // [n_edges][3], r_j - r_i
  double shortest_squared() const { return shortest_squared_; }  // of the whole list, the cutoff's square at most
  double memory_usage() const;

 private:
  template<bool every_type>
  void collect(const NeighList &list, int n_owned, const double *x, const int *type, const int *row_of_atom,
               const char *takes_part, double cutoff_squared);

  std::vector<std::int64_t> first_;
  std::vector<int> neighbour_;
  std::vector<double> vector_;
  double shortest_squared_ = 0.0;
};

}  // namespace LAMMPS_NS
