// Packings of random orbits of a point group.
#pragma once

#include <cstdint>
#include <vector>

#include "random.h"

namespace hea::clusters {

// Points with equally large orbits: all space, like planes or axes of symmetry, or the centre.
struct Place {
  std::size_t size;                 // points of an orbit
  int dimension;                    // 3 to 0
  std::vector<double> projections;  // [elements][3][3], onto each of these planes or axes

  std::size_t elements() const { return projections.size() / 9; }

  // How many orbits have room in a ball of so many atoms, of which about atoms^(d/3) lie on an element of dimension d
  // through its centre.
  double capacity(std::size_t atoms) const;
};

// A point group: its operations, the identity first, and its places, from the smallest orbits to the general ones.
struct PointGroup {
  std::vector<double> operations;  // [order][3][3]
  std::vector<Place> places;

  std::size_t order() const { return operations.size() / 9; }
};

// Orbits one after the other.
struct PackedOrbits {
  std::vector<double> positions;    // [points][3]
  std::vector<std::int64_t> sizes;  // points of each orbit
};

// The places of orbits of so many points in all, or of as many less as is possible, those of few dimensions first. Each
// is drawn by the room that is left there, the centre at most once.
std::vector<const Place *> drawn_places(Random &random, const PointGroup &group, std::size_t points);

// Orbits of random points in a ball, one for each place, on a random element of it. Of several points the one with most
// room is taken, where more room than a bond is no better; orbits may nevertheless be near each other, or merge where
// the places leave no other way.
PackedOrbits packed_orbits(Random &random, const PointGroup &group, const std::vector<const Place *> &places,
                           double radius, double bond);

}  // namespace hea::clusters
