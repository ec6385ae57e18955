// Pairs of points that may be near each other, found four at a time.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "lanes.h"

namespace hea::clusters {

// Calls visit(i, j), i < j, in ascending order, for all pairs of points [n][3] that are nearer than `reach`, and
// perhaps for some that are hardly farther.
template<typename Visit>
void for_near_pairs(const std::vector<double> &positions, double reach, const Visit &visit) {
  constexpr float nowhere = std::numeric_limits<float>::infinity();
  const std::size_t n = positions.size() / 3, room = n + lanes - 1;  // so that the last ones are four, too
  std::vector<float> coordinates(3 * room, nowhere);
  float *const x = coordinates.data(), *const y = x + room, *const z = y + room;
  const double *origin = positions.data();
  for (std::size_t left = n; left > 1 && !std::isfinite(origin[0] + origin[1] + origin[2]); --left) origin += 3;
  float widest = 0.0F;  // coordinate, from the first point that is anywhere
  for (std::size_t i = 0; i < n; ++i) {
    x[i] = static_cast<float>(positions[3 * i] - origin[0]);
    y[i] = static_cast<float>(positions[3 * i + 1] - origin[1]);
    z[i] = static_cast<float>(positions[3 * i + 2] - origin[2]);
    widest = std::max({widest, std::abs(x[i]), std::abs(y[i]), std::abs(z[i])});
  }
  // Farther by more than what single precision may err.
  const float limit = static_cast<float>(std::pow(reach + 1e-6 * static_cast<double>(widest), 2));
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t begin = i + 1; begin < n; begin += lanes) {
      const Lanes a = lanes_at(x + begin) - x[i], b = lanes_at(y + begin) - y[i], c = lanes_at(z + begin) - z[i];
      const Flags near = a * a + b * b + c * c < limit;
      if (!any(near)) continue;
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        if (near[lane]) visit(i, begin + lane);
      }
    }
  }
}

}  // namespace hea::clusters
