#include "geometry.h"

#include <algorithm>
#include <limits>
#include <numeric>

#include "near_pairs.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

// Half of what is missing and a little more, so that pushed pairs end apart instead of approaching the limit.
constexpr double share = 0.6;
constexpr double least_push = 0.1;

Vector3 mean_position(std::size_t n, const double *positions) {
  Vector3 sum{};
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t k = 0; k < 3; ++k) sum[k] += positions[3 * i + k];
  }
  return (1.0 / static_cast<double>(n)) * sum;
}

bool all_finite(const std::vector<double> &values) {
  return std::all_of(values.begin(), values.end(), [](double x) { return std::isfinite(x); });
}

}  // namespace

Arrangement ordered(std::size_t n, const std::int64_t *types, const double *positions) {
  std::vector<std::size_t> order(n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return types[i] < types[j]; });
  const Vector3 mean = mean_position(n, positions);
  Arrangement result;
  result.types.reserve(n);
  result.positions.reserve(3 * n);
  for (const std::size_t i : order) {
    result.types.push_back(types[i]);
    for (std::size_t k = 0; k < 3; ++k) result.positions.push_back(positions[3 * i + k] - mean[k]);
  }
  return result;
}

std::vector<double> centred(std::size_t n, const double *positions) {
  const Vector3 mean = mean_position(n, positions);
  std::vector<double> result(positions, positions + 3 * n);
  for (std::size_t k = 0; k < 3 * n; ++k) result[k] -= mean[k % 3];
  return result;
}

std::vector<double> turned(std::size_t n, const double *positions, const double *quaternion) {
  const double length = std::sqrt(std::inner_product(quaternion, quaternion + 4, quaternion, 0.0));
  const double w = quaternion[0] / length, x = quaternion[1] / length, y = quaternion[2] / length,
               z = quaternion[3] / length;
  const Matrix3 rotation{Vector3{1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)},
                         Vector3{2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)},
                         Vector3{2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)}};
  const Vector3 centre = mean_position(n, positions);
  std::vector<double> result;
  result.reserve(3 * n);
  for (std::size_t i = 0; i < n; ++i) {
    const Vector3 image = rotation * (vector_of(positions + 3 * i) - centre);
    result.insert(result.end(), image.begin(), image.end());
  }
  return result;
}

std::vector<double> reduced_distances(const Atoms &atoms) {
  const std::size_t n = atoms.n;
  std::vector<double> result(n * n, infinity);
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double apart = std::sqrt(squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j));
      result[i * n + j] = apart / atoms.bond(i, j);
      result[j * n + i] = apart / atoms.bond(j, i);
    }
  }
  return result;
}

std::vector<std::int64_t> coordination(const Atoms &atoms, double reach) {
  std::vector<std::int64_t> count(atoms.n, 0);
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (std::size_t j = 0; j < i; ++j) {
      const double limit = reach * atoms.bond(i, j);
      if (squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j) < limit * limit) {
        ++count[i];
        ++count[j];
      }
    }
  }
  return count;
}

bool is_connected(const Atoms &atoms, double reach) {
  if (atoms.n == 0) return true;
  std::vector<std::size_t> open{0}, unreached;
  for (std::size_t i = 1; i < atoms.n; ++i) unreached.push_back(i);
  while (!open.empty()) {
    const std::size_t i = open.back();
    open.pop_back();
    const auto is_far = [&](std::size_t j) {
      const double limit = reach * atoms.bond(i, j);
      return !(squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j) < limit * limit);
    };
    const auto near = std::partition(unreached.begin(), unreached.end(), is_far);
    open.insert(open.end(), near, unreached.end());
    unreached.erase(near, unreached.end());
  }
  return unreached.empty();
}

std::vector<double> separated(const Atoms &atoms, double least, int rounds) {
  const std::size_t n = atoms.n;
  std::vector<double> positions(atoms.positions, atoms.positions + 3 * n), pushes(3 * n);
  if (n == 0) return positions;
  const double longest = least * *std::max_element(atoms.bonds, atoms.bonds + atoms.kinds * atoms.kinds);
  for (int round = 0; round < rounds; ++round) {
    std::fill(pushes.begin(), pushes.end(), 0.0);
    bool is_done = true;
    for_near_pairs(positions, longest, [&](std::size_t i, std::size_t j) {
      const double *a = &positions[3 * i], *b = &positions[3 * j];
      const double length = least * atoms.bond(i, j), square = squared_distance(a, b);
      if (!(square < length * length)) return;
      is_done = false;
      double gap[3] = {a[0] - b[0], a[1] - b[1], a[2] - b[2]}, apart = std::sqrt(square);
      if (apart < 1e-9 * length) {
        // Coinciding atoms have no direction to part in: give each pair one by its numbers, so that the result stays
        // reproducible.
        gap[0] = 1.0;
        gap[1] = 0.1 * static_cast<double>(i);
        gap[2] = 0.1 * static_cast<double>(j);
        apart = std::sqrt(gap[0] * gap[0] + gap[1] * gap[1] + gap[2] * gap[2]);
      }
      const double push = share * std::max(length / apart - 1.0, least_push);
      for (std::size_t k = 0; k < 3; ++k) {
        pushes[3 * i + k] += push * gap[k];
        pushes[3 * j + k] -= push * gap[k];
      }
    });
    if (is_done) return positions;
    for (std::size_t k = 0; k < 3 * n; ++k) positions[k] += pushes[k];
  }
  double nearest = infinity;  // in units of the least distance
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = i + 1; j < n; ++j) {
      const double apart = std::sqrt(squared_distance(&positions[3 * i], &positions[3 * j]));
      nearest = std::min(nearest, apart / (least * atoms.bond(i, j)));
    }
  }
  const double factor = std::max(1.0, 1.000001 / nearest);
  for (double &x : positions) x *= factor;
  return positions;
}

std::optional<std::vector<double>> candidate(const Atoms &atoms, const std::int64_t *wanted, std::size_t n_wanted,
                                             double least, int rounds) {
  const Arrangement cluster = ordered(atoms.n, atoms.types, atoms.positions);
  const bool is_wanted = std::equal(cluster.types.begin(), cluster.types.end(), wanted, wanted + n_wanted);
  if (!is_wanted || !all_finite(cluster.positions)) return std::nullopt;
  return separated(atoms.with(cluster), least, rounds);
}

}  // namespace hea::clusters
