// Four numbers that are calculated with at once, on every processor that has vectors of 16 bytes, the same on all.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace hea::clusters {

using Lanes = float __attribute__((vector_size(16)));
using Flags = int __attribute__((vector_size(16)));  // -1 where a comparison holds, 0 elsewhere

constexpr std::size_t lanes = 4;

// Four numbers that follow each other in memory.
inline Lanes lanes_at(const float *numbers) {
  Lanes result;
  std::memcpy(&result, numbers, sizeof result);
  return result;
}

// Whether any of the flags is raised.
inline bool any(const Flags &flags) {
  std::int64_t halves[2];
  std::memcpy(halves, &flags, sizeof halves);
  return (halves[0] | halves[1]) != 0;
}

}  // namespace hea::clusters
