// Clusters whose atoms wander over the places of their own packing while it cools.
#pragma once

#include <memory>

#include "growth.h"

namespace hea::clusters {

// So many moves of single atoms, at temperatures that fall from `hot` to `cold` by the same factor with each; in units
// of a contact, both positive.
struct Cooling {
  std::size_t moves;
  double hot, cold;
};

// Where the atoms of a cluster may be: where they are, and its vacant sites for an atom of type `kind`, which is one of
// theirs; `judging.blur` is not used. To find all that takes longer than an annealing, for which it is the same each
// time.
class Lattice {
 public:
  Lattice(const Atoms &atoms, std::size_t kind, const Judging &judging);

  // The cluster after an annealing. With each move an atom is taken away, with probability exp(-contacts /
  // temperature), and put on a place where it overlaps none, with probability exp(contacts / temperature): so facets
  // grow and shrink until the number of contacts, which stands for the energy, is nearly as large as this packing
  // allows.
  Arrangement annealed(Random &random, const Cooling &cooling) const;

 private:
  struct Content;
  std::shared_ptr<const Content> content_;
};

}  // namespace hea::clusters
