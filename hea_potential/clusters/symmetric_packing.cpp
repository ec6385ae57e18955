#include "symmetric_packing.h"

#include "orbits.h"

namespace hea::clusters {
namespace {

constexpr int patience = 32;       // points in a row without room
constexpr double narrower = 0.92;  // factor of the distance that points keep, after so many
constexpr double special = 0.1;    // share of the points that lies on a symmetry element from the beginning

Vector3 product(const double *m, const Vector3 &a) {
  return {m[0] * a[0] + m[1] * a[1] + m[2] * a[2], m[3] * a[0] + m[4] * a[1] + m[5] * a[2],
          m[6] * a[0] + m[7] * a[1] + m[8] * a[2]};
}

// How many images of a point are within the merging distance, the point among them.
std::size_t near_images(const Vector3 &point, const PointGroup &group, double merging) {
  std::size_t near = 0;
  for (std::size_t k = 0; k < group.order; ++k) {
    const Vector3 gap = product(group.operations + 9 * k, point) - point;
    near += dot(gap, gap) < merging * merging;
  }
  return near;
}

// The orbit of a random point; empty if it has no room, or more than `left` points.
std::vector<double> random_orbit(Random &random, const PointGroup &group, const PackingRules &rules,
                                 const std::vector<double> &placed, double spacing, std::size_t left) {
  Vector3 point = rules.radius * random.in_ball();
  if (random.uniform() < special) point = product(group.projections + 9 * random.below(group.order), point);
  const auto is_clear = [](double square, double distance) { return square > distance * distance; };
  const double room = nearest_square(point.data(), placed);
  // Points that merge may still move by half the merging distance; the others are where they are.
  if (!is_clear(room, spacing - 0.5 * rules.merging)) return {};
  const std::size_t merged = near_images(point, group, rules.merging);
  if (group.order > left * merged || (merged == 1 && !is_clear(room, spacing))) return {};
  std::vector<double> found = orbit(point.data(), group.order, group.operations, rules.merging);
  // What keeps one point of an orbit clear of whole orbits keeps all clear.
  const bool has_room = is_clear(nearest_square(found.data(), placed), spacing);
  if (found.size() > 3 * left || !has_room) found.clear();
  return found;
}

}  // namespace

PackedOrbits packed_orbits(Random &random, const PointGroup &group, std::size_t size, const PackingRules &rules) {
  PackedOrbits orbits;
  std::size_t left = size;
  double spacing = rules.widest;
  int in_vain = 0;
  while (left > 0 && spacing > rules.narrowest) {
    const std::vector<double> found = random_orbit(random, group, rules, orbits.positions, spacing, left);
    if (found.empty()) {
      if (++in_vain < patience) continue;
      spacing *= narrower;
    } else {
      orbits.positions.insert(orbits.positions.end(), found.begin(), found.end());
      orbits.sizes.push_back(static_cast<std::int64_t>(found.size() / 3));
      left -= found.size() / 3;
    }
    in_vain = 0;
  }
  return orbits;
}

}  // namespace hea::clusters
