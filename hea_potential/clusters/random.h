// Random numbers drawn from numpy's bit generators, so that compiled code continues the stream of its caller.
#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>

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

  // A number in [0, 1).
  double uniform() { return source_.next_double(source_.state); }

  // A number in [low, high).
  double uniform(double low, double high) { return low + (high - low) * uniform(); }

  // A whole number below n, which is not 0 and far below 2^53.
  std::size_t below(std::size_t n) { return static_cast<std::size_t>(uniform() * static_cast<double>(n)); }

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
};

}  // namespace hea::clusters
