// Packings of random orbits of a point group.
#pragma once

#include <cstdint>
#include <vector>

#include "random.h"

namespace hea::clusters {

// The operations of a point group, and for each the projection onto the points that it leaves where they are; the
// identity first.
struct PointGroup {
  std::size_t order;
  const double *operations;   // [order][3][3]
  const double *projections;  // [order][3][3]
};

// Lengths of a packing.
struct PackingRules {
  double radius;     // of the ball that is packed
  double widest;     // distance that points keep in the beginning
  double narrowest;  // distance at which the packing gives up
  double merging;    // images of a point nearer than this become one
};

// Orbits one after the other.
struct PackedOrbits {
  std::vector<double> positions;    // [points][3]
  std::vector<std::int64_t> sizes;  // points of each orbit
};

// Orbits of random points in a ball that keep clear of each other, `size` points in all or a few less. Where many
// points in a row find no room, all that follow may be nearer.
PackedOrbits packed_orbits(Random &random, const PointGroup &group, std::size_t size, const PackingRules &rules);

}  // namespace hea::clusters
