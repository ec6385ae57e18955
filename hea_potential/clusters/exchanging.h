// Clusters in which unlike atoms have exchanged their types.
#pragma once

#include "atoms.h"
#include "random.h"

namespace hea::clusters {

// One to four pairs of unlike atoms exchanged, each further one in half of the cases. There are two types or more.
Arrangement exchanged(Random &random, const Atoms &atoms);

// An inner and an outer atom exchanged: a random one, and an unlike one with a chance that grows with their difference
// in rank from the centre. There are two types or more.
Arrangement with_exchanged_shells(Random &random, const Atoms &atoms);

}  // namespace hea::clusters
