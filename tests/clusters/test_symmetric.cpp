#include <algorithm>
#include <set>

#include "check.h"
#include "cluster.h"
#include "completion.h"
#include "geometry.h"
#include "random_source.h"
#include "symmetrising.h"

using namespace hea::clusters;

namespace {

// C2v: the identity, a half turn about z, and mirrors in x and in y; orbits on the axis, on both planes and elsewhere.
const PointGroup group{
    {1, 0, 0, 0, 1, 0, 0, 0, 1, -1, 0, 0, 0, -1, 0, 0, 0, 1, -1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, -1, 0, 0, 0, 1},
    {{1, 1, {0, 0, 0, 0, 0, 0, 0, 0, 1}},
     {2, 2, {0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1}},
     {4, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1}}}};

// Inversion, whose only fixed point is the centre.
const PointGroup inversion{{1, 0, 0, 0, 1, 0, 0, 0, 1, -1, 0, 0, 0, -1, 0, 0, 0, -1},
                           {{1, 0, {0, 0, 0, 0, 0, 0, 0, 0, 0}}, {2, 3, {1, 0, 0, 0, 1, 0, 0, 0, 1}}}};

std::vector<const Place *> all_places() {
  return {&group.places[0], &group.places[1], &group.places[2]};
}

Vector3 image_of(const double *m, const double *a) {
  return {m[0] * a[0] + m[1] * a[1] + m[2] * a[2], m[3] * a[0] + m[4] * a[1] + m[5] * a[2],
          m[6] * a[0] + m[7] * a[1] + m[8] * a[2]};
}

// The largest distance of an image from the point nearest to it.
double asymmetry(const std::vector<double> &positions) {
  double largest = 0.0;
  for (std::size_t g = 0; g < group.order(); ++g) {
    for (std::size_t i = 0; i < positions.size(); i += 3) {
      const Vector3 image = image_of(&group.operations[9 * g], &positions[i]);
      double nearest = 1e300;
      for (std::size_t j = 0; j < positions.size(); j += 3) {
        nearest = std::min(nearest, squared_distance(image.data(), &positions[j]));
      }
      largest = std::max(largest, std::sqrt(nearest));
    }
  }
  return largest;
}

void packings_are_symmetric_and_as_planned() {
  std::mt19937_64 engine(5);
  Random random = random_of(engine);
  for (std::size_t count = 0; count <= 3; ++count) {
    std::vector<const Place *> planned = all_places();
    planned.resize(count);
    const PackedOrbits found = packed_orbits(random, group, planned, 2.5, 1.0);
    CHECK(found.sizes.size() == count);
    std::size_t sum = 0;
    for (std::size_t k = 0; k < count; ++k) {
      CHECK(found.sizes[k] == static_cast<std::int64_t>(planned[k]->size));
      sum += planned[k]->size;
    }
    CHECK(found.positions.size() == 3 * sum);
    CHECK(asymmetry(found.positions) < 1e-9);
    for (std::size_t i = 0; i < found.positions.size(); i += 3) {
      const Vector3 point{found.positions[i], found.positions[i + 1], found.positions[i + 2]};
      CHECK(dot(point, point) <= 2.5 * 2.5 + 1e-9);
    }
  }
}

void orbits_keep_clear_of_each_other_where_there_is_room() {
  std::mt19937_64 engine(6);
  Random random = random_of(engine);
  for (int k = 0; k < 50; ++k) {
    const PackedOrbits found = packed_orbits(random, group, all_places(), 6.0, 1.0);
    const Cluster packed = unary(found.positions);
    for (const double apart : reduced_distances(packed.atoms())) CHECK(apart >= 1.0);
  }
}

void a_crowded_ball_and_the_centre_are_packed_too() {
  std::mt19937_64 engine(8);
  Random random = random_of(engine);
  const std::vector<const Place *> crowd(100, &group.places[2]);
  CHECK(packed_orbits(random, group, crowd, 1.0, 1.0).sizes.size() == 100);
  const PackedOrbits centre = packed_orbits(random, inversion, {&inversion.places[0]}, 1.0, 1.0);
  CHECK((centre.positions == std::vector<double>(3, 0.0)));
}

void places_add_up_with_the_centre_at_most_once() {
  std::mt19937_64 engine(11);
  Random random = random_of(engine);
  std::set<std::size_t> sizes;
  for (std::size_t points = 0; points < 40; ++points) {
    std::size_t sum = 0;
    int dimension = 0;
    for (const Place *place : drawn_places(random, group, points)) {
      CHECK(place->dimension >= dimension);
      dimension = place->dimension;
      sum += place->size;
      sizes.insert(place->size);
    }
    CHECK(sum == points);
    const std::vector<const Place *> inverted = drawn_places(random, inversion, points);
    CHECK(inverted.size() == (points + 1) / 2);
    CHECK((points % 2 == 1) == (!inverted.empty() && inverted.front()->dimension == 0));
  }
  CHECK((sizes == std::set<std::size_t>{1, 2, 4}));
}

