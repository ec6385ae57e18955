#include <algorithm>
#include <limits>

#include "check.h"
#include "exchange_scan.h"
#include "random_model.h"
#include "structure.h"

namespace {

constexpr double reach = 4.3;  // also some edges beyond the cutoff of 4 A

hea::Model model_of(const ModelSize &size, unsigned seed) {
  const std::vector<unsigned char> bytes = random_model(size, seed).bytes();
  return hea::read_model(bytes.data(), bytes.size());
}

double plain_energy(hea::Potential &potential, const Structure &s) {
  const Edges edges(s, reach);
  hea::Result result;
  potential.evaluate(edges.configuration(s), hea::Options{}, nullptr, result);
  return result.energy;
}

double prepare(hea::ExchangeScan &scan, const Structure &s) {
  const Edges edges(s, reach);
  scan.place(edges.configuration(s));
  return scan.order(s.type.data());
}

// Every ordering of the scan has the energy that the potential gives it.
void agrees_with_full_energies(const ModelSize &size, const Structure &s, hea::Precision precision, double tolerance) {
  const hea::Model model = model_of(size, 41);
  const std::vector<int> elements = {2, 0, 1};
  hea::Potential potential(model, elements, precision);
  hea::ExchangeScan scan(model, elements, precision);
  CHECK_NEAR(prepare(scan, s), plain_energy(potential, s), tolerance);

  const std::vector<std::array<int, 2>> pairs = scan.unlike_pairs();
  std::vector<double> energy(pairs.size());
  scan.exchanges(pairs.data(), pairs.size(), energy.data());
  std::size_t n_unlike = 0;
  for (std::size_t i = 0; i < s.type.size(); ++i)
    n_unlike += static_cast<std::size_t>(std::count_if(s.type.begin(), s.type.begin() + static_cast<std::ptrdiff_t>(i),
                                                       [&](int type) { return type != s.type[i]; }));
  CHECK(pairs.size() == n_unlike);
  for (std::size_t k = 0; k < pairs.size(); ++k) {
    Structure swapped = s;
    std::swap(swapped.type[static_cast<std::size_t>(pairs[k][0])], swapped.type[static_cast<std::size_t>(pairs[k][1])]);
    CHECK_NEAR(energy[k], plain_energy(potential, swapped), tolerance);
  }

  std::vector<double> substituted(3 * s.type.size());
  scan.substitutions(substituted.data());
  for (std::size_t k = 0; k < substituted.size(); ++k) {
    Structure other = s;
    other.type[k / 3] = static_cast<int>(k % 3);
    CHECK_NEAR(substituted[k], plain_energy(potential, other), tolerance);
  }
  // Energies of atoms that one site alone reaches were not there in the first round.
  std::vector<double> again(pairs.size());
  scan.exchanges(pairs.data(), pairs.size(), again.data());
  CHECK(again == energy);
}

void compact_clusters() {
  for (const int n_types : {2, 3}) {
    const Structure s = Structure::random(13, n_types, 2.2, 0.0, 42);
    agrees_with_full_energies(ModelSize{}, s, hea::Precision::fp64, 1e-10);
    agrees_with_full_energies(ModelSize{}, s, hea::Precision::fp32, 1e-5);
  }
}

// A row of atoms, most of which are out of each other's reach, and a lone one.
Structure long_chain() {
  Structure s;
  for (int k = 0; k < 14; ++k) {
    s.type.push_back(k * k % 3);
    s.position.push_back({2.1 * k, 0.3 * (k % 2), 0.2 * (k % 3)});
  }
  s.type.push_back(1);
  s.position.push_back({0.0, 40.0, 0.0});
  return s;
}

void atoms_out_of_reach() {
  agrees_with_full_energies(ModelSize{}, long_chain(), hea::Precision::fp64, 1e-10);
  agrees_with_full_energies(ModelSize{}, long_chain(), hea::Precision::fp32, 1e-5);
}

void atoms_that_repel() {
  Structure s = Structure::random(10, 3, 1.2, 0.0, 43);
  agrees_with_full_energies(ModelSize{}, s, hea::Precision::fp64, 1e-9);
}

void other_models() {
  ModelSize size;
  size.activation = "silu";
  size.n_angular = 0;
  size.rank_many = 0;
  size.n_interactions = 1;
  agrees_with_full_energies(size, long_chain(), hea::Precision::fp64, 1e-10);
  size.n_features = size.n_angular = 17;
  size.n_interactions = 3;
  size.rank_pair = 0;
  agrees_with_full_energies(size, long_chain(), hea::Precision::fp64, 1e-10);
  agrees_with_full_energies(size, Structure::random(9, 3, 2.2, 0.0, 44), hea::Precision::fp64, 1e-10);
}

void periodic_cells() {
  agrees_with_full_energies(ModelSize{}, Structure::random(18, 3, 3.0, 9.0, 45), hea::Precision::fp64, 1e-10);
}

void another_ordering_of_the_same_geometry() {
  const hea::Model model = model_of(ModelSize{}, 46);
  hea::Potential potential(model, {0, 1, 2}, hea::Precision::fp64);
  hea::ExchangeScan scan(model, {0, 1, 2}, hea::Precision::fp64);
  Structure s = long_chain();
  prepare(scan, s);
  std::vector<double> substituted(3 * s.type.size());
  scan.substitutions(substituted.data());
  std::reverse(s.type.begin(), s.type.end());
  CHECK_NEAR(scan.order(s.type.data()), plain_energy(potential, s), 1e-10);
  const std::array<int, 2> pair = {2, 7};
  double energy = 0.0;
  scan.exchanges(&pair, 1, &energy);
  std::swap(s.type[2], s.type[7]);
  CHECK_NEAR(energy, plain_energy(potential, s), 1e-10);
}

void few_atoms() {
  hea::ExchangeScan scan(model_of(ModelSize{}, 47), {0, 1}, hea::Precision::fp64);
  Structure s;
  CHECK(prepare(scan, s) == 0.0);
  CHECK(scan.unlike_pairs().empty());
  s.type = {1};
  s.position = {{0.0, 0.0, 0.0}};
  prepare(scan, s);
  CHECK(scan.unlike_pairs().empty());
  double energy[2];
  scan.substitutions(energy);
  CHECK_NEAR(energy[0], model_of(ModelSize{}, 47).e0[0], 1e-12);
}

void refuses_bad_input() {
  const hea::Model model = model_of(ModelSize{}, 48);
  CHECK_THROWS(std::invalid_argument, "a type has the element -1",
               hea::ExchangeScan(model, {0, -1}, hea::Precision::fp64));
  CHECK_THROWS(std::invalid_argument, "element 3 of a type", hea::ExchangeScan(model, {3}, hea::Precision::fp64));
  hea::ExchangeScan scan(model, {0, 1, 2}, hea::Precision::fp64);
  Structure s = Structure::random(4, 3, 2.2, 0.0, 49);
  prepare(scan, s);
  double energy = 0.0;
  const auto refuse_pair = [&](std::array<int, 2> pair, const char *words) {
    CHECK_THROWS(std::invalid_argument, words, scan.exchanges(&pair, 1, &energy));
  };
  refuse_pair({0, 4}, "a pair has the atom 4, allowed are 0 to 3");
  refuse_pair({-1, 2}, "a pair has the atom -1");
  s.type[1] = 3;
  CHECK_THROWS(std::invalid_argument, "atom 1 has the type 3", scan.order(s.type.data()));
  refuse_pair({0, 1}, "and no ordering of it: order() comes before");
  s.type[1] = 0;
  s.position[2][0] = std::numeric_limits<double>::quiet_NaN();
  std::vector<std::int64_t> first = {0, 1, 1};
  std::vector<int> neighbour = {1};
  std::vector<double> vector = {std::numeric_limits<double>::quiet_NaN(), 0.0, 0.0};
  hea::Configuration c;
  c.n_owned = c.n_all = 2;
  c.type = s.type.data();
  c.first = first.data();
  c.neighbour = neighbour.data();
  c.vector = vector.data();
  CHECK_THROWS(std::invalid_argument, "the distance vector of atoms 0 and 1 is (nan", scan.place(c));
  c.n_all = 3;
  CHECK_THROWS(std::invalid_argument, "a scan has no ghosts", scan.place(c));
  CHECK_THROWS(std::invalid_argument, "are neighbours more than once",
               prepare(scan, Structure::random(3, 2, 2.2, 5.0, 50)));
}

}  // namespace

int main() {
  return check::run_all({{"compact clusters", compact_clusters},
                         {"atoms out of reach", atoms_out_of_reach},
                         {"atoms that repel", atoms_that_repel},
                         {"other models", other_models},
                         {"periodic cells", periodic_cells},
                         {"another ordering of the same geometry", another_ordering_of_the_same_geometry},
                         {"few atoms", few_atoms},
                         {"refuses bad input", refuses_bad_input}});
}
