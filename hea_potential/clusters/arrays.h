// Between numpy's arrays and those of this library.
#pragma once

#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>

#include <string>
#include <utility>
#include <vector>

#include "atoms.h"
#include "random.h"

namespace hea::clusters {

namespace nb = nanobind;

template<typename T, int... shape>
using Given = nb::ndarray<const T, nb::shape<shape...>, nb::c_contig, nb::device::cpu>;
using Types = Given<std::int64_t, -1>;
using Positions = Given<double, -1, 3>;
using Bonds = Given<double, -1, -1>;
using Matrices = Given<double, -1, 3, 3>;

// A new numpy array that owns its numbers.
template<typename T>
nb::ndarray<nb::numpy, T> numpy_array(std::vector<T> values, std::initializer_list<std::size_t> shape) {
  auto *kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void *p) noexcept { delete static_cast<std::vector<T> *>(p); });
  return nb::ndarray<nb::numpy, T>(kept->data(), shape, owner);
}

// Types and positions.
inline auto arrays_of(Arrangement cluster) {
  const std::size_t n = cluster.types.size();
  return std::make_pair(numpy_array(std::move(cluster.types), {n}), numpy_array(std::move(cluster.positions), {n, 3}));
}

// These throw std::invalid_argument unless the arrays fit together, a type is one of so many kinds, and numbers that
// cannot be 0 are not.
void check_rows(const Types &types, const Positions &positions);
Atoms atoms_of(const Types &types, const Positions &positions, const Bonds &bonds);
void check_kind(std::int64_t kind, std::size_t kinds);
void check_positive(std::size_t number, const char *what);

// Random numbers from the capsule that numpy's bit generators have for compiled code.
inline Random random_of(const nb::capsule &bit_generator) {
  return Random(
      *static_cast<const BitGenerator *>(bit_generator.data("BitGenerator")));  // not copied: returned in place
}

// Adds to the module fingerprints, what makes clusters, walks over orderings, and random bits.
void define_fingerprints(nb::module_ &m);
void define_moves(nb::module_ &m);
void define_orderings(nb::module_ &m);
void define_stream(nb::module_ &m);

}  // namespace hea::clusters
