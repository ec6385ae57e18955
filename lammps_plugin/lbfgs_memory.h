// What limited-memory BFGS remembers of the way, and the steps that it proposes from it.
#pragma once

#include <vector>

#include "bond_stiffness.h"
#include "fix_atom_rows.h"
#include "pointers.h"

namespace LAMMPS_NS {

// Nocedal, Math. Comp. 35, 773 (1980); Liu and Nocedal, Math. Program. 45, 503 (1989). Steps s and the changes y of the
// gradient that they caused belong to atoms and follow them from rank to rank. The inverse Hessian begins as gamma
// P^-1, with P a model of the bonds' stiffness and gamma = s.y / y.P^-1.y of the last step.
class LBFGSMemory : protected Pointers {
 public:
  // steps: how many of them are remembered.
  LBFGSMemory(LAMMPS *lmp, int steps, const hea::BondStiffness &stiffness);
  ~LBFGSMemory() override;
  LBFGSMemory(const LBFGSMemory &) = delete;
  LBFGSMemory &operator=(const LBFGSMemory &) = delete;

  // The next step from the forces in atom->f, no coordinate longer than `longest`; returns its slope, which is
  // negative unless the forces are zero. It is kept with the atoms until the next one is proposed.
  double propose(double longest);
  // Move all atoms along the proposed step by `length` times it.
  void move(double length);
  // Remember that moving by `length` in all was right; forces are those at its end.
  void learn(double length);
  void forget() { count_ = 0; }
  bool is_empty() const { return count_ == 0; }

 private:
  // Columns of an atom's row.
  enum { STEP = 0, GRADIENT = 3, FIRST = 6 };
  int step_column(int age) const { return FIRST + 6 * slot(age); }
  int change_column(int age) const { return step_column(age) + 3; }
  int slot(int age) const { return (newest_ - age + steps_) % steps_; }  // age 0 is the newest

  void look();
  int owner(int ghost) const;
  void combine();
  double clamped(double longest);
  void sum(double *numbers, int n) const;

  int steps_;
  int count_ = 0, newest_ = 0;
  double gamma_ = 1.0;
  FixAtomRows *store_;
  hea::BondStiffness stiffness_;
  std::vector<double> products_;  // [slot][slot], s of the first with y of the second
  std::vector<double> work_, solution_, sums_;
  std::vector<char> moves_;
  std::vector<int> owners_;
};

}  // namespace LAMMPS_NS
