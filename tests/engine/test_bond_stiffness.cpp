// The springs that precondition minimisations, against their definition in bond_stiffness.h.
#include <array>
#include <random>

#include "bond_stiffness.h"
#include "check.h"

namespace {

constexpr double accuracy = 1e-12;
const std::vector<double> bonds = {1.0, 1.1, 1.1, 1.2};  // of two types

// Atoms on a shaken lattice, none nearer than 0.8 bonds, of types 1 and 2 in turn.
struct Atoms {
  Atoms(int length, int side) {
    std::mt19937 random(7);
    std::uniform_real_distribution<double> shake(-0.05, 0.05);
    for (int k = 0; k < length * side * side; ++k) {
      const std::array<int, 3> place = {k % length, k / length % side, k / (length * side)};
      x.push_back({1.1 * place[0] + shake(random), 1.1 * place[1] + shake(random), 1.1 * place[2] + shake(random)});
      type.push_back(1 + k % 2);
      owner.push_back(k);
    }
  }
  int size() const { return static_cast<int>(x.size()); }
  std::vector<const double *> rows() const {
    std::vector<const double *> rows;
    for (const auto &point : x) rows.push_back(point.data());
    return rows;
  }
  std::vector<std::array<double, 3>> x;
  std::vector<int> type, owner;
};

// P z for the atoms 0 to n - 1, the others at rest; `period` is the box along x, 0 if it is open.
std::vector<double> multiplied(const Atoms &atoms, int n, double period, const std::vector<double> &z) {
  std::vector<double> product(3 * n);
  for (int i = 0; i < n; ++i) {
    for (int c = 0; c < 3; ++c) product[3 * i + c] = 0.1 * z[3 * i + c];
    for (int j = 0; j < atoms.size(); ++j)
      for (int image = period > 0.0 ? -1 : 0; image <= (period > 0.0 ? 1 : 0); ++image) {
        double gap[3], square = 0.0, stretch = 0.0;
        for (int c = 0; c < 3; ++c) gap[c] = atoms.x[j][c] - atoms.x[i][c] + (c == 0 ? image * period : 0.0);
        for (const double g : gap) square += g * g;
        const double length = bonds[2 * (atoms.type[i] - 1) + atoms.type[j] - 1], r = std::sqrt(square);
        if (i == j || r >= 1.4 * length) continue;
        for (int c = 0; c < 3; ++c) stretch += gap[c] / r * (z[3 * i + c] - (j < n ? z[3 * j + c] : 0.0));
        for (int c = 0; c < 3; ++c) product[3 * i + c] += std::pow(length / r, 12) * stretch * gap[c] / r;
      }
  }
  return product;
}

std::vector<double> random_numbers(int n) {
  std::mt19937 random(11);
  std::normal_distribution<double> normal;
  std::vector<double> numbers(n);
  for (double &number : numbers) number = normal(random);
  return numbers;
}

void solves_for_springs() {
  const Atoms atoms(3, 3);
  const int n = atoms.size();
  hea::BondStiffness stiffness(2, bonds);
  stiffness.update(n, std::vector<char>(3 * n, 1), atoms.rows().data(), atoms.type.data(), atoms.owner);
  const std::vector<double> b = random_numbers(3 * n);
  std::vector<double> z;
  stiffness.solve(b, z, accuracy);
  const std::vector<double> product = multiplied(atoms, n, 0.0, z);
  for (int k = 0; k < 3 * n; ++k) CHECK_NEAR(product[k], b[k], 1e-9);
}

void atoms_of_others_are_fixed_ends() {
  Atoms atoms(3, 3);
  const int n = 15;
  for (int k = n; k < atoms.size(); ++k) atoms.owner[k] = -1;
  hea::BondStiffness stiffness(2, bonds);
  stiffness.update(n, std::vector<char>(3 * n, 1), atoms.rows().data(), atoms.type.data(), atoms.owner);
  const std::vector<double> b = random_numbers(3 * n);
  std::vector<double> z;
  stiffness.solve(b, z, accuracy);
  const std::vector<double> product = multiplied(atoms, n, 0.0, z);
  for (int k = 0; k < 3 * n; ++k) CHECK_NEAR(product[k], b[k], 1e-9);
}

void periodic_images_move_with_their_atoms() {
  const Atoms atoms(4, 2);
  const int n = atoms.size();
  const double period = 4.4;
  Atoms all = atoms;
  for (const int image : {-1, 1})
    for (int k = 0; k < n; ++k) {
      all.x.push_back({atoms.x[k][0] + image * period, atoms.x[k][1], atoms.x[k][2]});
      all.type.push_back(atoms.type[k]);
      all.owner.push_back(k);
    }
  hea::BondStiffness stiffness(2, bonds);
  stiffness.update(n, std::vector<char>(3 * n, 1), all.rows().data(), all.type.data(), all.owner);
  const std::vector<double> b = random_numbers(3 * n);
  std::vector<double> z;
  stiffness.solve(b, z, accuracy);
  const std::vector<double> product = multiplied(atoms, n, period, z);
  for (int k = 0; k < 3 * n; ++k) CHECK_NEAR(product[k], b[k], 1e-9);
}

void what_is_held_does_not_move() {
  const Atoms atoms(3, 3);
  const int n = atoms.size();
  std::vector<char> moves(3 * n, 1);
  for (int k = 0; k < 3 * n; k += 4) moves[k] = 0;
  hea::BondStiffness stiffness(2, bonds);
  stiffness.update(n, moves, atoms.rows().data(), atoms.type.data(), atoms.owner);
  const std::vector<double> b = random_numbers(3 * n);
  std::vector<double> z;
  stiffness.solve(b, z, accuracy);
  const std::vector<double> product = multiplied(atoms, n, 0.0, z);
  for (int k = 0; k < 3 * n; ++k) CHECK_NEAR(moves[k] ? product[k] : z[k], moves[k] ? b[k] : 0.0, 1e-9);
}

void without_bonds_it_is_one() {
  hea::BondStiffness stiffness(2, {});
  stiffness.update(1, std::vector<char>(3, 1), nullptr, nullptr, {0});
  const std::vector<double> b = {1.0, -2.0, 3.0};
  std::vector<double> z;
  stiffness.solve(b, z, accuracy);
  CHECK(z == b);
}

}  // namespace

int main() {
  return check::run_all({{"solves for springs", solves_for_springs},
                         {"atoms of others are fixed ends", atoms_of_others_are_fixed_ends},
                         {"periodic images move with their atoms", periodic_images_move_with_their_atoms},
                         {"what is held does not move", what_is_held_does_not_move},
                         {"without bonds it is one", without_bonds_it_is_one}});
}
