// Random numbers drawn from numpy's bit generators, so that compiled code continues the stream of its caller.
#pragma once

#include <cmath>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "vector3.h"

namespace hea::clusters {

// What a numpy bit generator offers to compiled code, in the layout of `bitgen_t` of numpy/random/bitgen.h.
struct BitGenerator {
  void *state;
  std::uint64_t (*next_uint64)(void *state);
  std::uint32_t (*next_uint32)(void *state);
  double (*next_double)(void *state);  // in [0, 1)
  std::uint64_t (*next_raw)(void *state);
};

class Random {
 public:
  explicit Random(const BitGenerator &source) : source_(source) {}
  Random(const Random &) = delete;  // two would give the same numbers
  Random &operator=(const Random &) = delete;

  // A number in [0, 1).
  double uniform() { return source_.next_double(source_.state); }

  // A number in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  // A whole number below n, which is not 0 and far below 2^53.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }

  // A whole number below n, which is not 0, all of them with the same chance (Lemire, ACM Trans. Model. Comput. Simul.
  // 29, 3 (2019)): the one that `Generator.integers` of numpy would draw.
  std::uint32_t whole_below(std::uint32_t n) {
    while (true) {
      const std::uint64_t product = std::uint64_t{source_.next_uint32(source_.state)} * n;
      const auto low = static_cast<std::uint32_t>(product);
      if (low >= n || low >= (0U - n) % n) return static_cast<std::uint32_t>(product >> 32);
    }
  }

  // A number of the normal distribution of width 1, by the polar method (Marsaglia and Bray, SIAM Review 6, 260
  // (1964)). It gives two numbers at a time: the second one is kept for the next call.
  double normal() {
    if (has_second_) {
      has_second_ = false;
      return second_;
    }
    while (true) {
      const double x = uniform(-1.0, 1.0), y = uniform(-1.0, 1.0), square = x * x + y * y;
      if (square >= 1.0 || square == 0.0) continue;
      const double factor = std::sqrt(-2.0 * std::log(square) / square);
      second_ = factor * y;
      has_second_ = true;
      return factor * x;
    }
  }

  // A number of the gamma distribution of a shape of at least 1 (Marsaglia and Tsang, ACM Trans. Math. Softw. 26, 363
  // (2000)).
  double gamma(double shape) {
    const double d = shape - 1.0 / 3.0, c = 1.0 / std::sqrt(9.0 * d);
    while (true) {
      const double x = normal(), root = 1.0 + c * x, v = root * root * root;
      if (v <= 0.0) continue;
      const double u = 1.0 - uniform();
      if (u < 1.0 - 0.0331 * (x * x) * (x * x)) return d * v;  // nearly always, and quickly seen
      if (std::log(u) < 0.5 * x * x + d - d * v + d * std::log(v)) return d * v;
    }
  }

  // A number of the beta distribution of shapes of at least 1.
  double beta(double a, double b) {
    const double x = gamma(a), y = gamma(b);
    return x / (x + y);
  }

  // The place of one of some weights, with a chance in proportion to it; not all of them are 0.
  std::size_t one_of(const std::vector<double> &weights) {
    double total = 0.0;
    for (const double weight : weights) total += weight;
    double left = uniform(0.0, total);
    std::size_t place = 0, last = 0;
    for (; place < weights.size(); ++place) {
      if (weights[place] > 0.0) last = place;
      left -= weights[place];
      if (left < 0.0) return place;
    }
    return last;  // where rounding has left a little
  }

  // A point in a ball of radius 1.
  Vector3 in_ball() {
    while (true) {
      const double x = uniform(-1.0, 1.0), y = uniform(-1.0, 1.0), z = uniform(-1.0, 1.0);
      const Vector3 point{x, y, z};
      if (dot(point, point) < 1.0) return point;
    }
  }

  // Brings items into random order (Fisher and Yates).
  template<typename Items>
  void shuffle(Items &items) {
    for (std::size_t left = items.size(); left > 1; --left) std::swap(items[left - 1], items[below(left)]);
  }

 private:
  BitGenerator source_;
  double second_ = 0.0;
  bool has_second_ = false;
};

}  // namespace hea::clusters
