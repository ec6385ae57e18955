#include "check.h"
#include "orbits.h"

using hea::clusters::orbit;

namespace {

// The identity, a half turn about z, and mirrors in x and in y: C2v.
const std::vector<double> operations{1,  0, 0, 0, 1, 0, 0, 0, 1, -1, 0, 0, 0, -1, 0, 0, 0, 1,
                                     -1, 0, 0, 0, 1, 0, 0, 0, 1, 1,  0, 0, 0, -1, 0, 0, 0, 1};

std::vector<double> orbit_of(double x, double y, double z, double merging) {
  const double point[3] = {x, y, z};
  return orbit(point, 4, operations.data(), merging);
}

void points_off_the_elements_have_all_images() {
  CHECK((orbit_of(1, 2, 3, 0.5) == std::vector<double>{1, 2, 3, -1, -2, 3, -1, 2, 3, 1, -2, 3}));
}

void near_images_merge() {
  CHECK((orbit_of(0.1, 2, 3, 0.5) == std::vector<double>{0, 2, 3, 0, -2, 3}));
  CHECK((orbit_of(0.1, 0.2, 3, 0.5) == std::vector<double>{0, 0, 3}));
  CHECK((orbit_of(0, 0, 0, 0.5) == std::vector<double>{0, 0, 0}));
}

void no_operations_and_no_numbers() {
  const double point[3] = {1, 2, 3};
  CHECK(orbit(point, 0, operations.data(), 0.5).empty());
  CHECK(orbit_of(std::nan(""), 0, 0, 0.5).size() == 12);
}

}  // namespace

int main() {
  return check::run_all({{"points off the elements have all images", points_off_the_elements_have_all_images},
                         {"near images merge", near_images_merge},
                         {"no operations and no numbers", no_operations_and_no_numbers}});
}
