#include <algorithm>

#include "check.h"
#include "cluster.h"
#include "geometry.h"
#include "half_edges.h"

using namespace hea::clusters;

namespace {

void distances_are_in_bonds() {
  Cluster cluster = unary({0, 0, 0, 3, 0, 4});
  cluster.types = {0, 1};
  cluster.bonds = {1.0, 2.0, 2.0, 4.0};
  const std::vector<double> result = reduced_distances(cluster.atoms());
  CHECK(std::isinf(result[0]) && std::isinf(result[3]));
  CHECK_NEAR(result[1], 2.5, 1e-15);
  CHECK_NEAR(result[2], 2.5, 1e-15);
}

void contacts_of_an_octahedron() {
  for (const std::int64_t count : coordination(octahedron().atoms(), 1.3)) CHECK(count == 4);
  for (const std::int64_t count : coordination(octahedron().atoms(), 1.5)) CHECK(count == 5);
}

void edges_are_the_pairs_within_the_cutoff() {
  for (unsigned seed = 0; seed < 10; ++seed) {
    const Cluster cluster = random_binary(3 * seed, 4.0, seed);
    const HalfEdges edges = half_edges(cluster.positions, 1.7);
    CHECK(edges.first.size() == cluster.types.size() + 1 && edges.vectors.size() == 3 * edges.neighbour.size());
    std::size_t edge = 0;
    for (std::size_t i = 0; i < cluster.types.size(); ++i) {
      CHECK(edges.first[i] == static_cast<std::int64_t>(edge));
      for (std::size_t j = i + 1; j < cluster.types.size(); ++j) {
        const double *a = &cluster.positions[3 * i], *b = &cluster.positions[3 * j];
        if (squared_distance(a, b) >= 1.7 * 1.7) continue;
        CHECK(edges.neighbour.at(edge) == static_cast<std::int32_t>(j));
        for (std::size_t c = 0; c < 3; ++c) CHECK(edges.vectors[3 * edge + c] == b[c] - a[c]);
        ++edge;
      }
    }
    CHECK(edges.neighbour.size() == edge);
  }
}

void a_gap_divides_a_cluster() {
  Cluster line = unary({0, 0, 0, 4.5, 0, 0, 1.5, 0, 0, 3, 0, 0});
  CHECK(is_connected(line.atoms(), 1.6));
  CHECK(!is_connected(line.atoms(), 1.4));
  CHECK(is_connected(unary({}).atoms(), 1.6));
  CHECK(is_connected(unary({1, 2, 3}).atoms(), 1.6));
  line.positions[4] = std::nan("");
  CHECK(!is_connected(line.atoms(), 1.6));
}

void separated_atoms_have_room(const Cluster &cluster) {
  Cluster after = cluster;
  after.positions = separated(cluster.atoms(), 0.8, 30);
  const std::vector<double> apart = reduced_distances(after.atoms());
  CHECK(*std::min_element(apart.begin(), apart.end()) >= 0.8 * (1.0 - 1e-12));
}

void crowds_are_separated() {
  for (unsigned seed = 0; seed < 20; ++seed) separated_atoms_have_room(random_binary(2 + 2 * seed, 1.5, seed));
  separated_atoms_have_room(unary(std::vector<double>(15, 0.25)));  // five atoms in one place
}

void what_has_room_stays() {
  const Cluster cluster = octahedron();
  CHECK(separated(cluster.atoms(), 0.8, 30) == cluster.positions);
  CHECK(separated(unary({}).atoms(), 0.8, 30).empty());
}

void sites_above_the_faces_of_an_octahedron() {
  const Sites sites = vacant_sites(octahedron().atoms(), 0, 1.3, 0.8);
  CHECK(sites.contacts.size() == 8);
  for (std::size_t site = 0; site < sites.contacts.size(); ++site) {
    CHECK(sites.contacts[site] == 3);
    // The centre of a face is sqrt(1/6) from the middle, the apex of its tetrahedron sqrt(2/3) above it.
    const double each = (std::sqrt(1.0 / 6.0) + std::sqrt(2.0 / 3.0)) / std::sqrt(3.0);
    for (std::size_t k = 0; k < 3; ++k) CHECK_NEAR(std::abs(sites.positions[3 * site + k]), each, 1e-12);
  }
}

void sites_above_and_below_a_square() {
  const Sites sites = vacant_sites(unary({0, 0, 0, 1, 0, 0, 1, 1, 0, 0, 1, 0}).atoms(), 0, 1.3, 0.8);
  CHECK((sites.contacts == std::vector<std::int64_t>(8, 4)));
  for (std::size_t site = 0; site < sites.contacts.size(); ++site) {
    const double *at = &sites.positions[3 * site];
    CHECK_NEAR(at[0], 0.5, 1e-12);
    CHECK_NEAR(at[1], 0.5, 1e-12);
    CHECK_NEAR(std::abs(at[2]), std::sqrt(0.5), 1e-12);
  }
}

void no_sites_without_triangles() {
  CHECK(vacant_sites(unary({0, 0, 0, 1, 0, 0, 2, 0, 0}).atoms(), 0, 1.3, 0.8).contacts.empty());
  CHECK(vacant_sites(unary({0, 0, 0, 0, 0, 0, 0, 0, 0}).atoms(), 0, 1.3, 0.8).contacts.empty());
}

void atoms_in_order_of_their_types() {
  Cluster cluster = unary({1, 0, 0, 2, 0, 0, 3, 0, 0, 6, 0, 0});
  cluster.types = {1, 0, 1, 0};
  const Arrangement result = ordered(4, cluster.types.data(), cluster.positions.data());
  CHECK((result.types == std::vector<std::int64_t>{0, 0, 1, 1}));
  CHECK((result.positions == std::vector<double>{-1, 0, 0, 3, 0, 0, -2, 0, 0, 0, 0, 0}));
}

void half_a_turn() {
  const std::vector<double> positions{1, 0, 0, 3, 4, 5};
  const double about_z[4] = {0, 0, 0, 2};
  CHECK((turned(2, positions.data(), about_z) == std::vector<double>{1, 2, -2.5, -1, -2, 2.5}));
}

}  // namespace

int main() {
  return check::run_all({{"half a turn", half_a_turn},
                         {"distances are in bonds", distances_are_in_bonds},
                         {"contacts of an octahedron", contacts_of_an_octahedron},
                         {"edges are the pairs within the cutoff", edges_are_the_pairs_within_the_cutoff},
                         {"a gap divides a cluster", a_gap_divides_a_cluster},
                         {"crowds are separated", crowds_are_separated},
                         {"what has room stays", what_has_room_stays},
                         {"sites above the faces of an octahedron", sites_above_the_faces_of_an_octahedron},
                         {"sites above and below a square", sites_above_and_below_a_square},
                         {"no sites without triangles", no_sites_without_triangles},
                         {"atoms in order of their types", atoms_in_order_of_their_types}});
}
