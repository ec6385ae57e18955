// Orbits of points under groups of orthogonal matrices.
#pragma once

#include <cstddef>
#include <vector>

namespace hea::clusters {

// The images of a point under a group of `order` matrices [order][3][3], the identity first, each once, [images][3].
//
// Where images would come nearer than `merging` to each other, chains of them merge in their middle, which lies on a
// symmetry element: the point is moved there until it moves by less than `least_move`.
std::vector<double> orbit(const double *point, std::size_t order, const double *operations, double merging,
                          double least_move);

}  // namespace hea::clusters
