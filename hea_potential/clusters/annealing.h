// Clusters whose atoms wander over the places of their own packing while it cools.
#pragma once

#include "growth.h"

namespace hea::clusters {

// So many moves of single atoms, at temperatures that fall from `hot` to `cold` by the same factor with each; in units
// of a contact, both positive.
struct Cooling {
  std::size_t moves;
  double hot, cold;
};

// Places are where atoms are and the vacant sites of the cluster, for an atom of the type of a random one. With each
// move an atom is taken away, with probability exp(-contacts / temperature), and put on a place where it overlaps none,
// with probability exp(contacts / temperature): so facets grow and shrink until the number of contacts, which stands
// for the energy, is nearly as large as this packing allows. `judging.blur` is not used.
Arrangement annealed(Random &random, const Atoms &atoms, const Cooling &cooling, const Judging &judging);

}  // namespace hea::clusters
