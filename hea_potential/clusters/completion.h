// Clusters completed to orbits of a point group.
#pragma once

#include <vector>

#include "atoms.h"
#include "random.h"
#include "symmetric_packing.h"

namespace hea::clusters {

// Orbits one after the other, and what they left of the parent's atoms.
struct Completed {
  Arrangement cluster;
  std::vector<std::int64_t> others;  // types of the atoms that are still to be placed, in random order
};

// Completes the `core` innermost atoms of a parent, in a random order from inside, to orbits of a group, which is
// placed at the centre of the core where it suits best. Atoms farther outside stay as they are.
// A point nearer than `overlap` mean bonds to what is there already is left out, and so is an orbit of more atoms than
// are left. An orbit is of the type of the atom that it comes from, as long as there are enough atoms of it; the rest
// is drawn from the others. The parent is not empty, and the core neither.
Completed completed(Random &random, const Atoms &parent, const PointGroup &group, std::size_t core, double overlap);

// The axes, as rows, in which points about their centre are most nearly invariant under a group: of random frames along
// directions to points and between two of them. There is one point or more.
Matrix3 best_frame(Random &random, const std::vector<Vector3> &points, const PointGroup &group);

}  // namespace hea::clusters
