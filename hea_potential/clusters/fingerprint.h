// Species-resolved radial distribution functions of clusters, and their overlap.
#pragma once

#include <vector>

#include "atoms.h"

namespace hea::clusters {

struct Grid {
  double spacing;      // in mean bonds
  std::size_t points;  // of each pair of elements
};

// Number of values of a fingerprint.
inline std::size_t fingerprint_size(std::size_t kinds, const Grid &grid) {
  return kinds * (kinds + 1) / 2 * grid.points;
}

// Histogram of the distances of every unordered pair of types (0,0), (0,1), ..., smeared by a Gaussian one grid step
// wide and normalised to length 1 as a whole, [pairs of types][points]. It is zero if no two atoms are in reach of the
// grid.
std::vector<float> fingerprint(const Atoms &atoms, const Grid &grid);

// That of the same atoms as if they were all of one type, [points].
std::vector<float> without_types(const std::vector<float> &fingerprint, std::size_t points);

// Scalar product of two fingerprints of the same size, to six digits; two that are zero count as equal: 1.
double similarity(const std::vector<float> &one, const std::vector<float> &other);

}  // namespace hea::clusters
