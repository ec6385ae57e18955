// A cluster as the functions of this library take it. Lengths are in any unit; what counts as near is measured in
// bonds.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace hea::clusters {

// Types and positions that belong to whoever holds them.
struct Arrangement {
  std::vector<std::int64_t> types;  // [n]
  std::vector<double> positions;    // [n][3]
};

// Views of the caller's arrays; no position has to be finite, every type lies in 0..kinds-1.
struct Atoms {
  std::size_t n;
  const std::int64_t *types;  // [n]
  const double *positions;    // [n][3]
  std::size_t kinds;
  const double *bonds;  // [kinds][kinds], length of a bond between atoms of two types

  std::size_t type(std::size_t i) const { return static_cast<std::size_t>(types[i]); }
  double bond(std::size_t i, std::size_t j) const { return bonds[type(i) * kinds + type(j)]; }
  double mean_bond() const;

  // Other atoms whose types and bonds are the same.
  Atoms with(const Arrangement &others) const {
    return {others.types.size(), others.types.data(), others.positions.data(), kinds, bonds};
  }
  Arrangement copy() const { return {{types, types + n}, {positions, positions + 3 * n}}; }
};

inline double squared_distance(const double *a, const double *b) {
  const double x = a[0] - b[0], y = a[1] - b[1], z = a[2] - b[2];
  return x * x + y * y + z * z;
}

inline double Atoms::mean_bond() const {
  double sum = 0.0;
  for (std::size_t k = 0; k < kinds * kinds; ++k) sum += bonds[k];
  return sum / static_cast<double>(kinds * kinds);
}

}  // namespace hea::clusters