void orbits_are_of_one_type_where_the_counts_allow() {
  std::mt19937_64 engine(12);
  Random random = random_of(engine);
  for (int k = 0; k < 50; ++k) {
    const std::vector<std::int64_t> sizes{4, 1, 2, 4, 4};
    const Assigned found = by_orbit(random, sizes, {16, 17});
    CHECK(found.types.size() == 15 && found.others.size() == 18);
    std::vector<std::int64_t> all = found.types;
    all.insert(all.end(), found.others.begin(), found.others.end());
    CHECK(std::count(all.begin(), all.end(), 0) == 16 && std::count(all.begin(), all.end(), 1) == 17);
    std::size_t first = 0;
    for (const std::int64_t size : sizes) {
      for (std::int64_t point = 0; point < size; ++point) CHECK(found.types[first + point] == found.types[first]);
      first += static_cast<std::size_t>(size);
    }
    // No type has atoms enough: those that there are are shared out.
    CHECK(by_orbit(random, {4}, {2, 2}).types.size() == 4);
  }
}

void starts_and_moves_keep_the_numbers_of_atoms() {
  std::mt19937_64 engine(13);
  Random random = random_of(engine);
  const std::vector<const PointGroup *> groups{&group, &inversion};
  for (unsigned seed = 0; seed < 20; ++seed) {
    const Cluster parent = random_binary(1 + seed, 3.0, seed);
    const auto ones = static_cast<std::size_t>(std::count(parent.types.begin(), parent.types.end(), 1));
    const std::vector<std::size_t> counts{parent.types.size() - ones, ones};
    const Judging judging{1.3, 0.8, 1.5};
    const Atoms none{0, nullptr, nullptr, 2, parent.bonds.data()};
    for (const Arrangement &made : {symmetric_start(random, groups, counts, none, judging),
                                    symmetrised(random, groups, parent.atoms(), 1 + seed / 2, judging)}) {
      CHECK(made.positions.size() == 3 * made.types.size());
      CHECK(std::is_permutation(made.types.begin(), made.types.end(), parent.types.begin(), parent.types.end()));
    }
  }
}

void the_axes_of_an_octahedron_are_found() {
  std::mt19937_64 engine(7);
  Random random = random_of(engine);
  std::vector<Vector3> corners;
  const Matrix3 turn = rotation({0.3, -0.8, 0.5});
  for (std::size_t k = 0; k < 3; ++k) {
    Vector3 axis{};
    axis[k] = 1.0;
    corners.push_back(turn * axis);
    corners.push_back(-1.0 * (turn * axis));
  }
  const Matrix3 frame = best_frame(random, corners, group);
  std::vector<double> local;
  for (const Vector3 &corner : corners) {
    const Vector3 place = frame * corner;
    local.insert(local.end(), place.begin(), place.end());
  }
  CHECK(asymmetry(local) < 1e-4);
  for (std::size_t i = 0; i < 3; ++i) {
    for (std::size_t j = 0; j < 3; ++j) CHECK_NEAR(dot(frame[i], frame[j]), i == j ? 1.0 : 0.0, 1e-12);
  }
}

void completed_cores_are_symmetric_and_keep_their_atoms() {
  std::mt19937_64 engine(8);
  Random random = random_of(engine);
  for (unsigned seed = 0; seed < 20; ++seed) {
    Cluster parent = random_binary(24, 3.0, seed);
    parent.positions = separated(parent.atoms(), 0.9, 50);
    const Completed whole = completed(random, parent.atoms(), group, 24, 0.8);
    // The frame goes through atoms with a noise of 1e-6, which moves nothing.
    CHECK(asymmetry(whole.cluster.positions) < 1e-5);
    CHECK(whole.cluster.positions.size() == 3 * whole.cluster.types.size());
    std::vector<std::int64_t> all = whole.cluster.types;
    all.insert(all.end(), whole.others.begin(), whole.others.end());
    CHECK(std::is_permutation(all.begin(), all.end(), parent.types.begin(), parent.types.end()));
    const double apart = 0.8 * parent.atoms().mean_bond();
    for (std::size_t i = 0; i < whole.cluster.types.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        CHECK(squared_distance(&whole.cluster.positions[3 * i], &whole.cluster.positions[3 * j]) >=
              apart * apart * (1.0 - 1e-9));
      }
    }
  }
}

void atoms_outside_the_core_stay() {
  std::mt19937_64 engine(9);
  Random random = random_of(engine);
  // One atom is the core: every operation leaves it at the centre, and the others keep their distances.
  const Cluster parent = octahedron();
  const Completed found = completed(random, parent.atoms(), group, 1, 0.8);
  CHECK(found.cluster.types.size() == 6 && found.others.empty());
  CHECK_NEAR(squared_distance(&found.cluster.positions[0], &found.cluster.positions[15]), 2.0, 1e-9);
  const Cluster single = unary({1.0, 2.0, 3.0});
  CHECK(completed(random, single.atoms(), group, 1, 0.8).cluster.positions == std::vector<double>(3, 0.0));
}

}  // namespace

int main() {
  return check::run_all(
      {{"packings are symmetric and as planned", packings_are_symmetric_and_as_planned},
       {"orbits keep clear of each other where there is room", orbits_keep_clear_of_each_other_where_there_is_room},
       {"a crowded ball and the centre are packed too", a_crowded_ball_and_the_centre_are_packed_too},
       {"places add up with the centre at most once", places_add_up_with_the_centre_at_most_once},
       {"orbits are of one type where the counts allow", orbits_are_of_one_type_where_the_counts_allow},
       {"starts and moves keep the numbers of atoms", starts_and_moves_keep_the_numbers_of_atoms},
       {"the axes of an octahedron are found", the_axes_of_an_octahedron_are_found},
       {"completed cores are symmetric and keep their atoms", completed_cores_are_symmetric_and_keep_their_atoms},
       {"atoms outside the core stay", atoms_outside_the_core_stay}});
}
