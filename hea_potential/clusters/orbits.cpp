#include "orbits.h"

#include <algorithm>
#include <limits>

#include "atoms.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

constexpr double same = 1e-6;  // of the merging distance: a point that moves by less is where it belongs

double squared_gap(const Vector3 &a, const Vector3 &b) {
  const Vector3 gap = a - b;
  return dot(gap, gap);
}

std::vector<Vector3> images_of(const Vector3 &point, std::size_t order, const double *operations) {
  std::vector<Vector3> images;
  images.reserve(order);
  for (const double *m = operations; m != operations + 9 * order; m += 9) {
    const Matrix3 matrix{Vector3{m[0], m[1], m[2]}, Vector3{m[3], m[4], m[5]}, Vector3{m[6], m[7], m[8]}};
    images.push_back(matrix * point);
  }
  return images;
}

// The middle of the images that chains of near ones link to the point. Their operations form a subgroup, so that it is
// invariant under that.
Vector3 middle_of_linked(const Vector3 &point, const std::vector<Vector3> &images, double merging2) {
  std::vector<Vector3> open{point}, unlinked = images;
  Vector3 sum{};
  double count = 0.0;
  while (!open.empty()) {
    const Vector3 from = open.back();
    open.pop_back();
    std::vector<Vector3> far;
    for (const Vector3 &image : unlinked) {
      if (squared_gap(image, from) < merging2) {
        open.push_back(image);
        sum = sum + image;
        count += 1.0;
      } else {
        far.push_back(image);
      }
    }
    unlinked.swap(far);
  }
  return (1.0 / count) * sum;
}

}  // namespace

std::vector<double> orbit(const double *start, std::size_t order, const double *operations, double merging) {
  Vector3 point{start[0], start[1], start[2]};
  const double merging2 = merging * merging;
  std::vector<Vector3> images;
  while (true) {
    images = images_of(point, order, operations);
    std::size_t near = 0;
    for (const Vector3 &image : images) near += squared_gap(image, point) < merging2;
    if (near <= 1) break;
    const Vector3 middle = middle_of_linked(point, images, merging2);
    if (!(squared_gap(middle, point) >= same * same * merging2)) break;
    point = middle;
  }
  std::vector<Vector3> distinct;
  for (std::size_t i = 0; i < images.size(); ++i) {
    bool is_first = true;
    for (std::size_t j = 0; is_first && j < i; ++j) is_first = !(squared_gap(images[i], images[j]) < merging2);
    if (is_first) distinct.push_back(images[i]);
  }
  std::vector<double> result;
  for (const Vector3 &image : distinct) result.insert(result.end(), image.begin(), image.end());
  return result;
}

double nearest_square(const double *point, const std::vector<double> &positions) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < positions.size(); k += 3) {
    nearest = std::min(nearest, squared_distance(point, &positions[k]));
  }
  return nearest;
}

}  // namespace hea::clusters
