#include "cutting.h"

#include <algorithm>
#include <cmath>

#include "geometry.h"
#include "ranking.h"
#include "rattling.h"

namespace hea::clusters {
namespace {

constexpr double pi = 3.14159265358979323846;
constexpr double least_share = 0.2;       // of the atoms that each parent gives
constexpr double least_angle = pi / 6.0;  // of a twist
constexpr double off_middle = 0.3;        // bonds by which the plane of a twist misses the middle: width of a Gaussian

// A cluster centred and turned at random: a quaternion of four normal numbers stands for any rotation alike.
Arrangement turned_at_random(Random &random, const Atoms &atoms) {
  double quaternion[4];
  for (double &component : quaternion) component = random.normal();
  return {{atoms.types, atoms.types + atoms.n}, turned(atoms.n, atoms.positions, quaternion)};
}

double height(const Arrangement &cluster, std::size_t atom) {
  return cluster.positions[3 * atom + 2];
}

// Atoms from the lowest to the highest.
std::vector<std::size_t> upwards(const Arrangement &cluster) {
  std::vector<double> heights(cluster.types.size());
  for (std::size_t atom = 0; atom < heights.size(); ++atom) heights[atom] = height(cluster, atom);
  return ranked(heights);
}

// Midway between the highest of the `below` lowest atoms and the next one.
double plane_above(const Arrangement &cluster, const std::vector<std::size_t> &order, std::size_t below) {
  return 0.5 * (height(cluster, order[below - 1]) + height(cluster, order[below]));
}

// Adds an atom of a cluster, moved down.
void add(Arrangement &sum, const Arrangement &cluster, std::size_t atom, double down) {
  const double *at = &cluster.positions[3 * atom];
  sum.types.push_back(cluster.types[atom]);
  sum.positions.insert(sum.positions.end(), {at[0], at[1], at[2] - down});
}

// Gives atoms of types that are too many the types that are missing, first those nearest to z = 0.
void mend(Random &random, Arrangement &cluster, const Atoms &like) {
  std::vector<long> surplus(like.kinds, 0);
  for (std::size_t atom = 0; atom < like.n; ++atom) {
    ++surplus[static_cast<std::size_t>(cluster.types[atom])];
    --surplus[like.type(atom)];
  }
  std::vector<std::int64_t> missing;
  for (std::size_t kind = 0; kind < like.kinds; ++kind) {
    for (long count = surplus[kind]; count < 0; ++count) missing.push_back(static_cast<std::int64_t>(kind));
  }
  if (missing.empty()) return;
  random.shuffle(missing);
  std::vector<double> depths;
  for (std::size_t atom = 0; atom < like.n; ++atom) depths.push_back(std::abs(height(cluster, atom)));
  for (const std::size_t atom : ranked(depths)) {
    long &too_many = surplus[static_cast<std::size_t>(cluster.types[atom])];
    if (too_many <= 0) continue;
    --too_many;
    cluster.types[atom] = missing.back();
    missing.pop_back();
  }
}

}  // namespace

Arrangement spliced(Random &random, const Atoms &one, const Atoms &other) {
  const std::size_t n = one.n;
  const Arrangement first = turned_at_random(random, one), second = turned_at_random(random, other);
  const double share = random.uniform(least_share, 1.0 - least_share);
  const auto wanted = static_cast<std::size_t>(std::lround(share * static_cast<double>(n)));
  const std::size_t below = std::min(std::max(wanted, std::size_t{1}), n - 1);
  const std::vector<std::size_t> in_first = upwards(first), in_second = upwards(second);
  const double plane_first = plane_above(first, in_first, below);
  const double plane_second = plane_above(second, in_second, below);
  Arrangement child;
  for (std::size_t rank = 0; rank < below; ++rank) add(child, second, in_second[rank], plane_second);
  for (std::size_t rank = below; rank < n; ++rank) add(child, first, in_first[rank], plane_first);
  mend(random, child, one);
  return child;
}

Arrangement twisted(Random &random, const Atoms &atoms) {
  Arrangement cluster = turned_at_random(random, atoms);
  const double angle = random.uniform(least_angle, pi), cosine = std::cos(angle), sine = std::sin(angle);
  const double plane = off_middle * random.normal() * atoms.mean_bond();
  for (std::size_t atom = 0; atom < atoms.n; ++atom) {
    if (!(height(cluster, atom) > plane)) continue;
    double *at = &cluster.positions[3 * atom];
    const double x = at[0], y = at[1];
    at[0] = cosine * x - sine * y;
    at[1] = sine * x + cosine * y;
  }
  return cluster;
}

Arrangement mirrored(Random &random, const Atoms &atoms) {
  const Arrangement cluster = turned_at_random(random, atoms);
  const std::vector<std::size_t> order = upwards(cluster);
  const std::size_t lost = atoms.n / 2;
  const double plane = plane_above(cluster, order, lost);
  const double across = random.uniform() < 0.5 ? 1.0 : -1.0;
  Arrangement child;
  for (std::size_t rank = lost; rank < atoms.n; ++rank) add(child, cluster, order[rank], plane);
  // Of an odd number the atom next to the plane has no image.
  for (std::size_t kept = atoms.n - 2 * lost; kept < atoms.n - lost; ++kept) {
    const double *at = &child.positions[3 * kept];
    const Vector3 image{across * at[0], across * at[1], -at[2]};
    child.types.push_back(child.types[kept]);
    child.positions.insert(child.positions.end(), image.begin(), image.end());
  }
  mend(random, child, atoms);
  shake(random, child, slightly * atoms.mean_bond());
  return child;
}

}  // namespace hea::clusters
