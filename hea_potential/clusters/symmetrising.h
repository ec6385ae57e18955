// Symmetric starts, and moves that make a cluster or its core symmetric.
//
// What is symmetric is packed or completed orbit by orbit; atoms that fill no orbit go to the surface. A small noise
// lets a minimisation leave the symmetry where keeping it would lead to a saddle.
#pragma once

#include <vector>

#include "growth.h"
#include "symmetric_packing.h"

namespace hea::clusters {

// Random orbits under one of some groups; each orbit is of one type where the numbers of atoms allow. `none` has no
// atoms, but the bonds of `counts.size()` types, of which there are `counts` atoms.
//
// A group's chance falls with the number of atoms that it leaves to be placed: random orbits of few own atoms are
// likely to be the lowest minimum of their group, those of many hardly are. In one start of two a few atoms are kept
// back for the surface: a cluster without the perfect number of atoms is often a symmetric one with some more on its
// faces.
Arrangement symmetric_start(Random &random, const std::vector<const PointGroup *> &groups,
                            const std::vector<std::size_t> &counts, const Atoms &none, const Judging &judging);

// The `core` innermost atoms of a parent completed to orbits of one of some groups, see `completed`; what does not fit
// goes to the surface.
Arrangement symmetrised(Random &random, const std::vector<const PointGroup *> &groups, const Atoms &parent,
                        std::size_t core, const Judging &judging);

// Types of the points of orbits of given sizes, one type an orbit as long as there are atoms enough of any; then those
// of the atoms that are left over, in random order. There are as many atoms as points, or more.
struct Assigned {
  std::vector<std::int64_t> types, others;
};
Assigned by_orbit(Random &random, const std::vector<std::int64_t> &sizes, std::vector<std::size_t> counts);

}  // namespace hea::clusters
