#include "fingerprint.h"

#include <algorithm>
#include <cstring>

#include "lanes.h"

namespace hea::clusters {
namespace {

constexpr double smearing[] = {0.054, 0.242, 0.399, 0.242, 0.054};
constexpr std::size_t half_width = 2;

// Row of the unordered pair of two types.
std::size_t row_of(std::size_t a, std::size_t b, std::size_t kinds) {
  const std::size_t low = std::min(a, b), high = std::max(a, b);
  return low * (2 * kinds - low + 1) / 2 + (high - low);
}

std::vector<double> histogram(const Atoms &atoms, const Grid &grid) {
  const std::size_t size = fingerprint_size(atoms.kinds, grid);
  // Two of them, to which pairs are added in turn: many are of the same length, and each would wait for the one before.
  std::vector<double> result(size, 0.0), other(size, 0.0), places(atoms.n);
  double *const turns[2] = {result.data(), other.data()};
  std::vector<std::size_t> rows(atoms.kinds);  // where those of each type with the type of atom i begin
  const double inverse_step = 1.0 / (atoms.mean_bond() * grid.spacing);
  const double end = static_cast<double>(grid.points) - 3.0;  // so that what is smeared stays in its row
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (std::size_t kind = 0; kind < atoms.kinds; ++kind) {
      rows[kind] = row_of(atoms.type(i), kind, atoms.kinds) * grid.points;
    }
    for (std::size_t j = i + 1; j < atoms.n; ++j) {
      places[j] = std::sqrt(squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j)) * inverse_step;
    }
    for (std::size_t j = i + 1; j < atoms.n; ++j) {
      const double place = places[j];
      if (!(place < end)) continue;
      // Each distance is shared by the two grid points beside it, so that the histogram changes continuously with the
      // positions.
      const auto cell = static_cast<std::ptrdiff_t>(place);  // signed: quicker to come by
      const double upper = place - static_cast<double>(cell);
      double *at = turns[j % 2] + rows[atoms.type(j)] + cell;
      at[0] += 1.0 - upper;
      at[1] += upper;
    }
  }
  for (std::size_t k = 0; k < size; ++k) result[k] += other[k];
  return result;
}

// Counts smeared within rows of so many points.
std::vector<double> smeared(const std::vector<double> &counts, std::size_t points) {
  std::vector<double> around(points + 2 * half_width, 0.0), result(counts.size(), 0.0);
  for (std::size_t row = 0; row < counts.size(); row += points) {
    std::copy_n(&counts[row], points, &around[half_width]);
    for (std::size_t k = 0; k < points; ++k) {
      for (std::size_t step = 0; step <= 2 * half_width; ++step) {
        result[row + k] += smearing[2 * half_width - step] * around[k + step];
      }
    }
  }
  return result;
}

// Values divided by the root of the sum of their squares; zero if they are.
std::vector<float> normalised(const std::vector<double> &values) {
  double square = 0.0;
  for (const double value : values) square += value * value;
  const double factor = square > 0.0 ? 1.0 / std::sqrt(square) : 0.0;
  std::vector<float> result(values.size());
  std::transform(values.begin(), values.end(), result.begin(),
                 [&](double x) { return static_cast<float>(factor * x); });
  return result;
}

}  // namespace

std::vector<float> fingerprint(const Atoms &atoms, const Grid &grid) {
  return normalised(smeared(histogram(atoms, grid), grid.points));
}

std::vector<float> without_types(const std::vector<float> &fingerprint, std::size_t points) {
  std::vector<double> sums(points, 0.0);
  for (std::size_t k = 0; k < fingerprint.size(); ++k) sums[k % points] += static_cast<double>(fingerprint[k]);
  return normalised(sums);
}

double similarity(const std::vector<float> &one, const std::vector<float> &other) {
  // Several sums instead of one, so that they are taken together.
  constexpr std::size_t sums = 4, step = lanes * sums;
  Lanes products[sums] = {};
  const std::size_t size = one.size(), whole = size - size % step;
  for (std::size_t begin = 0; begin < whole; begin += step) {
    Lanes a[sums], b[sums];
    std::memcpy(a, &one[begin], sizeof a);
    std::memcpy(b, &other[begin], sizeof b);
    for (std::size_t k = 0; k < sums; ++k) products[k] += a[k] * b[k];
  }
  double product = 0.0;
  for (const Lanes &part : products) {
    for (std::size_t lane = 0; lane < lanes; ++lane) product += static_cast<double>(part[lane]);
  }
  for (std::size_t k = whole; k < size; ++k) product += static_cast<double>(one[k]) * static_cast<double>(other[k]);
  const auto is_zero = [](const std::vector<float> &values) {
    return std::all_of(values.begin(), values.end(), [](float value) { return value == 0.0F; });
  };
  return product == 0.0 && is_zero(one) && is_zero(other) ? 1.0 : product;
}

}  // namespace hea::clusters
