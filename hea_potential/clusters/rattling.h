// Clusters whose atoms are displaced at random, or lie at random.
#pragma once

#include "atoms.h"
#include "random.h"

namespace hea::clusters {

// Mean bonds: a noise that lets a minimisation leave a symmetry where keeping it would lead to a saddle.
constexpr double slightly = 0.005;

// Displaces every coordinate by Gaussian noise of a width.
void shake(Random &random, Arrangement &cluster, double width);

// All atoms, or in one case of two some of them, displaced by Gaussian noise of a random width.
Arrangement rattled(Random &random, const Atoms &atoms);

// Atoms of these types in random order, uniformly in a ball somewhat larger than a close packing of them, then pushed
// apart to `least` bonds; the ball is in one case of two flattened or stretched. `none` has no atoms, but the bonds.
Arrangement random_packing(Random &random, std::vector<std::int64_t> types, const Atoms &none, double least);

// Radius of a close packing: spheres of diameter b fill b^3 / sqrt(2) an atom.
double packed_radius(std::size_t atoms, double bond);

}  // namespace hea::clusters
