#include "check.h"
#include "cluster.h"
#include "fingerprint.h"

using namespace hea::clusters;

namespace {

constexpr Grid grid{0.05, 80};

void a_distance_has_its_place() {
  Cluster pair = unary({0, 0, 0, 1.01, 0, 0});
  pair.types = {0, 1};
  pair.bonds = {1.0, 1.0, 1.0, 1.0};
  const std::vector<float> values = fingerprint(pair.atoms(), grid);
  CHECK(values.size() == fingerprint_size(2, grid));
  double mean = 0.0, sum = 0.0;
  for (std::size_t k = 0; k < values.size(); ++k) {
    CHECK(k / grid.points == 1 || values[k] == 0.0F);  // the row of unlike atoms
    mean += static_cast<double>(values[k]) * static_cast<double>(k % grid.points);
    sum += static_cast<double>(values[k]);
  }
  CHECK_NEAR(mean / sum * grid.spacing, 1.01, 1e-6);
}

void fingerprints_have_length_one() {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const std::vector<float> values = fingerprint(random_binary(3 + 5 * seed, 3.0, seed).atoms(), grid);
    CHECK_NEAR(similarity(values, values), 1.0, 1e-6);
  }
}

void nothing_in_reach_is_equal_to_nothing() {
  const std::vector<float> one = fingerprint(unary({0, 0, 0}).atoms(), grid);
  const std::vector<float> far = fingerprint(unary({0, 0, 0, 9, 0, 0}).atoms(), grid);
  const std::vector<float> near = fingerprint(unary({0, 0, 0, 1, 0, 0}).atoms(), grid);
  CHECK(similarity(one, far) == 1.0);
  CHECK(similarity(one, near) == 0.0);
}

void numbers_that_are_none_do_not_count() {
  const std::vector<float> with = fingerprint(unary({0, 0, 0, 1, 0, 0, std::nan(""), 0, 0}).atoms(), grid);
  CHECK(with == fingerprint(unary({0, 0, 0, 1, 0, 0}).atoms(), grid));
}

}  // namespace

int main() {
  return check::run_all({{"a distance has its place", a_distance_has_its_place},
                         {"fingerprints have length one", fingerprints_have_length_one},
                         {"nothing in reach is equal to nothing", nothing_in_reach_is_equal_to_nothing},
                         {"numbers that are none do not count", numbers_that_are_none_do_not_count}});
}
