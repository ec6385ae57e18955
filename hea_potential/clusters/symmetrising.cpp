#include "symmetrising.h"

#include <algorithm>
#include <numeric>

#include "completion.h"
#include "geometry.h"
#include "rattling.h"

namespace hea::clusters {
namespace {

constexpr double few = 5.0;  // own atoms of a group, that is atoms per operation, that random orbits soon arrange well
constexpr std::size_t kept_back = 10;           // at most one atom in so many, besides what no orbit fills
constexpr double densest = 0.9, loosest = 1.2;  // radius of the ball that is packed, in radii of a close packing
constexpr double apart = 0.9;                   // bonds to which orbits are pushed apart, before atoms are added

const PointGroup &promising(Random &random, const std::vector<const PointGroup *> &groups, std::size_t atoms) {
  std::vector<double> weights;
  for (const PointGroup *group : groups) {
    weights.push_back(1.0 / (few + static_cast<double>(atoms) / static_cast<double>(group->order())));
  }
  return *groups[random.one_of(weights)];
}

// Whether three points or more, in orbits of these sizes, lie on a line. It is a saddle that minimisations do not
// leave: so weak are the forces that would bend it.
bool is_line(const PackedOrbits &orbits) {
  const std::vector<double> &x = orbits.positions;
  // An axis has orbits of one or two points.
  if (x.size() < 9 || *std::max_element(orbits.sizes.begin(), orbits.sizes.end()) > 2) return false;
  const auto gap = [&](std::size_t k) { return Vector3{x[k] - x[0], x[k + 1] - x[1], x[k + 2] - x[2]}; };
  Vector3 longest{};
  for (std::size_t k = 3; k < x.size(); k += 3) {
    if (dot(gap(k), gap(k)) > dot(longest, longest)) longest = gap(k);
  }
  const double length2 = dot(longest, longest);
  for (std::size_t k = 3; k < x.size(); k += 3) {
    if (norm(cross(gap(k), longest)) > 1e-6 * length2) return false;
  }
  return true;
}

}  // namespace

Assigned by_orbit(Random &random, const std::vector<std::int64_t> &sizes, std::vector<std::size_t> counts) {
  constexpr std::int64_t unknown = -1;
  std::vector<std::int64_t> kinds(sizes.size(), unknown);
  std::vector<std::size_t> order(sizes.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  random.shuffle(order);
  std::vector<double> fitting(counts.size());
  for (const std::size_t place : order) {
    const auto size = static_cast<std::size_t>(sizes[place]);
    for (std::size_t kind = 0; kind < counts.size(); ++kind) {
      fitting[kind] = counts[kind] >= size ? static_cast<double>(counts[kind]) : 0.0;
    }
    if (std::all_of(fitting.begin(), fitting.end(), [](double weight) { return weight == 0.0; })) continue;
    const std::size_t kind = random.one_of(fitting);
    kinds[place] = static_cast<std::int64_t>(kind);
    counts[kind] -= size;
  }
  Assigned result;
  for (std::size_t kind = 0; kind < counts.size(); ++kind) {
    result.others.insert(result.others.end(), counts[kind], static_cast<std::int64_t>(kind));
  }
  random.shuffle(result.others);
  for (std::size_t place = 0; place < sizes.size(); ++place) {
    for (std::int64_t point = 0; point < sizes[place]; ++point) {
      result.types.push_back(kinds[place]);
      if (kinds[place] != unknown) continue;
      result.types.back() = result.others.back();
      result.others.pop_back();
    }
  }
  return result;
}

Arrangement symmetric_start(Random &random, const std::vector<const PointGroup *> &groups,
                            const std::vector<std::size_t> &counts, const Atoms &none, const Judging &judging) {
  const std::size_t size = std::accumulate(counts.begin(), counts.end(), std::size_t{0});
  const std::size_t core = random.uniform() < 0.5 ? size - random.below(size / kept_back + 1) : size;
  const PointGroup &group = promising(random, groups, core);
  const double bond = none.mean_bond(), radius = random.uniform(densest, loosest) * packed_radius(core, bond);
  PackedOrbits orbits = packed_orbits(random, group, drawn_places(random, group, core), radius, bond);
  if (is_line(orbits)) {
    orbits.positions.resize(6);
    orbits.sizes = {1, 1};
  }
  Assigned assigned = by_orbit(random, orbits.sizes, counts);
  Arrangement packed{std::move(assigned.types), std::move(orbits.positions)};
  packed.positions = separated(none.with(packed), apart);
  Arrangement whole = grown(random, none.with(packed), assigned.others, judging);
  shake(random, whole, slightly * bond);
  whole.positions = separated(none.with(whole), judging.least);
  return whole;
}

Arrangement symmetrised(Random &random, const std::vector<const PointGroup *> &groups, const Atoms &parent,
                        std::size_t core, const Judging &judging) {
  const PointGroup &group = *groups[random.below(groups.size())];
  const Completed orbits = completed(random, parent, group, core, judging.least);
  Arrangement whole = grown(random, parent.with(orbits.cluster), orbits.others, judging);
  shake(random, whole, slightly * parent.mean_bond());
  return whole;
}

}  // namespace hea::clusters
