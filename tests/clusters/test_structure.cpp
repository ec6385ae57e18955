#include "check.h"
#include "cluster.h"
#include "common_neighbours.h"

using namespace hea::clusters;

namespace {

// An atom with its twelve neighbours in a close packing of layers; the layer below turned as in hcp or as in fcc.
Cluster close_packed(bool is_hcp) {
  const double r = std::sqrt(3.0) / 2, low = std::sqrt(3.0) / 6, height = std::sqrt(2.0 / 3), turn = is_hcp ? 1 : -1;
  std::vector<double> x{0, 0, 0};
  for (const double side : {-1.0, 1.0}) {
    x.insert(x.end(), {side, 0, 0, side * 0.5, r, 0, side * 0.5, -r, 0});
    const double up = side > 0 ? 1 : turn;
    x.insert(x.end(), {0.5, up * low, side * height, -0.5, up * low, side * height});
    x.insert(x.end(), {0, -up * 2 * low, side * height});
  }
  return unary(x);
}

// Pentagons of radius 0.85 about the z axis, an atom between each two and one at either end; turned by half an angle
// from one to the next or not at all: an icosahedron or a piece of a decahedron.
Cluster fivefold(bool is_turned) {
  const double pi = std::acos(-1.0);
  std::vector<double> x{0, 0, 0, 0, 0, 1, 0, 0, -1};
  for (int side = 0; side < 2; ++side) {
    for (int k = 0; k < 5; ++k) {
      const double angle = (2 * k + (is_turned ? side : 0)) * pi / 5;
      x.insert(x.end(), {0.86 * std::cos(angle), 0.86 * std::sin(angle), side == 0 ? -0.5 : 0.5});
    }
  }
  return unary(x);
}

void is_first(const Cluster &cluster, Surroundings kind) {
  const Structure structure = structure_of(cluster.atoms());
  CHECK(structure.surroundings[0] == kind);
  CHECK(structure.counts[static_cast<std::size_t>(kind)] == 1);
  CHECK(structure.counts[static_cast<std::size_t>(Surroundings::surface)] == 12);
}

void shells_of_twelve() {
  is_first(close_packed(false), Surroundings::fcc);
  is_first(close_packed(true), Surroundings::hcp);
  is_first(fivefold(true), Surroundings::icosahedral);
  is_first(fivefold(false), Surroundings::fivefold);
  CHECK(structure_of(fivefold(false).atoms()).fivefold_axes == 1);
  CHECK(!structure_of(fivefold(false).atoms()).axes_meet);
}

void shells_scale_with_the_bonds() {
  Cluster cluster = close_packed(false);
  for (double &x : cluster.positions) x *= 2.7;
  CHECK(structure_of(cluster.atoms()).counts[0] == 13);
  cluster.bonds = {2.5};
  is_first(cluster, Surroundings::fcc);
}

void crowds_and_empty_clusters() {
  CHECK(structure_of(unary({}).atoms()).counts[0] == 0);
  CHECK(structure_of(unary({1, 2, 3}).atoms()).counts[0] == 1);
  CHECK(structure_of(unary(std::vector<double>(300, 0.25)).atoms()).counts[0] == 100);
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Cluster crowd = random_binary(100, 2.0 + 0.1 * seed, seed);
    CHECK(structure_of(crowd.atoms()).surroundings.size() == 100);
  }
}

}  // namespace

int main() {
  return check::run_all({{"shells of twelve", shells_of_twelve},
                         {"shells scale with the bonds", shells_scale_with_the_bonds},
                         {"crowds and empty clusters", crowds_and_empty_clusters}});
}
