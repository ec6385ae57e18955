#include <algorithm>
#include <cmath>

#include "check.h"
#include "cluster.h"
#include "cutting.h"
#include "exchanging.h"
#include "geometry.h"
#include "random_source.h"
#include "rattling.h"

using namespace hea::clusters;

namespace {

double distance(const Arrangement &cluster, std::size_t i, std::size_t j) {
  return std::sqrt(squared_distance(&cluster.positions[3 * i], &cluster.positions[3 * j]));
}

bool has_the_types_of(const Arrangement &child, const Cluster &parent) {
  return std::is_permutation(child.types.begin(), child.types.end(), parent.types.begin(), parent.types.end());
}

void a_splice_is_of_the_top_of_one_and_the_bottom_of_the_other() {
  std::mt19937_64 engine(1);
  Random random = random_of(engine);
  std::size_t fewest = 20, most = 0;
  for (int k = 0; k < 100; ++k) {
    // All gaps of the first are far below those of the second, and whoever has turned them.
    const Cluster small = random_binary(20, 1.0, 1), large = random_binary(20, 50.0, 2);
    const Arrangement child = spliced(random, small.atoms(), large.atoms());
    CHECK(child.types.size() == 20 && has_the_types_of(child, small));
    std::size_t of_large = 0;
    while (of_large < 20 && child.positions[3 * of_large + 2] < 0.0) ++of_large;
    for (std::size_t i = of_large; i < 20; ++i) {
      CHECK(child.positions[3 * i + 2] > 0.0);
      for (std::size_t j = of_large; j < i; ++j) CHECK(distance(child, i, j) < 2.0);
    }
    fewest = std::min(fewest, of_large);
    most = std::max(most, of_large);
  }
  CHECK(fewest == 4 && most == 16);
}

void a_twist_turns_one_part_about_the_vertical() {
  std::mt19937_64 engine(2);
  Random random = random_of(engine);
  const Cluster parent = random_binary(15, 3.0, 3);
  for (int k = 0; k < 20; ++k) {
    const Arrangement child = twisted(random, parent.atoms());
    CHECK(child.types == parent.types);
    // In order of height there is one cut: within both parts all distances are what they were, between them some not.
    std::vector<std::size_t> order(15);
    for (std::size_t i = 0; i < 15; ++i) order[i] = i;
    std::sort(order.begin(), order.end(),
              [&](std::size_t i, std::size_t j) { return child.positions[3 * i + 2] < child.positions[3 * j + 2]; });
    const auto is_kept = [&](std::size_t i, std::size_t j) {
      const double before = std::sqrt(squared_distance(&parent.positions[3 * i], &parent.positions[3 * j]));
      return std::abs(distance(child, i, j) - before) < 1e-9;
    };
    std::size_t cut = 1;
    while (cut < 15 && is_kept(order[cut - 1], order[cut])) ++cut;
    for (std::size_t a = 0; a < 15; ++a) {
      for (std::size_t b = 0; b < a; ++b) {
        if (a < cut || b >= cut) CHECK(is_kept(order[a], order[b]));
      }
    }
  }
}

void a_mirrored_cluster_is_symmetric_but_for_the_noise() {
  std::mt19937_64 engine(3);
  Random random = random_of(engine);
  bool is_reflected = false, is_inverted = false;
  for (const std::size_t size : {2, 3, 8, 15}) {
    const Cluster parent = random_binary(size, 3.0, 5);
    for (int k = 0; k < 20; ++k) {
      const Arrangement child = mirrored(random, parent.atoms());
      CHECK(has_the_types_of(child, parent));
      const std::size_t images = size / 2, first = size - images;
      double reflected = 0.0, inverted = 0.0;
      for (std::size_t i = 0; i < images; ++i) {
        const double *own = &child.positions[3 * (first - images + i)], *image = &child.positions[3 * (first + i)];
        const double reflection[3] = {own[0], own[1], -own[2]}, inversion[3] = {-own[0], -own[1], -own[2]};
        reflected = std::max(reflected, squared_distance(image, reflection));
        inverted = std::max(inverted, squared_distance(image, inversion));
      }
      const double noise = std::pow(10.0 * slightly * parent.atoms().mean_bond(), 2);
      CHECK(std::min(reflected, inverted) < noise);
      is_reflected = is_reflected || reflected < noise;
      is_inverted = is_inverted || inverted < noise;
    }
  }
  CHECK(is_reflected && is_inverted);
}

void rattled_atoms_are_all_or_some() {
  std::mt19937_64 engine(4);
  Random random = random_of(engine);
  const Cluster parent = random_binary(200, 9.0, 6);
  int all = 0;
  for (int k = 0; k < 100; ++k) {
    const Arrangement child = rattled(random, parent.atoms());
    CHECK(child.types == parent.types);
    std::size_t moved = 0;
    double squares = 0.0;
    for (std::size_t i = 0; i < 200; ++i) {
      const double square = squared_distance(&child.positions[3 * i], &parent.positions[3 * i]);
      moved += square > 0.0;
      squares += square;
    }
    CHECK(moved == 200 || (moved > 30 && moved < 90));  // 60 with a standard deviation of 6.5
    all += moved == 200;
    const double width = std::sqrt(squares / (3.0 * static_cast<double>(moved))) / parent.atoms().mean_bond();
    CHECK(width > 0.08 && width < 0.55);
  }
  CHECK(all > 30 && all < 70);
}

void random_packings_fill_a_ball() {
  std::mt19937_64 engine(5);
  Random random = random_of(engine);
  const std::vector<double> bonds{2.0, 2.2, 2.2, 2.6};
  const std::vector<std::int64_t> types{0, 0, 0, 1, 1, 1, 1, 1, 1, 1};
  for (int k = 0; k < 20; ++k) {
    const Arrangement made = random_packing(random, types, {0, nullptr, nullptr, 2, bonds.data()}, 0.8);
    CHECK(std::is_permutation(made.types.begin(), made.types.end(), types.begin(), types.end()));
    const Atoms atoms{10, made.types.data(), made.positions.data(), 2, bonds.data()};
    for (const double apart : reduced_distances(atoms)) CHECK(apart >= 0.8 * (1.0 - 1e-12));
    for (const double x : made.positions) CHECK(std::abs(x) < 4.0 * packed_radius(10, 2.25));
  }
}

void unlike_atoms_exchange_their_types() {
  std::mt19937_64 engine(6);
  Random random = random_of(engine);
  Cluster line = unary({});
  for (int i = 0; i < 9; ++i) line.positions.insert(line.positions.end(), {1.0 * i - 4.1, 0.0, 0.0});
  line.types = {0, 0, 0, 1, 1, 1, 0, 0, 0};
  line.bonds = {1.0, 1.0, 1.0, 1.0};
  std::vector<int> pairs(5, 0), chosen(9, 0);
  for (int k = 0; k < 2000; ++k) {
    const Arrangement some = exchanged(random, line.atoms()), shells = with_exchanged_shells(random, line.atoms());
    std::size_t changed = 0;
    for (std::size_t i = 0; i < 9; ++i) {
      changed += some.types[i] != line.types[i];
      chosen[i] += shells.types[i] != line.types[i];
    }
    CHECK(some.positions == line.positions && shells.positions == line.positions);
    CHECK(has_the_types_of(some, line) && has_the_types_of(shells, line));
    ++pairs[std::min<std::size_t>(changed / 2, 4)];
  }
  CHECK(pairs[1] > 900 && pairs[1] < 1600);  // one exchange in half of the cases; further ones may undo it
  CHECK(pairs[2] > 200 && pairs[3] > 50 && pairs[4] == 0);  // there are three atoms of one type
  // The two ends, which differ most from the middle in rank, are likelier than their neighbours.
  CHECK(chosen[0] + chosen[8] > chosen[2] + chosen[6]);
}

}  // namespace

int main() {
  return check::run_all(
      {{"a splice is of the top of one and the bottom of the other",
        a_splice_is_of_the_top_of_one_and_the_bottom_of_the_other},
       {"a twist turns one part about the vertical", a_twist_turns_one_part_about_the_vertical},
       {"a mirrored cluster is symmetric but for the noise", a_mirrored_cluster_is_symmetric_but_for_the_noise},
       {"rattled atoms are all or some", rattled_atoms_are_all_or_some},
       {"random packings fill a ball", random_packings_fill_a_ball},
       {"unlike atoms exchange their types", unlike_atoms_exchange_their_types}});
}
