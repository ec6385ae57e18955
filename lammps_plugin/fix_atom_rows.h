// Rows of numbers that belong to atoms and move with them from rank to rank.
#pragma once

#include "fix.h"

namespace LAMMPS_NS {

// fix ID all ATOM/ROWS width: an internal style, made and deleted by commands that keep numbers for each atom.
class FixAtomRows : public Fix {
 public:
  FixAtomRows(LAMMPS *lmp, int narg, char **arg);
  ~FixAtomRows() override;

  double **rows = nullptr;  // [local atoms][width], not initialised

  int setmask() override { return 0; }
  void grow_arrays(int nmax) override;
  void copy_arrays(int from, int to, int delflag) override;
  int pack_exchange(int i, double *buffer) override;
  int unpack_exchange(int nlocal, double *buffer) override;
  double memory_usage() override;

 private:
  int width_;
};

}  // namespace LAMMPS_NS
