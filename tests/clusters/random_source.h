// A bit generator for the tests, in the shape of numpy's.
#pragma once

#include <random>

#include "random.h"

inline hea::clusters::Random random_of(std::mt19937_64 &engine) {
  const auto next = [](void *state) { return std::uint64_t{(*static_cast<std::mt19937_64 *>(state))()}; };
  const auto next32 = [](void *state) {
    return static_cast<std::uint32_t>((*static_cast<std::mt19937_64 *>(state))() >> 32);
  };
  const auto next_double = [](void *state) {
    return static_cast<double>((*static_cast<std::mt19937_64 *>(state))() >> 11) * 0x1p-53;
  };
  return hea::clusters::Random({&engine, next, next32, next_double, next});
}
