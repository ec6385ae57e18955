// The pairs of atoms of a cluster that interact, as the engine takes them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hea::clusters {

// Each pair once, with its first atom; those of an atom in ascending order of the second one.
struct HalfEdges {
  std::vector<std::int64_t> first;      // [n + 1], the edges first[i] to first[i + 1] - 1 belong to atom i
  std::vector<std::int32_t> neighbour;  // [edges]
  std::vector<double> vectors;          // [edges][3], from the first atom to the second
};

// The pairs of positions [n][3] that are nearer than the cutoff. A position that is not finite is near none.
HalfEdges half_edges(std::vector<double> positions, double cutoff);

}  // namespace hea::clusters
