// The Python module hea_potential.engine._engine: converts arrays, computes nothing.
#include <nanobind/nanobind.h>
#include <nanobind/ndarray.h>
#include <nanobind/stl/optional.h>
#include <nanobind/stl/pair.h>
#include <nanobind/stl/string.h>
#include <nanobind/stl/vector.h>

#include <map>
#include <optional>

#include "exchange_scan.h"
#include "owner_exchange.h"
#include "potential.h"

namespace nb = nanobind;
using namespace nb::literals;

namespace {

template<typename T, int... shape>
using Given = nb::ndarray<const T, nb::shape<shape...>, nb::c_contig, nb::device::cpu>;

// A new numpy array that owns its numbers.
template<typename T>
nb::ndarray<nb::numpy, T> numpy_array(std::vector<T> values, std::initializer_list<std::size_t> shape) {
  auto *kept = new std::vector<T>(std::move(values));
  nb::capsule owner(kept, [](void *p) noexcept { delete static_cast<std::vector<T> *>(p); });
  return nb::ndarray<nb::numpy, T>(kept->data(), shape, owner);
}

nb::ndarray<nb::numpy, double> flat(const std::vector<double> &values) {
  return numpy_array(values, {values.size()});
}

hea::Model model_of_source(nb::object source) {
  if (nb::isinstance<nb::bytes>(source)) {
    const auto bytes = nb::cast<nb::bytes>(source);
    return hea::read_model(static_cast<const unsigned char *>(bytes.data()), bytes.size());
  }
  return hea::read_model(nb::cast<std::string>(nb::str(nb::module_::import_("os").attr("fspath")(source))));
}

const std::vector<double> &tensor(const hea::Model &m, const std::string &name) {
  const std::map<std::string, const std::vector<double> *> tensors = {{"embedding", &m.embedding},
                                                                      {"in2f", &m.in2f},
                                                                      {"filters", &m.filters},
                                                                      {"f2out1.weight", &m.f2out1_weight},
                                                                      {"f2out1.bias", &m.f2out1_bias},
                                                                      {"f2out2.weight", &m.f2out2_weight},
                                                                      {"f2out2.bias", &m.f2out2_bias},
                                                                      {"adapter.in", &m.adapter_in},
                                                                      {"adapter.out", &m.adapter_out},
                                                                      {"head.hidden.weight", &m.head_hidden_weight},
                                                                      {"head.hidden.bias", &m.head_hidden_bias},
                                                                      {"head.out", &m.head_out},
                                                                      {"e0", &m.e0},
                                                                      {"zbl.inner", &m.zbl_inner},
                                                                      {"zbl.outer", &m.zbl_outer},
                                                                      {"distance.min", &m.distance_min},
                                                                      {"gram", &m.gram}};
  const auto found = tensors.find(name);
  if (found == tensors.end() || found->second->empty()) throw nb::key_error(name.c_str());
  return *found->second;
}

hea::Precision precision_named(const std::string &name) {
  if (name == "single") return hea::Precision::fp32;
  if (name == "double") return hea::Precision::fp64;
  throw std::invalid_argument("precision is '" + name + "', allowed are 'single' and 'double'");
}

void check_length(const char *name, std::size_t got, std::size_t allowed) {
  if (got != allowed) {
    throw std::invalid_argument(std::string(name) + " has " + std::to_string(got) + " rows, allowed are " +
                                std::to_string(allowed));
  }
}

// The arrays of a structure as the engine takes them, after checking that they fit together.
hea::Configuration configuration_of(const Given<int, -1> &types, const Given<std::int64_t, -1> &first,
                                    const Given<int, -1> &neighbour, const Given<double, -1, 3> &vectors) {
  if (first.size() == 0) throw std::invalid_argument("first is empty, allowed are n_owned + 1 numbers");
  const std::size_t n_all = types.size(), n_owned = first.size() - 1, n_edges = neighbour.size();
  check_length("vectors", vectors.shape(0), n_edges);
  if (n_owned > n_all)
    throw std::invalid_argument("types has " + std::to_string(n_all) + " rows, allowed are at least " +
                                std::to_string(n_owned));
  if (first.data()[0] != 0 || first.data()[n_owned] != static_cast<std::int64_t>(n_edges)) {
    throw std::invalid_argument("first runs from " + std::to_string(first.data()[0]) + " to " +
                                std::to_string(first.data()[n_owned]) + ", allowed is from 0 to the number of edges, " +
                                std::to_string(n_edges));
  }
  hea::Configuration configuration;
  configuration.n_owned = static_cast<int>(n_owned);
  configuration.n_all = static_cast<int>(n_all);
  configuration.type = types.data();
  configuration.first = first.data();
  configuration.neighbour = neighbour.data();
  configuration.vector = vectors.data();
  return configuration;
}

nb::dict evaluate(hea::Potential &potential, Given<int, -1> types, Given<std::int64_t, -1> first,
                  Given<int, -1> neighbour, Given<double, -1, 3> vectors, double kappa, bool sigma, bool forces,
                  bool atom_virial, bool features, bool beyond, bool time_passes, std::optional<std::vector<int>> owner,
                  std::optional<Given<double, -1>> last_layer) {
  const hea::Configuration configuration = configuration_of(types, first, neighbour, vectors);
  const std::size_t n_all = types.size(), n_owned = first.size() - 1;
  std::optional<hea::OwnerExchange> exchange;
  if (owner)
    exchange.emplace(static_cast<int>(n_owned), static_cast<int>(n_all), *owner);
  else if (n_owned != n_all)
    throw std::invalid_argument("ghosts need the argument owner");

  hea::Options options;
  options.kappa = kappa;
  options.want_sigma = sigma;
  options.time_passes = time_passes;
  if (last_layer) {
    check_length("last_layer", last_layer->size(), static_cast<std::size_t>(potential.n_features_total()));
    options.last_layer = last_layer->data();
  }

  std::vector<double> atom_energy(n_all), force, virial, virials, f;
  std::vector<std::int64_t> beyond_training;
  hea::Result result;
  result.atom_energy = atom_energy.data();
  if (forces) {
    force.resize(3 * n_all);
    virial.resize(6);
    result.force = force.data();
    result.virial = virial.data();
  }
  if (atom_virial) {
    virials.resize(6 * n_all);
    result.atom_virial = virials.data();
  }
  if (features) {
    f.resize(static_cast<std::size_t>(potential.n_features_total()));
    result.features = f.data();
  }
  if (beyond) {
    beyond_training.resize(n_all);
    result.beyond_training = beyond_training.data();
  }
  {
    nb::gil_scoped_release release;
    potential.evaluate(configuration, options, exchange ? &*exchange : nullptr, result);
  }

  nb::dict out;
  out["energy"] = result.energy;
  out["energies"] = numpy_array(std::move(atom_energy), {n_all});
  if (sigma || kappa != 0.0) out["sigma"] = result.sigma;
  if (forces) {
    out["forces"] = numpy_array(std::move(force), {n_all, 3});
    out["virial"] = numpy_array(std::move(virial), {6});
  }
  if (atom_virial) out["atom_virial"] = numpy_array(std::move(virials), {n_all, 6});
  if (features) out["features"] = flat(f);
  if (beyond) out["beyond"] = numpy_array(std::move(beyond_training), {n_all});
  return out;
}

void place(hea::ExchangeScan &scan, Given<std::int64_t, -1> first, Given<int, -1> neighbour,
           Given<double, -1, 3> vectors) {
  const std::vector<int> types(first.size() > 0 ? first.size() - 1 : 0);  // a geometry is of no element
  scan.place(configuration_of(Given<int, -1>(types.data(), {types.size()}), first, neighbour, vectors));
}

double order(hea::ExchangeScan &scan, Given<int, -1> types) {
  check_length("types", types.size(), static_cast<std::size_t>(scan.n_atoms()));
  nb::gil_scoped_release release;
  return scan.order(types.data());
}

nb::ndarray<nb::numpy, double> substitutions(hea::ExchangeScan &scan) {
  const auto n_atoms = static_cast<std::size_t>(scan.n_atoms()), n_types = static_cast<std::size_t>(scan.n_types());
  std::vector<double> energy(n_atoms * n_types);
  {
    nb::gil_scoped_release release;
    scan.substitutions(energy.data());
  }
  return numpy_array(std::move(energy), {n_atoms, n_types});
}

nb::ndarray<nb::numpy, double> exchanges(hea::ExchangeScan &scan, Given<int, -1, 2> pairs) {
  std::vector<std::array<int, 2>> given(pairs.shape(0));
  for (std::size_t k = 0; k < given.size(); ++k) given[k] = {pairs.data()[2 * k], pairs.data()[2 * k + 1]};
  std::vector<double> energy(given.size());
  {
    nb::gil_scoped_release release;
    scan.exchanges(given.data(), given.size(), energy.data());
  }
  return flat(energy);
}

nb::ndarray<nb::numpy, int> unlike_pairs(const hea::ExchangeScan &scan) {
  std::vector<int> atoms;
  for (const auto [i, j] : scan.unlike_pairs()) atoms.insert(atoms.end(), {i, j});
  const std::size_t n = atoms.size() / 2;
  return numpy_array(std::move(atoms), {n, 2});
}

}  // namespace

