// Sizes of arrays from the ints that count atoms, rows and columns, without overflow.
#pragma once

#include <cstddef>

namespace hea {

inline std::size_t index(int i) {
  return static_cast<std::size_t>(i);
}

// Where a row begins in a row-major array.
inline std::size_t offset(int row, int width) {
  return index(row) * index(width);
}

}  // namespace hea
