#include "rattling.h"

#include <cmath>

#include "geometry.h"

namespace hea::clusters {
namespace {

constexpr double narrowest = 0.1, widest = 0.45;  // mean bonds: width of the noise
constexpr double some = 0.3;                      // share of atoms that are displaced, where not all of them are
constexpr double densest = 1.0, loosest = 1.3;    // radius of the ball, in radii of a close packing
constexpr double flattest = 0.7, longest = 1.4;   // stretch of the ball along one axis, its volume being kept

}  // namespace

void shake(Random &random, Arrangement &cluster, double width) {
  for (double &coordinate : cluster.positions) coordinate += width * random.normal();
}

Arrangement rattled(Random &random, const Atoms &atoms) {
  Arrangement cluster = atoms.copy();
  const double width = random.uniform(narrowest, widest) * atoms.mean_bond();
  const double share = random.uniform() < 0.5 ? some : 1.0;
  for (std::size_t atom = 0; atom < atoms.n; ++atom) {
    if (!(random.uniform() < share)) continue;
    for (std::size_t k = 0; k < 3; ++k) cluster.positions[3 * atom + k] += width * random.normal();
  }
  return cluster;
}

double packed_radius(std::size_t atoms, double bond) {
  constexpr double pi = 3.14159265358979323846;
  return bond * std::cbrt(3.0 * static_cast<double>(atoms) / (4.0 * pi * std::sqrt(2.0)));
}

Arrangement random_packing(Random &random, std::vector<std::int64_t> types, const Atoms &none, double least) {
  random.shuffle(types);
  const double radius = random.uniform(densest, loosest) * packed_radius(types.size(), none.mean_bond());
  const double along = random.uniform() < 0.5 ? random.uniform(flattest, longest) : 1.0,
               across = 1.0 / std::sqrt(along);
  Arrangement cluster{std::move(types), {}};
  cluster.positions.reserve(3 * cluster.types.size());
  for (std::size_t atom = 0; atom < cluster.types.size(); ++atom) {
    const Vector3 point = radius * random.in_ball();
    cluster.positions.insert(cluster.positions.end(), {across * point[0], across * point[1], along * point[2]});
  }
  cluster.positions = separated(none.with(cluster), least);
  return cluster;
}

}  // namespace hea::clusters
