// Thompson sampling: which of several alternatives to use next (Thompson, Biometrika 25, 285 (1933)).
#pragma once

#include <algorithm>
#include <vector>

#include "random.h"

namespace hea::clusters {

// What is known of an alternative, the past fading: how often it was used, how often with success, and at what cost.
struct Record {
  double uses, successes, cost;
};

// Which of some alternatives, of which there is one at least, has the largest product of a chance of success, drawn
// from the Beta distribution that its record leaves for it, and uses for a cost. What was not used yet is taken to cost
// as much as the others do. Of records only those with 0 <= successes <= uses and cost >= 0, all finite, mean anything.
inline std::size_t most_promising(Random &random, const std::vector<Record> &records) {
  double costs = 0.0, known = 0.0;
  for (const Record &record : records) {
    if (!(record.uses > 0.0)) continue;
    costs += record.cost / record.uses;
    known += 1.0;
  }
  const double usual = known > 0.0 ? std::max(costs / known, 1.0) : 1.0;
  std::size_t best = 0;
  double largest = -1.0;
  for (std::size_t k = 0; k < records.size(); ++k) {
    const auto &[uses, successes, cost] = records[k];
    const double chance = random.beta(successes + 1.0, uses - successes + 1.0);
    const double worth = chance * (uses + 1.0) / (cost + usual);
    if (worth > largest) {
      best = k;
      largest = worth;
    }
  }
  return best;
}

}  // namespace hea::clusters
