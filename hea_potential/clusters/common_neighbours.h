// What surrounds each atom of a cluster, by adaptive common-neighbour analysis.
//
// A bond has the signature (j, k, l) of Honeycutt and Andersen, J. Phys. Chem. 91, 4950 (1987): j common neighbours of
// its two atoms, k bonds among these, l bonds in the largest connected group of these. Which atoms are neighbours is
// decided for each atom by itself, after Stukowski, Modelling Simul. Mater. Sci. Eng. 20, 045021 (2012): nearer than (1
// + sqrt(2))/2 times the mean distance of its nearest ones, which lies between the first two shells of a close packing.
// Distances are in bonds, so that atoms of different size can be compared.
#pragma once

#include <vector>

#include "atoms.h"

namespace hea::clusters {

enum class Surroundings : std::int64_t {
  surface,       // fewer than 12 neighbours
  fcc,           // 12 bonds (4,2,1)
  hcp,           // 6 (4,2,1), 6 (4,2,2)
  icosahedral,   // 12 (5,5,5): the centre of an icosahedron
  fivefold,      // 2 (5,5,5), 10 (4,2,2): on an edge that five tetrahedra share
  frank_kasper,  // 12 (5,5,5) and 2, 3 or 4 (6,6,6)
  other,         // anything else with 12 neighbours or more
};
constexpr std::size_t n_surroundings = 7;

struct Structure {
  std::vector<Surroundings> surroundings;  // [n]
  std::vector<std::size_t> counts;         // [n_surroundings], atoms of each kind
  std::size_t stacked_hcp = 0;             // hcp atoms with an hcp neighbour in the next layer, not only in their own
  std::size_t fivefold_axes = 0;           // different lines on which the fivefold atoms lie
  bool axes_meet = false;                  // whether these all go through one point, to half a bond
};

Structure structure_of(const Atoms &atoms);

}  // namespace hea::clusters
