// Packings of random orbits of a point group.
#pragma once

#include <cstdint>
#include <vector>

#include "random.h"

namespace hea::clusters {

// The operations of a point group, the identity first.
struct PointGroup {
  std::size_t order;
  const double *operations;  // [order][3][3]
};

// Where orbits are to lie: for each the projection onto a plane or an axis of symmetry, onto the centre or all space.
struct Plan {
  std::size_t orbits;
  const double *projections;  // [orbits][3][3]
};

// Orbits one after the other.
struct PackedOrbits {
  std::vector<double> positions;    // [points][3]
  std::vector<std::int64_t> sizes;  // points of each orbit
};

// Orbits of random points in a ball, one for each projection. Of several points the one with most room is taken, where
// more room than a bond is no better; orbits may nevertheless be near each other, or merge where the plan leaves no
// other place.
PackedOrbits packed_orbits(Random &random, const PointGroup &group, const Plan &plan, double radius, double bond);

}  // namespace hea::clusters
