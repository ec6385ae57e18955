#include <algorithm>

#include "check.h"
#include "cluster.h"
#include "contacts.h"
#include "geometry.h"
#include "growth.h"
#include "random_source.h"

using namespace hea::clusters;

namespace {

constexpr double contact = 1.3, least = 0.8;
constexpr Judging judging{contact, least, 1.5};

Cluster grown_cluster(const Cluster &seed, const std::vector<std::int64_t> &added, std::mt19937_64 &engine) {
  Random random = random_of(engine);
  Arrangement result = grown(random, seed.atoms(), added, judging);
  return {std::move(result.positions), std::move(result.types), seed.bonds};
}

std::vector<std::vector<double>> sorted_sites(const Sites &sites) {
  std::vector<std::vector<double>> rows;
  for (std::size_t k = 0; k < sites.contacts.size(); ++k) {
    const double *at = &sites.positions[3 * k];
    rows.push_back({std::round(at[0] * 1e9), std::round(at[1] * 1e9), std::round(at[2] * 1e9),
                    static_cast<double>(sites.contacts[k])});
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

void sites_are_the_same_atom_by_atom_and_at_once() {
  std::mt19937_64 engine(3);
  for (unsigned seed = 0; seed < 10; ++seed) {
    const std::size_t added = seed == 0 ? 70 : 20;  // the former are more than a word has bits
    Cluster whole = grown_cluster(random_binary(3, 2.0, seed), std::vector<std::int64_t>(added, seed % 2), engine);
    whole.positions[3] = 1.01 * whole.positions[3];  // ties are not what this is about
    Sites sites;
    for (std::size_t n = 1; n <= whole.types.size(); ++n) {
      const Atoms all = whole.atoms();
      const Atoms part{n, all.types, all.positions, all.kinds, all.bonds};
      extend_sites(sites, Contacts(part, contact), part, 1, contact, least);
      CHECK(sorted_sites(sites) == sorted_sites(vacant_sites(part, 1, contact, least)));
    }
  }
}

void an_octahedron_gets_atoms_on_its_faces() {
  std::mt19937_64 engine(1);
  const Cluster after = grown_cluster(octahedron(), {0, 0, 0, 0}, engine);
  CHECK(after.types == std::vector<std::int64_t>(10, 0));
  const std::vector<std::int64_t> touched = coordination(after.atoms(), contact);
  for (std::size_t i = 6; i < 10; ++i) CHECK(touched[i] >= 3);
}

void what_is_added_does_not_overlap() {
  std::mt19937_64 engine(2);
  Cluster start = octahedron();
  start.bonds = {1.0, 1.1, 1.1, 1.3};
  const Cluster after = grown_cluster(start, {1, 0, 1, 1, 0, 0, 0, 1}, engine);
  CHECK((std::vector<std::int64_t>(after.types.begin() + 6, after.types.end()) ==
         std::vector<std::int64_t>{1, 0, 1, 1, 0, 0, 0, 1}));
  const std::vector<double> apart = reduced_distances(after.atoms());
  CHECK(*std::min_element(apart.begin(), apart.end()) > least);
}

void it_grows_from_nothing() {
  std::mt19937_64 engine(4);
  const Cluster after = grown_cluster(unary({}), std::vector<std::int64_t>(12, 0), engine);
  CHECK((std::vector<double>(after.positions.begin(), after.positions.begin() + 3) == std::vector<double>{0, 0, 0}));
  CHECK(std::sqrt(squared_distance(&after.positions[0], &after.positions[3])) < 1.0 + 1e-12);
  CHECK(is_connected(after.atoms(), 1.0 + 1e-9));
  CHECK(grown_cluster(unary({}), {}, engine).types.empty());
}

// An octahedron with an atom on a face, and another far off.
Cluster with_a_stray() {
  Cluster cluster = octahedron();
  const double on_face = (std::sqrt(1.0 / 6.0) + std::sqrt(2.0 / 3.0)) / std::sqrt(3.0);
  cluster.positions.insert(cluster.positions.end(), {on_face, on_face, on_face, 3.0, 0.0, 0.0});
  cluster.types = {0, 0, 0, 0, 0, 0, 0, 1};
  cluster.bonds = {1.0, 1.0, 1.0, 1.0};
  return cluster;
}

void a_stray_atom_goes_to_the_surface() {
  std::mt19937_64 engine(5);
  Random random = random_of(engine);
  const Cluster before = with_a_stray();
  for (const Arrangement &after :
       {with_moved_atoms(random, before.atoms(), 1, judging), resurfaced(random, before.atoms(), 1, judging)}) {
    CHECK((after.types == std::vector<std::int64_t>{0, 0, 0, 0, 0, 0, 0, 1}));
    const Cluster cluster{after.positions, after.types, before.bonds};
    CHECK(coordination(cluster.atoms(), contact).back() >= 3);
  }
}

void atoms_are_moved_and_none_is_lost() {
  std::mt19937_64 engine(6);
  Random random = random_of(engine);
  const Cluster before = with_a_stray();
  for (std::size_t count = 0; count <= 4; ++count) {
    for (Arrangement after : {with_moved_atoms(random, before.atoms(), count, judging),
                              resurfaced(random, before.atoms(), count, judging)}) {
      CHECK(std::is_permutation(after.types.begin(), after.types.end(), before.types.begin(), before.types.end()));
      const Cluster cluster{after.positions, after.types, before.bonds};
      const std::vector<double> apart = reduced_distances(cluster.atoms());
      CHECK(*std::min_element(apart.begin(), apart.end()) > least);
    }
  }
}

void what_has_no_sites_stays() {
  std::mt19937_64 engine(7);
  Random random = random_of(engine);
  const Cluster pair = unary({0, 0, 0, 1, 0, 0});
  CHECK(with_moved_atoms(random, pair.atoms(), 3, judging).positions == pair.positions);
}

}  // namespace

int main() {
  return check::run_all({{"sites are the same atom by atom and at once", sites_are_the_same_atom_by_atom_and_at_once},
                         {"an octahedron gets atoms on its faces", an_octahedron_gets_atoms_on_its_faces},
                         {"what is added does not overlap", what_is_added_does_not_overlap},
                         {"it grows from nothing", it_grows_from_nothing},
                         {"a stray atom goes to the surface", a_stray_atom_goes_to_the_surface},
                         {"atoms are moved and none is lost", atoms_are_moved_and_none_is_lost},
                         {"what has no sites stays", what_has_no_sites_stays}});
}
