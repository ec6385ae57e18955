#include <algorithm>
#include <limits>

#include "check.h"
#include "owner_exchange.h"
#include "random_model.h"
#include "structure.h"

namespace {

hea::Model model_of(const ModelSize &size, unsigned seed) {
  const std::vector<unsigned char> bytes = random_model(size, seed).bytes();
  return hea::read_model(bytes.data(), bytes.size());
}

struct Evaluation {
  double energy, sigma;
  std::vector<double> atom_energy, force, virial, atom_virial;
};

Evaluation evaluate(hea::Potential &potential, const Structure &s, double kappa = 0.0, double reach = 4.3) {
  const Edges edges(s, reach);
  const std::size_t n = s.type.size();
  Evaluation out{
      0.0, 0.0, std::vector<double>(n), std::vector<double>(3 * n), std::vector<double>(6), std::vector<double>(6 * n)};
  hea::Result result;
  result.atom_energy = out.atom_energy.data();
  result.force = out.force.data();
  result.virial = out.virial.data();
  result.atom_virial = out.atom_virial.data();
  hea::Options options;
  options.kappa = kappa;
  options.want_sigma = true;
  potential.evaluate(edges.configuration(s), options, nullptr, result);
  out.energy = result.energy;
  out.sigma = result.sigma;
  return out;
}

double total(const std::vector<double> &x) {
  double sum = 0.0;
  for (const double value : x) sum += value;
  return sum;
}

// What the forces and the virial belong to.
double objective(hea::Potential &potential, const Structure &s, double kappa) {
  const Evaluation e = evaluate(potential, s, kappa);
  return e.energy - kappa * e.sigma;
}

void forces_are_gradients(const ModelSize &size, int n_types, double box, double kappa) {
  hea::Potential potential(model_of(size, 11), {0, 2, 1}, hea::Precision::fp64);
  Structure s = Structure::random(10, n_types, 2.2, box, 12);
  const Evaluation at = evaluate(potential, s, kappa);
  const double step = 1e-4;
  for (const std::size_t atom : {std::size_t{0}, std::size_t{4}, std::size_t{9}}) {
    for (std::size_t c = 0; c < 3; ++c) {
      double &x = s.position[atom][c];
      const double here = x;
      x = here + step;
      const double above = objective(potential, s, kappa);
      x = here - step;
      const double below = objective(potential, s, kappa);
      x = here;
      CHECK_NEAR(at.force[3 * atom + c], (below - above) / (2 * step), 1e-6);
    }
  }
  // A strain of the whole: sum of r.f is minus the slope of the energy by the logarithm of the length.
  const auto scaled = [&](double factor) {
    Structure other = s;
    other.box *= factor;
    for (auto &x : other.position)
      for (double &coordinate : x) coordinate *= factor;
    return objective(potential, other, kappa);
  };
  CHECK_NEAR(at.virial[0] + at.virial[1] + at.virial[2], (scaled(1 - 1e-5) - scaled(1 + 1e-5)) / 2e-5, 1e-5);
  for (std::size_t c = 0; c < 6; ++c) {
    double sum = 0.0;
    for (std::size_t atom = 0; atom < 10; ++atom) sum += at.atom_virial[6 * atom + c];
    CHECK_NEAR(sum, at.virial[c], 1e-12);
  }
  CHECK_NEAR(total(at.atom_energy), at.energy, 1e-12);
  for (std::size_t c = 0; c < 3; ++c) {
    double sum = 0.0;
    for (std::size_t atom = 0; atom < 10; ++atom) sum += at.force[3 * atom + c];
    CHECK_NEAR(sum, 0.0, 1e-12);
  }
}

void forces_of_clusters() {
  for (const int n_types : {1, 2, 3}) forces_are_gradients(ModelSize{}, n_types, 0.0, 0.0);
}

void forces_in_cells_smaller_than_the_cutoff() {
  forces_are_gradients(ModelSize{}, 3, 6.6, 0.0);
}

void forces_with_sigma() {
  forces_are_gradients(ModelSize{}, 3, 0.0, 1.5);
}

void forces_of_other_sizes() {
  ModelSize size;
  size.activation = "silu";
  size.n_angular = 0;
  size.rank_many = 0;
  size.n_interactions = 1;
  forces_are_gradients(size, 3, 0.0, 0.0);
  size.n_features = size.n_angular = 17;
  size.n_interactions = 3;
  size.rank_pair = 0;
  size.rank_many = 2;
  forces_are_gradients(size, 3, 0.0, 0.0);
}

void one_atom_has_its_reference_energy() {
  const hea::Model model = model_of(ModelSize{}, 21);
  for (const hea::Precision precision : {hea::Precision::fp32, hea::Precision::fp64}) {
    hea::Potential potential(model, {0, 1, 2}, precision);
    for (int type = 0; type < 3; ++type) {
      Structure s;
      s.type = {type};
      s.position = {{0.0, 0.0, 0.0}};
      CHECK(evaluate(potential, s).energy == model.e0[static_cast<std::size_t>(type)]);
      s.type = {type, 0};
      s.position.push_back({4.1, 0.0, 0.0});  // in the list, beyond the cutoff
      const Evaluation far = evaluate(potential, s);
      CHECK(far.energy == model.e0[static_cast<std::size_t>(type)] + model.e0[0]);
      CHECK(total(far.force) == 0.0);
    }
  }
}

void nothing_is_evaluated_to_nothing() {
  hea::Potential potential(model_of(ModelSize{}, 22), {0}, hea::Precision::fp64);
  const std::int64_t first[] = {0};
  hea::Configuration nothing;
  nothing.first = first;
  hea::Result result;
  potential.evaluate(nothing, hea::Options{}, nullptr, result);
  CHECK(result.energy == 0.0);
  nothing.first = nullptr;
  potential.evaluate(nothing, hea::Options{}, nullptr, result);
  CHECK(result.energy == 0.0);
}

void the_order_of_atoms_does_not_matter() {
  hea::Potential potential(model_of(ModelSize{}, 23), {0, 1, 2}, hea::Precision::fp64);
  const Structure s = Structure::random(60, 3, 2.3, 0.0, 24);
  Structure reversed = s;
  std::reverse(reversed.type.begin(), reversed.type.end());
  std::reverse(reversed.position.begin(), reversed.position.end());
  const Evaluation a = evaluate(potential, s), b = evaluate(potential, reversed);
  CHECK_NEAR(a.energy, b.energy, 1e-10);
  for (std::size_t k = 0; k < 60; ++k) {
    for (std::size_t c = 0; c < 3; ++c) CHECK_NEAR(a.force[3 * k + c], b.force[3 * (59 - k) + c], 1e-11);
  }
}

void single_precision_is_close() {
  const hea::Model model = model_of(ModelSize{}, 25);
  hea::Potential fp32(model, {0, 1, 2}, hea::Precision::fp32), fp64(model, {0, 1, 2}, hea::Precision::fp64);
  const Structure s = Structure::random(60, 3, 2.3, 0.0, 26);
  const Evaluation a = evaluate(fp32, s), b = evaluate(fp64, s);
  CHECK_NEAR(a.energy, b.energy, 60 * 1e-5);
  for (std::size_t k = 0; k < 180; ++k) CHECK_NEAR(a.force[k], b.force[k], 1e-4);
}

void types_may_repeat_elements_or_have_none() {
  const hea::Model model = model_of(ModelSize{}, 27);
  hea::Potential plain(model, {0, 1, 2}, hea::Precision::fp64), mapped(model, {-1, 2, 0, 1, 0}, hea::Precision::fp64);
  Structure s = Structure::random(20, 3, 2.3, 0.0, 28);
  const Evaluation expected = evaluate(plain, s);
  for (std::size_t k = 0; k < 20; ++k) s.type[k] = s.type[k] == 0 ? (k % 2 == 0 ? 2 : 4) : s.type[k] == 1 ? 3 : 1;
  const Edges edges(s, 4.3);
  s.type.insert(s.type.begin() + 20, 0);  // one atom that belongs to somebody else, the last
  std::vector<std::int64_t> first = edges.first;
  first.push_back(first.back());
  hea::Configuration configuration = edges.configuration(s);
  configuration.first = first.data();
  hea::Result result;
  mapped.evaluate(configuration, hea::Options{}, nullptr, result);
  CHECK_NEAR(result.energy, expected.energy, 1e-11);
}

// All atoms owned, but every edge leads to a ghost copy of its neighbour: all numbers must come through the exchange.
void ghosts_give_the_same_numbers() {
  for (const hea::Precision precision : {hea::Precision::fp32, hea::Precision::fp64}) {
    hea::Potential potential(model_of(ModelSize{}, 31), {0, 1, 2}, precision);
    const Structure s = Structure::random(12, 3, 2.3, 7.5, 32);
    const double kappa = 0.7;
    const Evaluation expected = evaluate(potential, s, kappa);

    const Edges edges(s, 4.3);
    const int n = 12, n_ghosts = static_cast<int>(edges.neighbour.size());
    std::vector<int> type = s.type, neighbour;
    for (int k = 0; k < n_ghosts; ++k) {
      type.push_back(s.type[static_cast<std::size_t>(edges.neighbour[static_cast<std::size_t>(k)])]);
      neighbour.push_back(n + k);
    }
    hea::Configuration configuration = edges.configuration(s);
    configuration.n_all = n + n_ghosts;
    configuration.type = type.data();
    configuration.neighbour = neighbour.data();
    hea::OwnerExchange exchange(n, n + n_ghosts, edges.neighbour);
    std::vector<double> force(3 * type.size()), atom_energy(type.size());
    hea::Result result;
    result.force = force.data();
    result.atom_energy = atom_energy.data();
    hea::Options options;
    options.kappa = kappa;
    potential.evaluate(configuration, options, &exchange, result);
    exchange.from_ghosts(force.data(), 3);
    exchange.from_ghosts(atom_energy.data(), 1);
    const double tolerance = precision == hea::Precision::fp32 ? 1e-5 : 1e-12;
    CHECK_NEAR(result.energy, expected.energy, 12 * tolerance);
    CHECK_NEAR(result.sigma, expected.sigma, tolerance);
    for (std::size_t k = 0; k < 3 * 12; ++k) CHECK_NEAR(force[k], expected.force[k], tolerance);
    for (std::size_t k = 0; k < 12; ++k) CHECK_NEAR(atom_energy[k], expected.atom_energy[k], tolerance);
  }
}

void close_atoms_are_marked() {
  hea::Potential potential(model_of(ModelSize{}, 33), {0, 1}, hea::Precision::fp64);
  Structure s;
  s.type = {0, 1, 1};
  s.position = {{0.0, 0.0, 0.0}, {1.4, 0.0, 0.0}, {3.0, 0.0, 0.0}};  // distance.min is 1.5 A
  const Edges edges(s, 4.0);
  std::vector<std::int64_t> beyond(3);
  hea::Result result;
  result.beyond_training = beyond.data();
  potential.evaluate(edges.configuration(s), hea::Options{}, nullptr, result);
  CHECK(beyond == (std::vector<std::int64_t>{1, 1, 0}));
}

void refuses_bad_input() {
  const hea::Model model = model_of(ModelSize{}, 34);
  hea::Potential potential(model, {0, -1}, hea::Precision::fp64);
  std::vector<int> type = {0, 0}, neighbour = {1};
  std::vector<std::int64_t> first = {0, 1, 1};
  std::vector<double> vector = {1.0, 2.0, 0.0};
  const auto run = [&] {
    hea::Configuration c;
    c.n_owned = c.n_all = 2;
    c.type = type.data();
    c.first = first.data();
    c.neighbour = neighbour.data();
    c.vector = vector.data();
    hea::Result result;
    potential.evaluate(c, hea::Options{}, nullptr, result);
  };
  run();
  const auto refuse = [&](const char *words) { CHECK_THROWS(std::invalid_argument, words, run()); };
  vector = {std::numeric_limits<double>::quiet_NaN(), 0.0, 1.0};
  refuse("the distance vector of atoms 0 and 1 is (nan");
  vector = {std::numeric_limits<double>::infinity(), 0.0, 1.0};
  refuse("the distance vector of atoms 0 and 1 is (inf");
  vector = {1e-5, 0.0, 0.0};
  refuse("atoms 0 and 1 overlap");
  vector = {1.0, 2.0, 0.0};
  neighbour = {2};
  refuse("an edge of atom 0 leads to atom 2, allowed are 0 to 1");
  neighbour = {-1};
  refuse("leads to atom -1");
  neighbour = {1};
  type = {0, 7};
  refuse("atom 1 has the type 7, allowed are 0 to 1");
  type = {0, 1};
  refuse("one has no element of the model");
  type = {0, 0};
  first = {0, 1, 0};
  refuse("first decreases from 1 to 0");
  CHECK_THROWS(std::invalid_argument, "element 3 of a type", hea::Potential(model, {3}, hea::Precision::fp64));
  CHECK_THROWS(std::invalid_argument, "no type has an element", hea::Potential(model, {-1}, hea::Precision::fp64));
  ModelSize certain;
  certain.sigma = false;
  hea::Potential without(model_of(certain, 35), {0}, hea::Precision::fp64);
  Structure s;
  s.type = {0};
  s.position = {{0.0, 0.0, 0.0}};
  CHECK_THROWS(std::invalid_argument, "the model has no uncertainty", evaluate(without, s));
}

}  // namespace

int main() {
  return check::run_all({{"forces of clusters are gradients", forces_of_clusters},
                         {"forces in cells smaller than the cutoff", forces_in_cells_smaller_than_the_cutoff},
                         {"forces with sigma", forces_with_sigma},
                         {"forces of other sizes", forces_of_other_sizes},
                         {"one atom has its reference energy", one_atom_has_its_reference_energy},
                         {"nothing is evaluated to nothing", nothing_is_evaluated_to_nothing},
                         {"the order of atoms does not matter", the_order_of_atoms_does_not_matter},
                         {"single precision is close", single_precision_is_close},
                         {"types may repeat elements or have none", types_may_repeat_elements_or_have_none},
                         {"ghosts give the same numbers", ghosts_give_the_same_numbers},
                         {"close atoms are marked", close_atoms_are_marked},
                         {"refuses bad input", refuses_bad_input}});
}
