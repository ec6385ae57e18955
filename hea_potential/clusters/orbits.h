// Orbits of points under groups of orthogonal matrices.
#pragma once

#include <cstddef>
#include <vector>

namespace hea::clusters {

// The images of a point under a group of `order` matrices [order][3][3], the identity first, each once, [images][3].
//
// Where images would come nearer than `merging` to each other, chains of them merge in their middle, which lies on a
// symmetry element.
std::vector<double> orbit(const double *point, std::size_t order, const double *operations, double merging);

// Squared distance of a point from the nearest of some positions [n][3], infinite if there are none.
double nearest_square(const double *point, const std::vector<double> &positions);

}  // namespace hea::clusters
