#include "arrays.h"

#include <algorithm>
#include <stdexcept>

namespace hea::clusters {

void check_rows(const Types &types, const Positions &positions) {
  if (positions.shape(0) != types.shape(0)) {
    throw std::invalid_argument("positions has " + std::to_string(positions.shape(0)) + " rows, allowed are " +
                                std::to_string(types.shape(0)) + ", as many as types");
  }
}

Atoms atoms_of(const Types &types, const Positions &positions, const Bonds &bonds) {
  const std::size_t n = types.shape(0), kinds = bonds.shape(0);
  check_rows(types, positions);
  if (bonds.shape(1) != kinds) {
    throw std::invalid_argument("bonds has the shape (" + std::to_string(kinds) + ", " +
                                std::to_string(bonds.shape(1)) + "), allowed are squares");
  }
  const auto wrong = std::find_if(types.data(), types.data() + n, [&](std::int64_t type) {
    return type < 0 || type >= static_cast<std::int64_t>(kinds);
  });
  if (wrong != types.data() + n) {
    throw std::invalid_argument("types holds " + std::to_string(*wrong) + ", allowed are 0 to " +
                                std::to_string(static_cast<std::int64_t>(kinds) - 1));
  }
  return {n, types.data(), positions.data(), kinds, bonds.data()};
}

void check_kind(std::int64_t kind, std::size_t kinds) {
  if (kind < 0 || kind >= static_cast<std::int64_t>(kinds)) {
    throw std::invalid_argument("kind is " + std::to_string(kind) + ", allowed are 0 to " +
                                std::to_string(static_cast<std::int64_t>(kinds) - 1));
  }
}

void check_positive(std::size_t number, const char *what) {
  if (number == 0) throw std::invalid_argument(std::string("there are 0 ") + what + "; allowed are 1 or more");
}

}  // namespace hea::clusters
