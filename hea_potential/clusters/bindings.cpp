// The Python module hea_potential.clusters._clusters: converts arrays, computes nothing. Here is what clusters are
// asked.
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

#include "arrays.h"
#include "common_neighbours.h"
#include "geometry.h"
#include "half_edges.h"
#include "orbits.h"
#include "point_group.h"

namespace nb = nanobind;
using namespace nb::literals;
using namespace hea::clusters;

NB_MODULE(_clusters, m) {
  m.doc() = "Geometry of clusters: distances, contacts, fingerprints.";

  m.def(
      "ordered",
      [](const Types &types, const Positions &positions) {
        check_rows(types, positions);
        return arrays_of(ordered(types.shape(0), types.data(), positions.data()));
      },
      "types"_a, "positions"_a);
  m.def(
      "reduced_distances",
      [](const Types &types, const Positions &positions, const Bonds &bonds) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        return numpy_array(reduced_distances(atoms), {atoms.n, atoms.n});
      },
      "types"_a, "positions"_a, "bonds"_a);
  m.def(
      "coordination",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double reach) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        return numpy_array(coordination(atoms, reach), {atoms.n});
      },
      "types"_a, "positions"_a, "bonds"_a, "reach"_a);
  m.def(
      "is_connected",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double reach) {
        return is_connected(atoms_of(types, positions, bonds), reach);
      },
      "types"_a, "positions"_a, "bonds"_a, "reach"_a);
  m.def(
      "half_edges",
      [](const Positions &positions, double cutoff) {
        HalfEdges edges = half_edges({positions.data(), positions.data() + positions.size()}, cutoff);
        const std::size_t n = edges.neighbour.size();
        return std::make_tuple(numpy_array(std::move(edges.first), {positions.shape(0) + 1}),
                               numpy_array(std::move(edges.neighbour), {n}),
                               numpy_array(std::move(edges.vectors), {n, 3}));
      },
      "positions"_a, "cutoff"_a);
  m.def(
      "separated",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double least, int rounds) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        return numpy_array(separated(atoms, least, rounds), {atoms.n, 3});
      },
      "types"_a, "positions"_a, "bonds"_a, "least"_a, "rounds"_a = usual_rounds);
  m.def(
      "candidate",
      [](const Types &types, const Positions &positions, const Types &wanted, const Bonds &bonds, double least,
         int rounds) -> std::optional<nb::ndarray<nb::numpy, double>> {
        const Atoms atoms = atoms_of(types, positions, bonds);
        std::optional<std::vector<double>> places = candidate(atoms, wanted.data(), wanted.shape(0), least, rounds);
        if (!places) return std::nullopt;
        return numpy_array(std::move(*places), {atoms.n, 3});
      },
      "types"_a, "positions"_a, "wanted"_a, "bonds"_a, "least"_a, "rounds"_a = usual_rounds);
  m.def(
      "vacant_sites",
      [](const Types &types, const Positions &positions, const Bonds &bonds, std::int64_t kind, double contact,
         double least) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        check_kind(kind, atoms.kinds);
        Sites sites = vacant_sites(atoms, static_cast<std::size_t>(kind), contact, least);
        const std::size_t count = sites.contacts.size();
        return std::make_pair(numpy_array(std::move(sites.positions), {count, 3}),
                              numpy_array(std::move(sites.contacts), {count}));
      },
      "types"_a, "positions"_a, "bonds"_a, "kind"_a, "contact"_a, "least"_a);
  define_fingerprints(m);
  m.def(
      "orbit",
      [](const Given<double, 3> &point, const Matrices &operations, double merging) {
        std::vector<double> images = orbit(point.data(), operations.shape(0), operations.data(), merging);
        const std::size_t count = images.size() / 3;
        return numpy_array(std::move(images), {count, 3});
      },
      "point"_a, "operations"_a, "merging"_a);
  nb::class_<Structure>(m, "Structure", "What surrounds the atoms of a cluster.")
      .def_ro("counts", &Structure::counts)
      .def_ro("stacked_hcp", &Structure::stacked_hcp)
      .def_ro("fivefold_axes", &Structure::fivefold_axes)
      .def_ro("axes_meet", &Structure::axes_meet);
  m.def(
      "structure_of",
      [](const Types &types, const Positions &positions, const Bonds &bonds) {
        return structure_of(atoms_of(types, positions, bonds));
      },
      "types"_a, "positions"_a, "bonds"_a);
  m.def(
      "point_group",
      [](const Types &types, const Positions &positions, const Bonds &bonds, double tolerance) {
        const Atoms atoms = atoms_of(types, positions, bonds);
        if (atoms.n == 0) throw std::invalid_argument("a cluster of 0 atoms has no point group");
        if (!std::all_of(positions.data(), positions.data() + 3 * atoms.n, [](double x) { return std::isfinite(x); })) {
          throw std::invalid_argument("positions are not finite");
        }
        return point_group(atoms, tolerance);
      },
      "types"_a, "positions"_a, "bonds"_a, "tolerance"_a);
  define_moves(m);
  define_orderings(m);
  define_stream(m);
}
