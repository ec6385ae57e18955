#include <algorithm>
#include <numeric>

#include "annealing.h"
#include "check.h"
#include "cluster.h"
#include "geometry.h"
#include "random_source.h"

using namespace hea::clusters;

namespace {

constexpr double contact = 1.3, least = 0.8;

Cluster annealed_cluster(const Cluster &before, std::size_t moves, std::mt19937_64 &engine) {
  Random random = random_of(engine);
  const Lattice lattice(before.atoms(), 0, {contact, least, 0.0});
  Arrangement after = lattice.annealed(random, {moves, 0.8, 0.1});
  return {std::move(after.positions), std::move(after.types), before.bonds};
}

std::int64_t contacts_of(const Cluster &cluster) {
  const std::vector<std::int64_t> counts = coordination(cluster.atoms(), contact);
  return std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) / 2;
}

// A layer of a square lattice, so many atoms long and wide.
Cluster layer(int length, int width) {
  std::vector<double> positions;
  for (int i = 0; i < length; ++i) {
    for (int j = 0; j < width; ++j) positions.insert(positions.end(), {1.0 * i, 1.0 * j, 0.0});
  }
  return unary(std::move(positions));
}

void a_layer_becomes_two() {
  std::mt19937_64 engine(1);
  const Cluster before = layer(4, 4);
  CHECK(contacts_of(before) == 24);
  std::int64_t most = 0;
  for (int time = 0; time < 10; ++time) most = std::max(most, contacts_of(annealed_cluster(before, 200, engine)));
  CHECK(most >= 40);  // a single layer of 16 atoms has at most 34
}

void atoms_keep_their_types_and_do_not_overlap() {
  std::mt19937_64 engine(2);
  for (unsigned seed = 0; seed < 10; ++seed) {
    Cluster before = random_binary(15, 3.0, seed);
    before.positions = separated(before.atoms(), least, 30);
    before.bonds = {1.0, 1.0, 1.0, 1.0};  // shorter ones: nothing overlaps
    const Cluster after = annealed_cluster(before, 60, engine);
    CHECK(after.types == before.types);
    const std::vector<double> apart = reduced_distances(after.atoms());
    CHECK(*std::min_element(apart.begin(), apart.end()) >= least);
  }
}

void every_annealing_begins_with_the_cluster() {
  const Cluster before = layer(3, 4);
  const Lattice lattice(before.atoms(), 0, {contact, least, 0.0});
  std::vector<std::vector<double>> after;
  for (int time = 0; time < 3; ++time) {
    std::mt19937_64 engine(4);
    Random random = random_of(engine);
    after.push_back(lattice.annealed(random, {30, 0.8, 0.1}).positions);
  }
  CHECK(after[0] != before.positions);
  CHECK(after[1] == after[0] && after[2] == after[0]);
}

void what_has_no_other_place_stays() {
  std::mt19937_64 engine(3);
  const Cluster pair = unary({0, 0, 0, 1, 0, 0});
  for (std::size_t moves : {0, 1, 50}) {
    const Cluster after = annealed_cluster(pair, moves, engine);
    CHECK(contacts_of(after) == 1);
  }
  CHECK(annealed_cluster(unary({}), 5, engine).types.empty());
  const Cluster heap = unary({0, 0, 0, 0, 0, 0, 0, 0, 0});  // each blocks the places of the others
  CHECK(annealed_cluster(heap, 5, engine).positions == heap.positions);
}

}  // namespace

int main() {
  return check::run_all({{"a layer becomes two", a_layer_becomes_two},
                         {"every annealing begins with the cluster", every_annealing_begins_with_the_cluster},
                         {"atoms keep their types and do not overlap", atoms_keep_their_types_and_do_not_overlap},
                         {"what has no other place stays", what_has_no_other_place_stays}});
}
