#include "exchanging.h"

#include <algorithm>
#include <utility>

#include "ranking.h"

namespace hea::clusters {
namespace {

constexpr int most_pairs = 4;

// Weights of the partners of an atom: what `weight` says of those of another type, 0 of the others.
template<typename Weight>
std::vector<double> partners(const Arrangement &cluster, std::size_t atom, const Weight &weight) {
  std::vector<double> weights(cluster.types.size(), 0.0);
  for (std::size_t other = 0; other < weights.size(); ++other) {
    if (cluster.types[other] != cluster.types[atom]) weights[other] = weight(other);
  }
  return weights;
}

// Place of each atom in the order of distances from the centre.
std::vector<double> ranks_from_centre(const Atoms &atoms) {
  Vector3 centre{};
  for (std::size_t k = 0; k < 3 * atoms.n; ++k) centre[k % 3] += atoms.positions[k] / static_cast<double>(atoms.n);
  std::vector<double> squares, ranks(atoms.n);
  for (std::size_t atom = 0; atom < atoms.n; ++atom) {
    squares.push_back(squared_distance(atoms.positions + 3 * atom, centre.data()));
  }
  double rank = 0.0;
  for (const std::size_t atom : ranked(squares)) ranks[atom] = rank++;
  return ranks;
}

}  // namespace

Arrangement exchanged(Random &random, const Atoms &atoms) {
  Arrangement cluster = atoms.copy();
  for (int pairs = 0; pairs < most_pairs; ++pairs) {
    const std::size_t first = random.below(atoms.n);
    const std::size_t second = random.one_of(partners(cluster, first, [](std::size_t) { return 1.0; }));
    std::swap(cluster.types[first], cluster.types[second]);
    if (random.uniform() < 0.5) break;
  }
  return cluster;
}

Arrangement with_exchanged_shells(Random &random, const Atoms &atoms) {
  Arrangement cluster = atoms.copy();
  const std::vector<double> ranks = ranks_from_centre(atoms);
  const std::size_t first = random.below(atoms.n);
  const auto difference = [&](std::size_t other) { return std::abs(ranks[other] - ranks[first]); };
  const std::size_t second = random.one_of(partners(cluster, first, difference));
  std::swap(cluster.types[first], cluster.types[second]);
  return cluster;
}

}  // namespace hea::clusters
