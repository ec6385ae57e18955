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
  for (std::size_t k = 0; k < order; ++k) images.push_back(matrix_of(operations + 9 * k) * point);
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
    const auto is_far = [&](const Vector3 &image) { return !(squared_gap(image, from) < merging2); };
    const auto near = std::stable_partition(unlinked.begin(), unlinked.end(), is_far);
    for (auto image = near; image != unlinked.end(); ++image) {
      open.push_back(*image);
      sum = sum + *image;
      count += 1.0;
    }
    unlinked.erase(near, unlinked.end());
  }
  return (1.0 / count) * sum;
}

std::vector<double> flat(const std::vector<Vector3> &points) {
  std::vector<double> result;
  result.reserve(3 * points.size());
  for (const Vector3 &point : points) result.insert(result.end(), point.begin(), point.end());
  return result;
}

}  // namespace

std::vector<double> orbit(const double *start, std::size_t order, const double *operations, double merging) {
  Vector3 point = vector_of(start);
  const double merging2 = merging * merging;
  std::vector<Vector3> images;
  while (true) {
    images = images_of(point, order, operations);
    std::size_t near = 0;
    for (const Vector3 &image : images) near += squared_gap(image, point) < merging2;
    // Gaps between images are those between one of them and the point: where none is small, all are distinct.
    if (near <= 1) return flat(images);
    const Vector3 middle = middle_of_linked(point, images, merging2);
    if (!(squared_gap(middle, point) >= same * same * merging2)) break;
    point = middle;
  }
  std::vector<Vector3> distinct;
  for (const Vector3 &image : images) {
    const auto is_same = [&](const Vector3 &other) { return squared_gap(image, other) < merging2; };
    if (std::none_of(distinct.begin(), distinct.end(), is_same)) distinct.push_back(image);
  }
  return flat(distinct);
}

double nearest_square(const double *point, const std::vector<double> &positions) {
  double nearest = std::numeric_limits<double>::infinity();
  for (std::size_t k = 0; k < positions.size(); k += 3) {
    nearest = std::min(nearest, squared_distance(point, &positions[k]));
  }
  return nearest;
}

}  // namespace hea::clusters
