// The Python module hea_potential.clusters._clusters: converts arrays, computes nothing.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <stdexcept>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "annealing.h"
#include "common_neighbours.h"
#include "completion.h"
#include "fingerprint.h"
#include "geometry.h"
#include "growth.h"
#include "orbits.h"
#include "point_group.h"
#include "symmetric_packing.h"

namespace nb = nanobind;
using namespace nb::literals;
using hea::clusters::Atoms;
using hea::clusters::Random;

namespace {

template<typename T, int... shape>
using Given = nb::ndarray<const T, nb::shape<shape...>, nb::c_contig, nb::device::cpu>;
using Types = Given<std::int64_t, -1>;
using Positions = Given<double, -1, 3>;
using Bonds = Given<double, -1, -1>;
using Fingerprint = Given<float, -1>;
using Operations = Given<double, -1, 3, 3>;

// A new numpy array that owns its numbers.
template<typename T>
nb::ndarray<nb::numpy, T> numpy_array(std::vector<T> values, std::initializer_list<std::size_t> shape) {
  auto *kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void *p) noexcept { delete static_cast<std::vector<T> *>(p); });
  return nb::ndarray<nb::numpy, T>(kept->data(), shape, owner);
}

void check_rows(const Types &types, const Positions &positions) {
  if (positions.shape(0) != types.shape(0)) {
    throw std::invalid_argument("positions has " + std::to_string(positions.shape(0)) + " rows, allowed are " +
                                std::to_string(types.shape(0)) + ", as many as types");
  }
}

// Throws std::invalid_argument unless the arrays fit together.
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

// Throws std::invalid_argument unless a type is one of so many kinds.
void check_kind(std::int64_t kind, std::size_t kinds) {
  if (kind < 0 || kind >= static_cast<std::int64_t>(kinds)) {
    throw std::invalid_argument("kind is " + std::to_string(kind) + ", allowed are 0 to " +
                                std::to_string(static_cast<std::int64_t>(kinds) - 1));
  }
}

bool all_finite(const double *values, std::size_t count) {
  return std::all_of(values, values + count, [](double x) { return std::isfinite(x); });
}

void check_operations(const Operations &operations) {
  if (operations.shape(0) == 0) throw std::invalid_argument("a point group of 0 operations; allowed are 1 or more");
}

// Types and positions.
auto arrays_of(hea::clusters::Grown cluster) {
  const std::size_t n = cluster.types.size();
  return std::make_pair(numpy_array(std::move(cluster.types), {n}), numpy_array(std::move(cluster.positions), {n, 3}));
}

// Random numbers from the capsule that numpy's bit generators have for compiled code.
Random random_of(const nb::capsule &bit_generator) {
  return Random(*static_cast<const hea::clusters::BitGenerator *>(bit_generator.data("BitGenerator")));
}

}  // namespace

