// The part of the Python module that tells clusters apart.
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <cstring>
#include <stdexcept>
#include <tuple>

#include "arrays.h"
#include "fingerprint.h"
#include "geometry.h"

namespace hea::clusters {
namespace {

using namespace nb::literals;

// Kept in this form, because to look into a numpy array takes longer than to compare two fingerprints.
struct Fingerprint {
  std::vector<float> values;
  std::size_t points;  // of each pair of types
};

Fingerprint fingerprint_of(const Atoms &atoms, double spacing, std::size_t points) {
  return {fingerprint(atoms, {spacing, points}), points};
}

// It is itself if there is one type.
nb::object geometry_of(const nb::object &self) {
  const auto &[values, points] = nb::cast<const Fingerprint &>(self);
  return values.size() == points ? self : nb::cast(Fingerprint{without_types(values, points), points});
}

std::vector<double> similarities(const Fingerprint &one, const std::vector<const Fingerprint *> &others) {
  std::vector<double> result;
  result.reserve(others.size());
  for (const Fingerprint *other : others) {
    if (other->values.size() != one.values.size()) {
      throw std::invalid_argument("a fingerprint has " + std::to_string(other->values.size()) +
                                  " values, allowed are " + std::to_string(one.values.size()));
    }
    result.push_back(similarity(one.values, other->values));
  }
  return result;
}

using State = std::tuple<nb::bytes, std::size_t>;

void restore(Fingerprint &self, const State &state) {
  const auto &[bytes, points] = state;
  std::vector<float> values(bytes.size() / sizeof(float));
  std::memcpy(values.data(), bytes.c_str(), values.size() * sizeof(float));
  new (&self) Fingerprint{std::move(values), points};
}

}  // namespace

void define_fingerprints(nb::module_ &m) {
  nb::class_<Fingerprint>(m, "Fingerprint", "Distances of the atoms of a cluster by pairs of types.")
      .def_prop_ro(
          "values", [](const Fingerprint &self) { return numpy_array(self.values, {self.values.size()}); },
          nb::rv_policy::automatic)
      .def("without_types", geometry_of)
      .def("__getstate__",
           [](const Fingerprint &self) {
             return State(nb::bytes(self.values.data(), self.values.size() * sizeof(float)), self.points);
           })
      .def("__setstate__", restore);
  m.def(
      "fingerprint",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double spacing, std::size_t points) {
        return fingerprint_of(atoms_of(types, positions, bonds), spacing, points);
      },
      "types"_a, "positions"_a, "bonds"_a, "spacing"_a, "points"_a);
  m.def(
      "centred_with_fingerprint",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double spacing, std::size_t points) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        Fingerprint found = fingerprint_of(atoms, spacing, points);
        return std::make_tuple(numpy_array(centred(atoms.n, positions.data()), {atoms.n, 3}), std::move(found));
      },
      "types"_a, "positions"_a, "bonds"_a, "spacing"_a, "points"_a);
  m.def("similarities", similarities, "one"_a, "others"_a);
}

}  // namespace hea::clusters
