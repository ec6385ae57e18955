// Clusters whose atoms are put, or moved, where most neighbours are.
//
// The number of contacts stands for the energy. It is blurred by a random share of `blur` contacts, which decides
// between equals and lets the second best win now and then. Sites are those of `vacant_sites`, see geometry.h for
// `contact` and `least`.
#pragma once

#include <vector>

#include "atoms.h"
#include "random.h"

namespace hea::clusters {

struct Judging {
  double contact, least, blur;
};

// Adds atoms of `added` types, one after the other, on the sites that touch most atoms; where there is no site, one
// bond beside a random atom, and the first of all at the origin. Types of added atoms lie in 0..kinds-1.
Arrangement grown(Random &random, const Atoms &atoms, const std::vector<std::int64_t> &added, const Judging &judging);

// Takes away the `count` atoms with fewest contacts at once and adds them again in random order.
Arrangement resurfaced(Random &random, const Atoms &atoms, std::size_t count, const Judging &judging);

// Moves the atom with fewest contacts to the best site that is farther than half a bond from where it was, so many
// times, and fewer where there is none. The cluster is not empty.
Arrangement with_moved_atoms(Random &random, const Atoms &atoms, std::size_t times, const Judging &judging);

}  // namespace hea::clusters