NB_MODULE(_clusters, m) {
  m.doc() = "Geometry of clusters: distances, contacts, fingerprints.";

  m.def(
      "ordered",
      [](const Types &types, const Positions &positions) {
        check_rows(types, positions);
        const std::size_t n = types.shape(0);
        hea::clusters::Ordered result = hea::clusters::ordered(n, types.data(), positions.data());
        return std::make_pair(numpy_array(std::move(result.types), {n}),
                              numpy_array(std::move(result.positions), {n, 3}));
      },
      "types"_a, "positions"_a);
  m.def(
      "turned",
      [](const Positions &positions, const Given<double, 4> &quaternion) {
        const std::size_t n = positions.shape(0);
        return numpy_array(hea::clusters::turned(n, positions.data(), quaternion.data()), {n, 3});
      },
      "positions"_a, "quaternion"_a);
  m.def(
      "reduced_distances",
      [](const Types &types, const Positions &positions, const Bonds &bonds) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        return numpy_array(hea::clusters::reduced_distances(atoms), {atoms.n, atoms.n});
      },
      "types"_a, "positions"_a, "bonds"_a);
  m.def(
      "coordination",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double reach) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        return numpy_array(hea::clusters::coordination(atoms, reach), {atoms.n});
      },
      "types"_a, "positions"_a, "bonds"_a, "reach"_a);
  m.def(
      "is_connected",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double reach) {
        return hea::clusters::is_connected(atoms_of(types, positions, bonds), reach);
      },
      "types"_a, "positions"_a, "bonds"_a, "reach"_a);
  m.def(
      "separated",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double least, int rounds) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        return numpy_array(hea::clusters::separated(atoms, least, rounds), {atoms.n, 3});
      },
      "types"_a, "positions"_a, "bonds"_a, "least"_a, "rounds"_a);
  m.def(
      "candidate",
      [](const Types &types, const Positions &positions, const Types &wanted, const Bonds &bonds, double least,
         int rounds) -> std::optional<nb::ndarray<nb::numpy, double>> {
        const Atoms atoms = atoms_of(types, positions, bonds);
        const hea::clusters::Ordered cluster = hea::clusters::ordered(atoms.n, types.data(), positions.data());
        const bool is_wanted =
            std::equal(cluster.types.begin(), cluster.types.end(), wanted.data(), wanted.data() + wanted.shape(0));
        if (!is_wanted || !all_finite(cluster.positions.data(), 3 * atoms.n)) return std::nullopt;
        const Atoms centred{atoms.n, cluster.types.data(), cluster.positions.data(), atoms.kinds, atoms.bonds};
        return numpy_array(hea::clusters::separated(centred, least, rounds), {atoms.n, 3});
      },
      "types"_a, "positions"_a, "wanted"_a, "bonds"_a, "least"_a, "rounds"_a);
  m.def(
      "vacant_sites",
      [](const Types &types, const Positions &positions, const Bonds &bonds, std::int64_t kind, double contact,
         double least) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        check_kind(kind, atoms.kinds);
        hea::clusters::Sites sites = hea::clusters::vacant_sites(atoms, static_cast<std::size_t>(kind), contact, least);
        const std::size_t count = sites.contacts.size();
        return std::make_pair(numpy_array(std::move(sites.positions), {count, 3}),
                              numpy_array(std::move(sites.contacts), {count}));
      },
      "types"_a, "positions"_a, "bonds"_a, "kind"_a, "contact"_a, "least"_a);
  m.def(
      "fingerprint",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double spacing, std::size_t points) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        std::vector<float> values = hea::clusters::fingerprint(atoms, {spacing, points});
        const std::size_t size = values.size();
        return numpy_array(std::move(values), {size});
      },
      "types"_a, "positions"_a, "bonds"_a, "spacing"_a, "points"_a);
  m.def(
      "similarities",
      [](const Fingerprint &one, const nb::list &others) {
        std::vector<double> result;
        result.reserve(others.size());
        for (const nb::handle other : others) {
          const auto values = nb::cast<Fingerprint>(other);
          if (values.size() != one.size()) {
            throw std::invalid_argument("a fingerprint has " + std::to_string(values.size()) + " values, allowed are " +
                                        std::to_string(one.size()));
          }
          result.push_back(hea::clusters::similarity(one.data(), values.data(), one.size()));
        }
        const std::size_t size = result.size();
        return numpy_array(std::move(result), {size});
      },
      "one"_a, "others"_a);
  m.def(
      "grown",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
         const Types &added, double contact, double least, double blur) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        for (std::size_t i = 0; i < added.shape(0); ++i) check_kind(added.data()[i], atoms.kinds);
        Random random = random_of(bit_generator);
        return arrays_of(
            hea::clusters::grown(random, atoms, {added.data(), added.data() + added.shape(0)}, {contact, least, blur}));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "added"_a, "contact"_a, "least"_a, "blur"_a);
  m.def(
      "resurfaced",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
         std::size_t count, double contact, double least, double blur) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        Random random = random_of(bit_generator);
        return arrays_of(hea::clusters::resurfaced(random, atoms, count, {contact, least, blur}));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "count"_a, "contact"_a, "least"_a, "blur"_a);
  m.def(
      "with_moved_atoms",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
         std::size_t times, double contact, double least, double blur) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        if (atoms.n == 0) throw std::invalid_argument("a cluster of 0 atoms has none to move");
        Random random = random_of(bit_generator);
        return arrays_of(hea::clusters::with_moved_atoms(random, atoms, times, {contact, least, blur}));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "times"_a, "contact"_a, "least"_a, "blur"_a);
  m.def(
      "annealed",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
         std::size_t moves, double hot, double cold, double contact, double least) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        if (!(cold > 0.0 && hot >= cold && std::isfinite(hot))) {
          throw std::invalid_argument("temperatures from " + std::to_string(hot) + " to " + std::to_string(cold) +
                                      "; allowed are positive ones that do not rise");
        }
        Random random = random_of(bit_generator);
        return arrays_of(hea::clusters::annealed(random, atoms, {moves, hot, cold}, {contact, least, 0.0}));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "moves"_a, "hot"_a, "cold"_a, "contact"_a, "least"_a);
  m.def(
      "orbit",
      [](const Given<double, 3> &point, const Operations &operations, double merging) {
        std::vector<double> images =
            hea::clusters::orbit(point.data(), operations.shape(0), operations.data(), merging);
        const std::size_t count = images.size() / 3;
        return numpy_array(std::move(images), {count, 3});
      },
      "point"_a, "operations"_a, "merging"_a);
  m.def(
      "packed_orbits",
      [](const nb::capsule &bit_generator, const Operations &operations, const Operations &projections, double radius,
         double bond) {
        check_operations(operations);
        Random random = random_of(bit_generator);
        hea::clusters::PackedOrbits result = hea::clusters::packed_orbits(
            random, {operations.shape(0), operations.data()}, {projections.shape(0), projections.data()}, radius, bond);
        const std::size_t points = result.positions.size() / 3, orbits = result.sizes.size();
        return std::make_pair(numpy_array(std::move(result.positions), {points, 3}),
                              numpy_array(std::move(result.sizes), {orbits}));
      },
      "bit_generator"_a, "operations"_a, "projections"_a, "radius"_a, "bond"_a);
  m.def(
      "completed",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
         const Operations &operations, std::size_t core, double overlap) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        check_operations(operations);
        if (core == 0 || core > atoms.n) {
          throw std::invalid_argument("core is " + std::to_string(core) + ", allowed are 1 to " +
                                      std::to_string(atoms.n));
        }
        Random random = random_of(bit_generator);
        hea::clusters::Completed result =
            hea::clusters::completed(random, atoms, operations.shape(0), operations.data(), core, overlap);
        const std::size_t n = result.types.size(), others = result.others.size();
        return std::make_tuple(numpy_array(std::move(result.types), {n}),
                               numpy_array(std::move(result.positions), {n, 3}),
                               numpy_array(std::move(result.others), {others}));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "operations"_a, "core"_a, "overlap"_a);
  nb::class_<hea::clusters::Structure>(m, "Structure", "What surrounds the atoms of a cluster.")
      .def_ro("counts", &hea::clusters::Structure::counts)
      .def_ro("stacked_hcp", &hea::clusters::Structure::stacked_hcp)
      .def_ro("fivefold_axes", &hea::clusters::Structure::fivefold_axes)
      .def_ro("axes_meet", &hea::clusters::Structure::axes_meet)
      .def_prop_ro("surroundings", [](const hea::clusters::Structure &self) {
        std::vector<std::int64_t> values;
        for (const hea::clusters::Surroundings kind : self.surroundings)
          values.push_back(static_cast<std::int64_t>(kind));
        const std::size_t size = values.size();
        return numpy_array(std::move(values), {size});
      });
  m.def(
      "structure_of",
      [](const Types &types, const Positions &positions, const Bonds &bonds) {
        return hea::clusters::structure_of(atoms_of(types, positions, bonds));
      },
      "types"_a, "positions"_a, "bonds"_a);
  m.def(
      "point_group",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double tolerance) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        if (atoms.n == 0) throw std::invalid_argument("a cluster of 0 atoms has no point group");
        if (!all_finite(positions.data(), 3 * atoms.n)) {
          throw std::invalid_argument("positions are not finite");
        }
        return hea::clusters::point_group(atoms, tolerance);
      },
      "types"_a, "positions"_a, "bonds"_a, "tolerance"_a);
}