NB_MODULE(_engine, m) {
  m.doc() = "Reads model files and evaluates energies, forces, virials and uncertainties.";
  nb::set_leak_warnings(false);  // objects that a cache keeps until the interpreter ends are no leak
  nb::exception<hea::ModelError>(m, "ModelError", PyExc_ValueError);

  nb::class_<hea::Model>(m, "Model", "A model file, checked.")
      .def(
          "__init__", [](hea::Model *self, nb::object source) { new (self) hea::Model(model_of_source(source)); },
          "source"_a, "Read a model file, given its path or its bytes. Raises ModelError.")
      .def_ro("elements", &hea::Model::elements)
      .def_ro("atomic_numbers", &hea::Model::atomic_numbers)
      .def_ro("cutoff", &hea::Model::cutoff)
      .def_ro("n_interactions", &hea::Model::n_interactions)
      .def_ro("n_features", &hea::Model::n_features)
      .def_ro("n_angular", &hea::Model::n_angular)
      .def_ro("n_intervals", &hea::Model::n_intervals)
      .def_ro("n_hidden", &hea::Model::n_hidden)
      .def_ro("rank_pair", &hea::Model::rank_pair)
      .def_ro("rank_many", &hea::Model::rank_many)
      .def_ro("has_sigma", &hea::Model::has_sigma)
      .def_ro("metadata", &hea::Model::metadata)
      .def(
          "tensor", [](const hea::Model &self, const std::string &name) { return flat(tensor(self, name)); }, "name"_a,
          "A tensor of the file by its name, flat, float64. Raises KeyError.");

  nb::class_<hea::Potential>(m, "Potential",
                             "A model for the elements of given atom types. Use one in one thread at a time.")
      .def(
          "__init__",
          [](hea::Potential *self, const hea::Model &model, const std::vector<int> &elements,
             const std::string &precision) { new (self) hea::Potential(model, elements, precision_named(precision)); },
          "model"_a, "elements"_a, "precision"_a = "double")
      .def_prop_ro("cutoff", &hea::Potential::cutoff)
      .def("evaluate", &evaluate, "types"_a, "first"_a, "neighbour"_a, "vectors"_a, nb::kw_only(), "kappa"_a = 0.0,
           "sigma"_a = false, "forces"_a = true, "atom_virial"_a = false, "features"_a = false, "beyond"_a = false,
           "time_passes"_a = false, "owner"_a = nb::none(), "last_layer"_a = nb::none())
      .def("seconds_by_pass", &hea::Potential::seconds_by_pass,
           "Processor seconds by pass of the last call with time_passes.");

  nb::class_<hea::ExchangeScan>(
      m, "ExchangeScan",
      "Energies of the orderings of a fixed geometry that differ by one swap or one substitution from a given one. "
      "Units: eV and Angstrom. Use one in one thread at a time.")
      .def(
          "__init__",
          [](hea::ExchangeScan *self, const hea::Model &model, const std::vector<int> &elements,
             const std::string &precision) {
            new (self) hea::ExchangeScan(model, elements, precision_named(precision));
          },
          "model"_a, "elements"_a, "precision"_a = "double")
      .def_prop_ro("cutoff", &hea::ExchangeScan::cutoff)
      .def("place", &place, "first"_a, "neighbour"_a, "vectors"_a,
           "Take a geometry: half edges as Potential.evaluate takes them, without ghosts; no two atoms may share more "
           "than one. Raises ValueError.")
      .def(
          "order", &order, "types"_a,
          "Take the types of the atoms [n_atoms] and return the energy, that of Potential.evaluate. Raises ValueError.")
      .def("substitutions", &substitutions,
           "Energies [n_atoms, n_types] of the orderings in which one atom has another type. Raises ValueError before "
           "order.")
      .def("exchanges", &exchanges, "pairs"_a,
           "Energies [n] of the orderings in which the two atoms of a pair [n, 2] are swapped. Raises ValueError.")
      .def("unlike_pairs", &unlike_pairs,
           "All pairs [n, 2] of atoms of different elements, in ascending order. Raises ValueError before order.");

  m.def("simd_name", &hea::simd_name, "Instruction set in use: avx512, avx2 or baseline.");
}
