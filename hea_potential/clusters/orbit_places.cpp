// First it is drawn how many orbits lie on planes and axes of symmetry, at the centre and in between, then where on
// these each one lies. Points drawn without that plan leave a remainder that no orbit fills: under Td half of 98 atoms.
#include <algorithm>
#include <cmath>

#include "symmetric_packing.h"

namespace hea::clusters {
namespace {

constexpr double crowded = 0.1;  // orbits for which there is room, as it were, where there is none

// For every number from 0 to `most` whether it is a sum of sizes of orbits, each taken any number of times.
std::vector<char> sums_of_sizes(const std::vector<const Place *> &places, std::size_t most) {
  std::vector<char> found(most + 1, 0);
  found[0] = 1;
  for (std::size_t number = 1; number <= most; ++number) {
    for (const Place *place : places) {
      if (place->size <= number && found[number - place->size]) found[number] = 1;
    }
  }
  return found;
}

}  // namespace

double Place::capacity(std::size_t atoms) const {
  return static_cast<double>(elements()) * std::pow(static_cast<double>(atoms), dimension / 3.0) /
         static_cast<double>(size);
}

std::vector<const Place *> drawn_places(Random &random, const PointGroup &group, std::size_t points) {
  std::vector<const Place *> centre, others;
  std::vector<double> room;
  for (const Place &place : group.places) {
    (place.dimension == 0 ? centre : others).push_back(&place);
    if (place.dimension > 0) room.push_back(place.capacity(points));
  }
  const std::vector<char> adds_up = sums_of_sizes(others, points);
  const auto fills_with_centre = [&](std::size_t n) { return !centre.empty() && n > 0 && adds_up[n - 1]; };
  std::size_t left = points;
  while (!adds_up[left] && !fills_with_centre(left)) --left;
  std::vector<const Place *> drawn;
  if (fills_with_centre(left) && (!adds_up[left] || random.uniform() < 0.5)) {
    drawn.push_back(centre.front());
    --left;
  }
  std::vector<double> weights(others.size());
  while (left > 0) {
    for (std::size_t k = 0; k < others.size(); ++k) {
      const bool fits = others[k]->size <= left && adds_up[left - others[k]->size];
      weights[k] = fits ? std::max(room[k], crowded) : 0.0;
    }
    const std::size_t k = random.one_of(weights);
    room[k] -= 1.0;
    left -= others[k]->size;
    drawn.push_back(others[k]);
  }
  std::stable_sort(drawn.begin(), drawn.end(),
                   [](const Place *one, const Place *other) { return one->dimension < other->dimension; });
  return drawn;
}

}  // namespace hea::clusters
