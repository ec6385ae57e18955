// A cheap model of how stiff a structure is, to precondition its minimisation.
#pragma once

#include <vector>

namespace hea {

// The model: P = stab + sum over bonds of k(r) (u . (z_i - z_j))^2 / 2, springs along the bonds alone, u the unit
// vector of a bond, k(r) = exp(-A (r/b - 1)), b the bond length of the two types. After Packwood et al., J. Chem. Phys.
// 144, 164109 (2016), whose springs are isotropic, and Mones, Ortner and Csanyi, Sci. Rep. 8, 13991 (2018), who give
// them a direction. Its unit is that of the stiffest bond: a minimiser scales it. It knows the atoms of one rank alone,
// so it is a block of the whole, positive definite like it.
class BondStiffness {
 public:
  // bonds: lengths by pairs of types, [n_types][n_types]; empty for P = 1.
  BondStiffness(int n_types, std::vector<double> bonds);

  // The structure: n atoms that are solved for, whether each of their 3 n coordinates can move, and, they first, all
  // atoms with positions [n_all][3], types from 1 and the atom that each is or is an image of, -1 if it is fixed.
  void update(int n, const std::vector<char> &moves, const double *const *x, const int *type,
              const std::vector<int> &atom);

  // z = P^-1 b [3 n], to about a tenth, by conjugate gradients; b and z are 0 where nothing moves.
  void solve(const std::vector<double> &b, std::vector<double> &z);

 private:
  struct Spring {
    int i, j;     // j = -1: the other end is fixed
    double v[3];  // sqrt(k) u
  };
  double bond(int a, int b) const { return bonds_[(a - 1) * n_types_ + b - 1]; }
  void add_spring(int i, int j, const double *from, const double *to, double length);
  void multiply(const std::vector<double> &z, std::vector<double> &product) const;
  void precondition(const std::vector<double> &b, std::vector<double> &z) const;

  int n_types_;
  std::vector<double> bonds_;
  double longest_ = 0.0;
  int n_ = 0;
  std::vector<char> moves_;
  std::vector<Spring> springs_;
  std::vector<double> blocks_;  // [n][6], inverse of the diagonal blocks: xx yy zz xy xz yz
  std::vector<int> order_;
  std::vector<double> residual_, preconditioned_, search_, product_;
};

}  // namespace hea
