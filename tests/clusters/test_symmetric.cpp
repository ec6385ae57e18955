#include <algorithm>
#include <set>

#include "check.h"
#include "cluster.h"
#include "completion.h"
#include "geometry.h"
#include "random_source.h"
#include "symmetric_packing.h"

using namespace hea::clusters;

namespace {

// The identity, a half turn about z, and mirrors in x and in y: C2v. What each leaves in place: all, z, x = 0, y = 0.
const std::vector<double> operations{1,  0, 0, 0, 1, 0, 0, 0, 1, -1, 0, 0, 0, -1, 0, 0, 0, 1,
                                     -1, 0, 0, 0, 1, 0, 0, 0, 1, 1,  0, 0, 0, -1, 0, 0, 0, 1};
const std::vector<double> projections{1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1,
                                      0, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0, 0, 0, 0, 1};
const PointGroup group{4, operations.data()};

Vector3 image_of(const double *m, const double *a) {
  return {m[0] * a[0] + m[1] * a[1] + m[2] * a[2], m[3] * a[0] + m[4] * a[1] + m[5] * a[2],
          m[6] * a[0] + m[7] * a[1] + m[8] * a[2]};
}

// The largest distance of an image from the point nearest to it.
double asymmetry(const std::vector<double> &positions) {
  double largest = 0.0;
  for (std::size_t g = 0; g < group.order; ++g) {
    for (std::size_t i = 0; i < positions.size(); i += 3) {
      const Vector3 image = image_of(&operations[9 * g], &positions[i]);
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
  for (std::size_t count = 0; count <= 4; ++count) {
    const PackedOrbits found = packed_orbits(random, group, {count, projections.data()}, 2.5, 1.0);
    const std::vector<std::int64_t> planned{4, 1, 2, 2};
    CHECK((found.sizes == std::vector<std::int64_t>(planned.begin(), planned.begin() + static_cast<long>(count))));
    std::int64_t sum = 0;
    for (const std::int64_t orbit : found.sizes) sum += orbit;
    CHECK(found.positions.size() == 3 * static_cast<std::size_t>(sum));
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
    const PackedOrbits found = packed_orbits(random, group, {4, projections.data()}, 6.0, 1.0);
    const Cluster packed = unary(found.positions);
    for (const double apart : reduced_distances(packed.atoms())) CHECK(apart >= 1.0);
  }
}

void a_crowded_ball_and_the_centre_are_packed_too() {
  std::mt19937_64 engine(8);
  Random random = random_of(engine);
  std::vector<double> crowd;
  for (int k = 0; k < 100; ++k) crowd.insert(crowd.end(), projections.begin(), projections.begin() + 9);
  CHECK(packed_orbits(random, group, {100, crowd.data()}, 1.0, 1.0).sizes.size() == 100);
  const std::vector<double> centre(9, 0.0);
  CHECK((packed_orbits(random, group, {1, centre.data()}, 1.0, 1.0).positions == std::vector<double>(3, 0.0)));
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
  const Matrix3 frame = best_frame(random, corners, group.order, operations.data());
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
    const Completed whole = completed(random, parent.atoms(), group.order, operations.data(), 24, 0.8);
    // The frame goes through atoms with a noise of 1e-6, which moves nothing.
    CHECK(asymmetry(whole.positions) < 1e-5);
    CHECK(whole.positions.size() == 3 * whole.types.size());
    std::vector<std::int64_t> all = whole.types;
    all.insert(all.end(), whole.others.begin(), whole.others.end());
    CHECK(std::is_permutation(all.begin(), all.end(), parent.types.begin(), parent.types.end()));
    const double apart = 0.8 * parent.atoms().mean_bond();
    for (std::size_t i = 0; i < whole.types.size(); ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        CHECK(squared_distance(&whole.positions[3 * i], &whole.positions[3 * j]) >= apart * apart * (1.0 - 1e-9));
      }
    }
  }
}

void atoms_outside_the_core_stay() {
  std::mt19937_64 engine(9);
  Random random = random_of(engine);
  // One atom is the core: every operation leaves it at the centre, and the others keep their distances.
  const Cluster parent = octahedron();
  const Completed found = completed(random, parent.atoms(), group.order, operations.data(), 1, 0.8);
  CHECK(found.types.size() == 6 && found.others.empty());
  CHECK_NEAR(squared_distance(&found.positions[0], &found.positions[15]), 2.0, 1e-9);
  const Cluster single = unary({1.0, 2.0, 3.0});
  CHECK(completed(random, single.atoms(), group.order, operations.data(), 1, 0.8).positions ==
        std::vector<double>(3, 0.0));
}

}  // namespace

int main() {
  return check::run_all(
      {{"packings are symmetric and as planned", packings_are_symmetric_and_as_planned},
       {"orbits keep clear of each other where there is room", orbits_keep_clear_of_each_other_where_there_is_room},
       {"a crowded ball and the centre are packed too", a_crowded_ball_and_the_centre_are_packed_too},
       {"the axes of an octahedron are found", the_axes_of_an_octahedron_are_found},
       {"completed cores are symmetric and keep their atoms", completed_cores_are_symmetric_and_keep_their_atoms},
       {"atoms outside the core stay", atoms_outside_the_core_stay}});
}
