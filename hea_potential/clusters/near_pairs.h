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
  struct Four {
    Lanes coordinates[3];
  };
  constexpr float nowhere = std::numeric_limits<float>::infinity();
  const std::size_t n = positions.size() / 3;
  std::vector<Four> fours((n + lanes - 1) / lanes, Four{{Lanes{} + nowhere, Lanes{} + nowhere, Lanes{} + nowhere}});
  float widest = 0.0F;  // coordinate, from the first point
  for (std::size_t k = 0; k < 3 * n; ++k) {
    const float coordinate = static_cast<float>(positions[k] - positions[k % 3]);
    fours[k / 3 / lanes].coordinates[k % 3][k / 3 % lanes] = coordinate;
    widest = std::max(widest, std::abs(coordinate));
  }
  // Farther by more than what single precision may err.
  const float limit = static_cast<float>(std::pow(reach + 1e-6 * static_cast<double>(widest), 2));
  for (std::size_t i = 0; i < n; ++i) {
    const Four &own = fours[i / lanes];
    const float x = own.coordinates[0][i % lanes], y = own.coordinates[1][i % lanes], z = own.coordinates[2][i % lanes];
    for (std::size_t begin = (i + 1) / lanes; begin < fours.size(); ++begin) {
      const Lanes a = fours[begin].coordinates[0] - x, b = fours[begin].coordinates[1] - y,
                  c = fours[begin].coordinates[2] - z;
      const Flags near = a * a + b * b + c * c < limit;
      if (!any(near)) continue;
      for (std::size_t lane = 0; lane < lanes; ++lane) {
        const std::size_t j = lanes * begin + lane;
        if (near[lane] && j > i) visit(i, j);
      }
    }
  }
}

}  // namespace hea::clusters
