// Four numbers that are calculated with at once, on every processor that has vectors of 16 bytes, the same on all.
#pragma once

#include <cstddef>

namespace hea::clusters {

using Lanes = float __attribute__((vector_size(16)));
using Flags = int __attribute__((vector_size(16)));  // -1 where a comparison holds, 0 elsewhere

constexpr std::size_t lanes = 4;

}  // namespace hea::clusters
