// Walks from ordering to ordering of the elements on the sites of a cluster, by a model of their energies: a sum over
// sites and over some pairs of sites.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "random.h"

namespace hea::clusters {

// What pairs of sites add to the energy, by their class and the elements on them; views of the caller's arrays. Each
// pair is there once, its first site before its second.
struct Couplings {
  std::size_t sites, kinds, classes, pairs;
  const std::int64_t *first, *second, *class_of;  // [pairs]
  const double *energies;                         // [classes][kinds][kinds], the same for both orders of two elements

  double energy(std::size_t pair_class, std::size_t one, std::size_t other) const {
    return energies[(pair_class * kinds + one) * kinds + other];
  }
};

// Which element is on which site, what each would add to the energy there, the others being what they are, and the
// energy.
struct Ordering {
  std::vector<std::int32_t> types;  // [sites]
  std::vector<double> field;        // [sites][kinds]
  double energy;
};

// The orderings that were met one after the other, the first one not among them, and their energies.
struct Walk {
  std::vector<std::int32_t> orderings;  // [steps][sites]
  std::vector<double> energies;         // [steps]
};

// Takes so many steps, or fewer if none is left that may be taken. Each is the best swap of unlike elements, even
// uphill, the first of equal ones in the order of sites; but for some steps neither of two sites gets back what it had,
// unless that leads lower than all before (tabu search; Taillard, Parallel Computing 17, 443 (1991)).
//
// Changes of the energy are added up in the order of a plain calculation with arrays of all pairs of sites, whose
// results they equal to the last bit: that decides between orderings that are alike by symmetry. There are sums and
// differences alone, nothing that a compiler could contract.
Walk walked(Random &random, const Couplings &couplings, Ordering ordering, std::size_t steps);

}  // namespace hea::clusters
