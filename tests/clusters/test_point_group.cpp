#include "check.h"
#include "cluster.h"
#include "point_group.h"

using namespace hea::clusters;

namespace {

constexpr double tolerance = 0.05;

std::string symbol(const Cluster &cluster) {
  return point_group(cluster.atoms(), tolerance);
}

void few_atoms() {
  CHECK(symbol(unary({5, 6, 7})) == "Kh");
  Cluster pair = unary({0, 0, 0, 1, 0, 0});
  CHECK(symbol(pair) == "Dinfh");
  pair.types = {0, 1};
  pair.bonds = {1, 1, 1, 1};
  CHECK(symbol(pair) == "Cinfv");
  CHECK(symbol(unary({0, 0, 0, 1, 0, 0, 0.5, std::sqrt(0.75), 0})) == "D3h");
}

void elements_lower_the_symmetry() {
  Cluster cluster = octahedron();
  CHECK(symbol(cluster) == "Oh");
  cluster.bonds = {1, 1, 1, 1};
  cluster.types = {1, 0, 0, 0, 0, 0};
  CHECK(symbol(cluster) == "C4v");
  cluster.types = {1, 1, 0, 0, 0, 0};
  CHECK(symbol(cluster) == "D4h");
  cluster.types = {1, 0, 1, 0, 0, 0};
  CHECK(symbol(cluster) == "C2v");
  cluster.types = {1, 0, 1, 0, 1, 0};
  CHECK(symbol(cluster) == "C3v");
}

void what_is_off_by_more_than_the_tolerance_is_lost() {
  Cluster cluster = octahedron();
  cluster.positions[0] += 0.04;
  CHECK(symbol(cluster) == "Oh");
  cluster.positions[0] += 0.2;
  CHECK(symbol(cluster) == "C4v");
}

void crowds_have_none() {
  for (unsigned seed = 0; seed < 30; ++seed) CHECK(symbol(random_binary(40, 4.0, seed)) == "C1");
  CHECK(!symbol(unary(std::vector<double>(15, 0.25))).empty());  // five atoms in one place
  CHECK(!symbol(unary({0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 0})).empty());
}

}  // namespace

int main() {
  return check::run_all(
      {{"few atoms", few_atoms},
       {"elements lower the symmetry", elements_lower_the_symmetry},
       {"what is off by more than the tolerance is lost", what_is_off_by_more_than_the_tolerance_is_lost},
       {"crowds have none", crowds_have_none}});
}
