#include "symmetric_packing.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "orbits.h"

namespace hea::clusters {
namespace {

constexpr int tried = 20;      // points for each orbit
constexpr double same = 1e-3;  // bonds: images nearer than this are one point
constexpr double own = 1e-6;   // bonds: an image nearer than this is the point itself

Vector3 product(const double *m, const Vector3 &a) {
  return {m[0] * a[0] + m[1] * a[1] + m[2] * a[2], m[3] * a[0] + m[4] * a[1] + m[5] * a[2],
          m[6] * a[0] + m[7] * a[1] + m[8] * a[2]};
}

// A point uniform in the part of the unit ball onto which a projection leads: a ball, a disc, a line or the centre.
Vector3 random_point(Random &random, const double *projection) {
  const long dimension = std::lround(projection[0] + projection[4] + projection[8]);
  if (dimension == 0) return {};
  const Vector3 direction = product(projection, random.in_ball());
  const double distance = std::pow(random.uniform(), 1.0 / static_cast<double>(dimension));
  return (distance / std::max(std::sqrt(dot(direction, direction)), 1e-12)) * direction;
}

// Squared distance of a point from the nearest of its own images, of those that are not the point itself.
double nearest_image_square(const Vector3 &point, const PointGroup &group, double bond) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < group.order(); ++k) {
    const Vector3 gap = product(&group.operations[9 * k], point) - point;
    const double square = dot(gap, gap);
    if (square > own * own * bond * bond) nearest = std::min(nearest, square);
  }
  return nearest;
}

}  // namespace

PackedOrbits packed_orbits(Random &random, const PointGroup &group, const std::vector<const Place *> &places,
                           double radius, double bond) {
  PackedOrbits orbits;
  const double merging = same * bond;
  for (const Place *place : places) {
    const double *projection = &place->projections[9 * random.below(place->elements())];
    Vector3 best{};
    double most_room = -1.0;
    for (int attempt = 0; attempt < tried && most_room < bond * bond; ++attempt) {
      const Vector3 point = radius * random_point(random, projection);
      const double room =
          std::min(nearest_image_square(point, group, bond), nearest_square(point.data(), orbits.positions));
      if (room > most_room) {
        most_room = room;
        best = point;
      }
    }
    const std::vector<double> found = orbit(best.data(), group.order(), group.operations.data(), merging);
    orbits.positions.insert(orbits.positions.end(), found.begin(), found.end());
    orbits.sizes.push_back(static_cast<std::int64_t>(found.size() / 3));
  }
  return orbits;
}

}  // namespace hea::clusters
