// The part of the Python module where clusters are made: starts and moves.
#include <nanobind/stl/pair.h>
#include <nanobind/stl/tuple.h>
#include <nanobind/stl/vector.h>

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <tuple>

#include "annealing.h"
#include "arrays.h"
#include "cutting.h"
#include "exchanging.h"
#include "growth.h"
#include "rattling.h"
#include "symmetrising.h"

namespace hea::clusters {
namespace {

using namespace nb::literals;
using Groups = std::vector<const PointGroup *>;
using Projections = std::tuple<std::size_t, int, Matrices>;  // size, dimension and elements of a place

void copy_to(std::vector<double> &numbers, const Matrices &matrices) {
  numbers.assign(matrices.data(), matrices.data() + matrices.size());
}

void define_point_group(PointGroup *self, const Matrices &operations, const std::vector<Projections> &places) {
  check_positive(operations.shape(0), "operations in a point group");
  new (self) PointGroup{};
  copy_to(self->operations, operations);
  for (const auto &[size, dimension, projections] : places) {
    check_positive(size, "points in an orbit");
    check_positive(projections.shape(0), "elements of a place");
    self->places.push_back({size, dimension, {}});
    copy_to(self->places.back().projections, projections);
  }
}

// The bonds of so many types, without atoms.
Atoms no_atoms(const Bonds &bonds, std::size_t kinds) {
  if (bonds.shape(0) != kinds || bonds.shape(1) != kinds) {
    throw std::invalid_argument("bonds has the shape (" + std::to_string(bonds.shape(0)) + ", " +
                                std::to_string(bonds.shape(1)) + "), allowed is a square of " + std::to_string(kinds));
  }
  return {0, nullptr, nullptr, kinds, bonds.data()};
}

// Atoms for a move that needs so many, of so many types, one or two.
Atoms enough_atoms(const Types &types, const Positions &positions, const Bonds &bonds, std::size_t least_atoms,
                   std::size_t least_types = 1) {
  const Atoms atoms = atoms_of(types, positions, bonds);
  const auto is_other = [&](std::int64_t type) { return type != atoms.types[0]; };
  const bool has_types = least_types == 1 || std::any_of(atoms.types, atoms.types + atoms.n, is_other);
  if (atoms.n < least_atoms || !has_types) {
    throw std::invalid_argument("got " + std::to_string(atoms.n) + " atoms; this move needs " +
                                std::to_string(least_atoms) + " or more, of " + std::to_string(least_types) +
                                (least_types == 1 ? " type or more" : " types or more"));
  }
  return atoms;
}

// Defines a move of one parent that needs nothing else.
void define_move(nb::module_ &m, const char *name, Arrangement (*move)(Random &, const Atoms &),
                 std::size_t least_atoms, std::size_t least_types = 1) {
  m.def(
      name,
      [=](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds) {
        Random random = random_of(bit_generator);
        return arrays_of(move(random, enough_atoms(types, positions, bonds, least_atoms, least_types)));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a);
}

// Defines a move of one parent that takes away some atoms, as many as it is told, and adds them again.
void define_surface_move(nb::module_ &m, const char *name,
                         Arrangement (*move)(Random &, const Atoms &, std::size_t, const Judging &)) {
  m.def(
      name,
      [=](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
          std::size_t count, const Judging &judging) {
        Random random = random_of(bit_generator);
        return arrays_of(move(random, enough_atoms(types, positions, bonds, 1), count, judging));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "count"_a, "judging"_a);
}

void define_symmetric(nb::module_ &m) {
  nb::class_<PointGroup>(m, "PointGroup", "Operations and places of a point group.")
      .def("__init__", define_point_group, "operations"_a, "places"_a);
  m.def(
      "packed_orbits",
      [](const nb::capsule &bit_generator, const PointGroup &group, std::size_t points, double radius, double bond) {
        Random random = random_of(bit_generator);
        PackedOrbits found = packed_orbits(random, group, drawn_places(random, group, points), radius, bond);
        const std::size_t n = found.positions.size() / 3, orbits = found.sizes.size();
        return std::make_pair(numpy_array(std::move(found.positions), {n, 3}),
                              numpy_array(std::move(found.sizes), {orbits}));
      },
      "bit_generator"_a, "group"_a, "points"_a, "radius"_a, "bond"_a);
  m.def(
      "symmetric_start",
      [](const nb::capsule &bit_generator, const std::vector<std::size_t> &counts, const Bonds &bonds,
         const Groups &groups, const Judging &judging) {
        check_positive(groups.size(), "groups");
        Random random = random_of(bit_generator);
        return arrays_of(symmetric_start(random, groups, counts, no_atoms(bonds, counts.size()), judging));
      },
      "bit_generator"_a, "counts"_a, "bonds"_a, "groups"_a, "judging"_a);
  m.def(
      "symmetrised",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Bonds &bonds,
         std::size_t core, const Groups &groups, const Judging &judging) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        check_positive(groups.size(), "groups");
        if (core == 0 || core > atoms.n) {
          throw std::invalid_argument("core is " + std::to_string(core) + ", allowed are 1 to " +
                                      std::to_string(atoms.n));
        }
        Random random = random_of(bit_generator);
        return arrays_of(symmetrised(random, groups, atoms, core, judging));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "bonds"_a, "core"_a, "groups"_a, "judging"_a);
}

}  // namespace

void define_moves(nb::module_ &m) {
  nb::class_<Judging>(m, "Judging", "How places are judged.")
      .def(nb::init<double, double, double>(), "contact"_a, "least"_a, "blur"_a);
  define_move(m, "twisted", twisted, 1);
  define_move(m, "mirrored", mirrored, 2);
  define_move(m, "rattled", rattled, 1);
  define_move(m, "exchanged", exchanged, 2, 2);
  define_move(m, "with_exchanged_shells", with_exchanged_shells, 2, 2);
  define_surface_move(m, "resurfaced", resurfaced);
  define_surface_move(m, "with_moved_atoms", with_moved_atoms);
  define_symmetric(m);
  m.def(
      "spliced",
      [](const nb::capsule &bit_generator, const Types &types, const Positions &positions, const Types &other_types,
         const Positions &other_positions, const Bonds &bonds) {
        const Atoms one = enough_atoms(types, positions, bonds, 2),
                    other = atoms_of(other_types, other_positions, bonds);
        if (one.n != other.n) {
          throw std::invalid_argument("parents of " + std::to_string(one.n) + " and " + std::to_string(other.n) +
                                      " atoms; both must have the same");
        }
        Random random = random_of(bit_generator);
        return arrays_of(spliced(random, one, other));
      },
      "bit_generator"_a, "types"_a, "positions"_a, "other_types"_a, "other_positions"_a, "bonds"_a);
  m.def(
      "random_packing",
      [](const nb::capsule &bit_generator, const Types &types, const Bonds &bonds, double least) {
        const Atoms none = no_atoms(bonds, bonds.shape(0));
        for (std::size_t i = 0; i < types.shape(0); ++i) check_kind(types.data()[i], none.kinds);
        Random random = random_of(bit_generator);
        return arrays_of(random_packing(random, {types.data(), types.data() + types.shape(0)}, none, least));
      },
      "bit_generator"_a, "types"_a, "bonds"_a, "least"_a);
  nb::class_<Lattice>(m, "Lattice", "Where the atoms of a cluster may be: where they are, and its vacant sites.")
      .def(
          "__init__",
          [](Lattice *self, const Types &types, const Positions &positions, const Bonds &bonds, std::int64_t kind,
             const Judging &judging) {
            const Atoms atoms = atoms_of(types, positions, bonds);
            check_kind(kind, atoms.kinds);
            new (self) Lattice(atoms, static_cast<std::size_t>(kind), judging);
          },
          "types"_a, "positions"_a, "bonds"_a, "kind"_a, "judging"_a)
      .def(
          "annealed",
          [](const Lattice &self, const nb::capsule &bit_generator, std::size_t moves, double hot, double cold) {
            if (!(cold > 0.0 && hot >= cold && std::isfinite(hot))) {
              throw std::invalid_argument("temperatures from " + std::to_string(hot) + " to " + std::to_string(cold) +
                                          "; allowed are positive ones that do not rise");
            }
            Random random = random_of(bit_generator);
            return arrays_of(self.annealed(random, {moves, hot, cold}));
          },
          "bit_generator"_a, "moves"_a, "hot"_a, "cold"_a);
}

}  // namespace hea::clusters
