#include "fix_atom_rows.h"

#include <algorithm>

#include "atom.h"
#include "memory.h"
#include "utils.h"

namespace LAMMPS_NS {

FixAtomRows::FixAtomRows(LAMMPS *lmp, int narg, char **arg) : Fix(lmp, narg, arg) {
  if (narg != 4) utils::missing_cmd_args(FLERR, "fix ATOM/ROWS", error);
  width_ = utils::inumeric(FLERR, arg[3], false, lmp);
  maxexchange = width_;
  FixAtomRows::grow_arrays(atom->nmax);
  atom->add_callback(Atom::GROW);
}

FixAtomRows::~FixAtomRows() {
  atom->delete_callback(id, Atom::GROW);
  memory->destroy(rows);
}

void FixAtomRows::grow_arrays(int nmax) {
  memory->grow(rows, nmax, width_, "atom/rows:rows");
}

void FixAtomRows::copy_arrays(int from, int to, int /*delflag*/) {
  std::copy_n(rows[from], width_, rows[to]);
}

int FixAtomRows::pack_exchange(int i, double *buffer) {
  std::copy_n(rows[i], width_, buffer);
  return width_;
}

int FixAtomRows::unpack_exchange(int nlocal, double *buffer) {
  std::copy_n(buffer, width_, rows[nlocal]);
  return width_;
}

double FixAtomRows::memory_usage() {
  return sizeof(double) * static_cast<double>(atom->nmax) * width_;
}

}  // namespace LAMMPS_NS
