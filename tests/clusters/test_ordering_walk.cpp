#include <algorithm>
#include <limits>

#include "check.h"
#include "ordering_walk.h"
#include "random_source.h"

using namespace hea::clusters;

namespace {

// A model of orderings, which owns what Couplings looks at.
struct Model {
  std::size_t sites, kinds, classes;
  std::vector<double> on_sites;  // [sites][kinds]
  std::vector<std::int64_t> first, second, class_of;
  std::vector<double> energies;  // [classes][kinds][kinds]

  Couplings couplings() const {
    return {sites, kinds, classes, first.size(), first.data(), second.data(), class_of.data(), energies.data()};
  }

  Ordering ordering(const std::vector<std::int32_t> &types) const {
    Ordering result{types, on_sites, 0.0};
    const Couplings pairs = couplings();
    const auto kind = [&](std::int64_t site) {
      return static_cast<std::size_t>(types[static_cast<std::size_t>(site)]);
    };
    for (std::size_t site = 0; site < sites; ++site) result.energy += on_sites[site * kinds + kind(site)];
    for (std::size_t pair = 0; pair < first.size(); ++pair) {
      const auto pair_class = static_cast<std::size_t>(class_of[pair]);
      const auto one = static_cast<std::size_t>(first[pair]), other = static_cast<std::size_t>(second[pair]);
      result.energy += pairs.energy(pair_class, kind(first[pair]), kind(second[pair]));
      for (std::size_t k = 0; k < kinds; ++k) {
        result.field[one * kinds + k] += pairs.energy(pair_class, k, kind(second[pair]));
        result.field[other * kinds + k] += pairs.energy(pair_class, k, kind(first[pair]));
      }
    }
    return result;
  }

  // The lowest energy of all orderings one swap away.
  double lowest_neighbour(std::vector<std::int32_t> types) const {
    double lowest = std::numeric_limits<double>::infinity();
    for (std::size_t i = 0; i < sites; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        if (types[i] == types[j]) continue;
        std::swap(types[i], types[j]);
        lowest = std::min(lowest, ordering(types).energy);
        std::swap(types[i], types[j]);
      }
    }
    return lowest;
  }
};

Model random_model(std::size_t sites, std::size_t kinds, unsigned seed) {
  std::mt19937 random(seed);
  std::normal_distribution<double> normal;
  Model model{sites, kinds, 2, {}, {}, {}, {}, std::vector<double>(2 * kinds * kinds)};
  for (std::size_t k = 0; k < sites * kinds; ++k) model.on_sites.push_back(normal(random));
  for (std::size_t j = 0; j < sites; ++j) {
    for (std::size_t i = 0; i < j; ++i) {
      if (random() % 3 != 0) continue;
      model.first.push_back(static_cast<std::int64_t>(i));
      model.second.push_back(static_cast<std::int64_t>(j));
      model.class_of.push_back(static_cast<std::int64_t>(random() % 2));
    }
  }
  for (std::size_t c = 0; c < 2; ++c) {
    for (std::size_t a = 0; a < kinds; ++a) {
      for (std::size_t b = 0; b <= a; ++b) {
        model.energies[(c * kinds + a) * kinds + b] = model.energies[(c * kinds + b) * kinds + a] = normal(random);
      }
    }
  }
  return model;
}

std::vector<std::int32_t> in_turn(std::size_t sites, std::size_t kinds) {
  std::vector<std::int32_t> types(sites);
  for (std::size_t site = 0; site < sites; ++site) types[site] = static_cast<std::int32_t>(site % kinds);
  return types;
}

Walk walk_of(const Model &model, const std::vector<std::int32_t> &types, std::size_t steps) {
  std::mt19937_64 engine(1);
  Random random = random_of(engine);
  return walked(random, model.couplings(), model.ordering(types), steps);
}

std::vector<std::int32_t> met_at(const Walk &walk, std::size_t step, std::size_t sites) {
  const auto begin = walk.orderings.begin() + static_cast<std::ptrdiff_t>(step * sites);
  return {begin, begin + static_cast<std::ptrdiff_t>(sites)};
}

void walks_know_the_energies_of_what_they_meet() {
  for (unsigned seed = 0; seed < 20; ++seed) {
    const std::size_t sites = 4 + 2 * seed, kinds = 2 + seed % 5;
    const Model model = random_model(sites, kinds, seed);
    const std::vector<std::int32_t> start = in_turn(sites, kinds);
    const Walk walk = walk_of(model, start, 40);
    CHECK(!walk.energies.empty() && walk.orderings.size() == walk.energies.size() * sites);
    CHECK_NEAR(walk.energies[0], model.lowest_neighbour(start), 1e-10);
    for (std::size_t step = 0; step < walk.energies.size(); ++step) {
      const std::vector<std::int32_t> met = met_at(walk, step, sites);
      CHECK(std::is_permutation(met.begin(), met.end(), start.begin()));
      CHECK_NEAR(walk.energies[step], model.ordering(met).energy, 1e-10);
    }
  }
}

void walks_leave_minima() {
  const Walk walk = walk_of(random_model(12, 3, 3), in_turn(12, 3), 100);
  std::vector<std::vector<std::int32_t>> met;
  for (std::size_t step = 0; step < walk.energies.size(); ++step) met.push_back(met_at(walk, step, 12));
  std::sort(met.begin(), met.end());
  CHECK(std::unique(met.begin(), met.end()) - met.begin() > 50);
}

void where_nothing_may_be_swapped_a_walk_ends() {
  CHECK(walk_of(random_model(0, 0, 1), {}, 10).energies.empty());
  CHECK(walk_of(random_model(1, 2, 1), {1}, 10).energies.empty());
  CHECK(walk_of(random_model(6, 1, 1), in_turn(6, 1), 10).energies.empty());
  CHECK(walk_of(random_model(6, 2, 1), in_turn(6, 2), 0).energies.empty());
  Model flat = random_model(2, 2, 1);
  std::fill(flat.on_sites.begin(), flat.on_sites.end(), 0.0);
  CHECK(walk_of(flat, {0, 1}, 10).energies.size() == 1);
}

void whole_numbers_are_equally_likely() {
  std::mt19937_64 engine(2);
  Random random = random_of(engine);
  constexpr int many = 120000;
  std::vector<int> drawn(12, 0);
  for (int k = 0; k < many; ++k) ++drawn.at(random.whole_below(12));
  for (const int count : drawn) CHECK_NEAR(count, many / 12.0, 6.0 * std::sqrt(many / 12.0));
  // Four numbers of 32 bits fall upon three below this; if none were rejected, every third would come twice as often.
  int every_third = 0;
  for (int k = 0; k < many; ++k) every_third += random.whole_below(3U << 30) % 3 == 0 ? 1 : 0;
  CHECK_NEAR(every_third, many / 3.0, 6.0 * std::sqrt(2.0 * many / 9.0));
  CHECK(random.whole_below(1) == 0);
}

}  // namespace

int main() {
  return check::run_all({{"walks know the energies of what they meet", walks_know_the_energies_of_what_they_meet},
                         {"walks leave minima", walks_leave_minima},
                         {"where nothing may be swapped a walk ends", where_nothing_may_be_swapped_a_walk_ends},
                         {"whole numbers are equally likely", whole_numbers_are_equally_likely}});
}
