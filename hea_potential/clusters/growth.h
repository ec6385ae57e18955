// Clusters that grow atom by atom where most neighbours are.
#pragma once

#include <vector>

#include "atoms.h"
#include "random.h"

namespace hea::clusters {

struct Grown {
  std::vector<std::int64_t> types;  // [atoms]
  std::vector<double> positions;    // [atoms][3]
};

// Adds atoms of `added` types, one after the other, on the vacant sites (see geometry.h) that touch most atoms, each
// number blurred by up to `blur` contacts; where there is no such site, one bond beside a random atom, and the first of
// all at the origin. Types of added atoms lie in 0..kinds-1.
Grown grown(Random &random, const Atoms &atoms, const std::vector<std::int64_t> &added, double contact, double least,
            double blur);

}  // namespace hea::clusters
