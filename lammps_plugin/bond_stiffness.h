// A cheap model of how stiff a structure is, to precondition its minimisation.
#pragma once

#include <vector>

namespace hea {

// The model: P = stab + sum over bonds of k(r) (u . (z_i - z_j))^2 / 2, springs along the bonds alone, u the unit
// vector of a bond, k(r) = (b/r)^12, b the bond length of the two types. After Packwood et al., J. Chem. Phys. 144,
// 164109 (2016), whose springs are isotropic, and Mones, Ortner and Csanyi, Sci. Rep. 8, 13991 (2018), who give them a
// direction. Its unit is the stiffness of a bond: a minimiser scales it. A rank solves for its own atoms and takes
// those of others as fixed: a block of the whole, positive definite like it.
class BondStiffness {
 public:
  // bonds: lengths by pairs of types, [n_types][n_types]; empty for P = 1.
  BondStiffness(int n_types, std::vector<double> bonds);

  // The structure: n atoms that are solved for, whether each of their 3 n coordinates can move, and, they first, all
  // atoms with positions [n_all][3], types from 1 and the atom that each is or is an image of, -1 if it is fixed.
  void update(int n, const std::vector<char> &moves, const double *const *x, const int *type,
              const std::vector<int> &atom);

  // z = P^-1 b [3 n] by conjugate gradients, until the residual is `accuracy` of what it was, in the norm of the
  // diagonal blocks; b and z are 0 where nothing moves.
  void solve(const std::vector<double> &b, std::vector<double> &z, double accuracy);

 private:
  struct Place {
    double x[3];
    int index;
  };
  struct Spring {
    int i, j;
    double v[3];  // sqrt(k) u
  };
  double bond(int a, int b) const { return bonds_[(a - 1) * n_types_ + b - 1]; }
  void add_spring(int i, int j, const double *gap, double r2, double length);
  void multiply(const std::vector<double> &z, std::vector<double> &product) const;
  void hold(std::vector<double> &z) const;
  void precondition(const std::vector<double> &b, std::vector<double> &z) const;

  int n_types_;
  std::vector<double> bonds_;
  double longest_ = 0.0;
  int n_ = 0;
  // All fixed ends of springs are one more atom, the last, that does not move.
  std::vector<char> moves_;  // [n + 1][3]
  std::vector<Spring> springs_;
  std::vector<double> blocks_;  // [n + 1][6], inverse of the diagonal blocks: xx yy zz xy xz yz
  std::vector<Place> places_;
  std::vector<double> residual_, preconditioned_, search_, product_;
};

}  // namespace hea
