#include "force_calls.h"

#include <algorithm>

#include "angle.h"
#include "atom.h"
#include "bond.h"
#include "comm.h"
#include "compute.h"
#include "dihedral.h"
#include "domain.h"
#include "error.h"
#include "force.h"
#include "improper.h"
#include "kspace.h"
#include "lammps.h"
#include "modify.h"
#include "neighbor.h"
#include "pair.h"
#include "update.h"

namespace LAMMPS_NS {

namespace {

constexpr int eflag = ENERGY_GLOBAL;
constexpr int vflag = VIRIAL_NONE;  // nothing that minimises at constant volume needs it

}  // namespace

ForceCalls::Changed::Changed(LAMMPS *lmp)
    : Pointers(lmp), every(neighbor->every), delay(neighbor->delay), dist_check(neighbor->dist_check) {
  lmp->init();
  neighbor->every = 1;
  neighbor->delay = 0;
  neighbor->dist_check = 1;
  update->whichflag = 2;  // a minimisation, for fixes and computes that ask
  update->setupflag = 1;
}

ForceCalls::Changed::~Changed() {
  neighbor->every = every;
  neighbor->delay = delay;
  neighbor->dist_check = dist_check;
  update->whichflag = 0;
  update->setupflag = 0;
}

ForceCalls::ForceCalls(LAMMPS *lmp, double compression)
    : Pointers(lmp), compression_(compression), pe_(modify->get_compute_by_id("thermo_pe")), changed_(lmp) {
  if (!pe_) error->all(FLERR, "Command minimize/lbfgs needs the compute thermo_pe, which was deleted");
  if (modify->min_dof() > 0)
    error->all(FLERR, "Command minimize/lbfgs moves atoms only, but a fix wants the box relaxed: use minimize");
  atom->setup();
  modify->setup_pre_exchange();
  new_lists();
  force->setup();
  compute_forces();
  modify->setup(vflag);
  compute_energy();
  update->setupflag = 0;
}

void ForceCalls::call() {
  ++update->ntimestep;
  if (neighbor->decide()) {
    if (modify->n_min_pre_exchange) modify->min_pre_exchange();
    new_lists();
  } else {
    comm->forward_comm();
  }
  compute_forces();
  compute_energy();
}

void ForceCalls::new_lists() {
  const bool triclinic = domain->triclinic;
  if (triclinic) domain->x2lamda(atom->nlocal);
  domain->pbc();
  if (update->setupflag || domain->box_change) {
    domain->reset_box();
    comm->setup();
    if (neighbor->style) neighbor->setup_bins();
  }
  comm->exchange();
  comm->borders();
  if (triclinic) domain->lamda2x(atom->nlocal + atom->nghost);
  check_lost();
  if (update->setupflag) {
    domain->image_check();  // both look for the partners of bonds, which may be ghosts
    domain->box_too_small_check();
    modify->setup_pre_neighbor();
    neighbor->build(1);
    modify->setup_post_neighbor();
  } else {
    if (modify->n_min_pre_neighbor) modify->min_pre_neighbor();
    neighbor->build(1);
    if (modify->n_min_post_neighbor) modify->min_post_neighbor();
  }
}

// Atoms that leave a box with fixed walls, or have no position, are gone after an exchange.
void ForceCalls::check_lost() const {
  const bigint here = atom->nlocal;
  bigint left = 0;
  MPI_Allreduce(&here, &left, 1, MPI_LMP_BIGINT, MPI_SUM, world);
  if (left != atom->natoms) error->all(FLERR, "Lost atoms: original {} current {}", atom->natoms, left);
}

void ForceCalls::compute_forces() {
  ++count_;
  const std::size_t numbers = 3 * static_cast<std::size_t>(atom->nlocal + (force->newton ? atom->nghost : 0));
  if (numbers) std::fill_n(atom->f[0], numbers, 0.0);
  if (numbers && atom->torque_flag) std::fill_n(atom->torque[0], numbers, 0.0);
  if (update->setupflag)
    modify->setup_pre_force(vflag);
  else if (modify->n_min_pre_force)
    modify->min_pre_force(vflag);

  if (force->pair && force->pair->compute_flag) force->pair->compute(eflag, vflag);
  if (force->bond) force->bond->compute(eflag, vflag);
  if (force->angle) force->angle->compute(eflag, vflag);
  if (force->dihedral) force->dihedral->compute(eflag, vflag);
  if (force->improper) force->improper->compute(eflag, vflag);
  if (force->kspace) {
    if (update->setupflag) force->kspace->setup();
    if (force->kspace->compute_flag) force->kspace->compute(eflag, vflag);
  }

  if (update->setupflag)
    modify->setup_pre_reverse(eflag, vflag);
  else if (modify->n_min_pre_reverse)
    modify->min_pre_reverse(eflag, vflag);
  if (force->newton) comm->reverse_comm();
  if (compression_ != 0.0) compress();  // before fixes have their say: what they hold, they hold against it too
  if (!update->setupflag && modify->n_min_post_force) modify->min_post_force(vflag);
}

void ForceCalls::compute_energy() {
  update->eflag_global = update->ntimestep;  // lets computes of the energy know that it is there
  potential_ = pe_->compute_scalar();
}

// E = k sum |x - c|^2 with the centroid c of all atoms: the force is -2k(x - c), for c moves with them and the sum of
// x - c is zero.
void ForceCalls::compress() {
  double sums[3] = {}, centroid[3], point[3];
  for (int i = 0; i < atom->nlocal; ++i) {
    domain->unmap(atom->x[i], atom->image[i], point);
    for (int c = 0; c < 3; ++c) sums[c] += point[c];
  }
  MPI_Allreduce(sums, centroid, 3, MPI_DOUBLE, MPI_SUM, world);
  for (double &coordinate : centroid) coordinate /= static_cast<double>(atom->natoms);
  double squares = 0.0;
  for (int i = 0; i < atom->nlocal; ++i) {
    domain->unmap(atom->x[i], atom->image[i], point);
    for (int c = 0; c < 3; ++c) {
      const double away = point[c] - centroid[c];
      squares += away * away;
      atom->f[i][c] -= 2.0 * compression_ * away;
    }
  }
  MPI_Allreduce(&squares, &centripetal_, 1, MPI_DOUBLE, MPI_SUM, world);
  centripetal_ *= compression_;
}

}  // namespace LAMMPS_NS
