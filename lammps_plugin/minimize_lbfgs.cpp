#include "minimize_lbfgs.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "atom.h"
#include "bond_stiffness.h"
#include "comm.h"
#include "domain.h"
#include "error.h"
#include "force_calls.h"
#include "input.h"
#include "lbfgs_memory.h"
#include "utils.h"
#include "variable.h"

namespace LAMMPS_NS {

namespace {

constexpr double sufficient = 1e-4;       // of the fall in energy that the slope promises
constexpr double rounding = 1e-11;        // of the energy: a rise below this is not seen as one
constexpr double shortest_length = 1e-6;  // of a step that is tried before the direction is given up
constexpr int patience = 20;  // steps without progress before it gives up: forces may fall where the energy rounds
constexpr double tiny_energy = 1e-8;   // as `minimize` has it in its test of etol
constexpr int most_remembered = 1000;  // steps; more than some tens help no minimisation

}  // namespace

void MinimizeLBFGS::read(int narg, char **arg) {
  if (narg < 4) utils::missing_cmd_args(FLERR, "minimize/lbfgs", error);
  etol_ = utils::numeric(FLERR, arg[0], false, lmp);
  ftol_ = utils::numeric(FLERR, arg[1], false, lmp);
  max_steps_ = utils::inumeric(FLERR, arg[2], false, lmp);
  max_calls_ = utils::inumeric(FLERR, arg[3], false, lmp);
  if (!(etol_ >= 0.0) || !(ftol_ >= 0.0) || max_steps_ < 0 || max_calls_ < 0)
    error->all(FLERR, "Command minimize/lbfgs: etol {} ftol {} maxiter {} maxeval {}; none may be negative", arg[0],
               arg[1], arg[2], arg[3]);
  const int types = atom->ntypes;
  for (int i = 4; i < narg;) {
    const std::string keyword = arg[i++];
    if (keyword != "memory" && keyword != "dmax" && keyword != "bonds" && keyword != "compress")
      error->all(FLERR, "Command minimize/lbfgs: no keyword '{}'; allowed are memory, dmax, bonds and compress",
                 keyword);
    const int wanted = keyword == "bonds" ? types * (types + 1) / 2 : 1;
    if (i + wanted > narg)
      error->all(FLERR, "Command minimize/lbfgs: {} wants {} values for {} atom types, got {}", keyword, wanted, types,
                 narg - i);
    if (keyword == "memory") {
      remembered_ = utils::inumeric(FLERR, arg[i], false, lmp);
      if (remembered_ > most_remembered)
        error->all(FLERR, "Command minimize/lbfgs: memory must be at most {}, got {}", most_remembered, arg[i]);
    }
    std::vector<double> values;
    for (const int last = i + wanted; i < last; ++i) {
      values.push_back(utils::numeric(FLERR, arg[i], false, lmp));
      if (!(values.back() > 0.0) || !std::isfinite(values.back()))
        error->all(FLERR, "Command minimize/lbfgs: {} must be positive, got {}", keyword, arg[i]);
    }
    if (keyword == "dmax") dmax_ = values[0];
    if (keyword == "compress") compression_ = values[0];
    if (keyword == "bonds") read_bonds(values);
  }
}

void MinimizeLBFGS::read_bonds(const std::vector<double> &lengths) {
  const int types = atom->ntypes;
  bonds_.resize(static_cast<std::size_t>(types) * types);
  auto length = lengths.begin();
  for (int a = 0; a < types; ++a)
    for (int b = a; b < types; ++b) bonds_[a * types + b] = bonds_[b * types + a] = *length++;
}

void MinimizeLBFGS::command(int narg, char **arg) {
  if (!domain->box_exist) error->all(FLERR, "Command minimize/lbfgs before simulation box is defined");
  read(narg, arg);
  LBFGSMemory memory(lmp, remembered_, hea::BondStiffness(atom->ntypes, bonds_));
  ForceCalls forces(lmp, compression_);
  const double initial = forces.potential();
  const char *reason = minimise(forces, memory);
  const double fmax = largest_force();
  set_variable("lbfgs_calls", forces.count());
  set_variable("lbfgs_fmax", fmax);
  if (comm->me == 0)
    utils::logmesg(lmp,
                   "L-BFGS minimisation: {}\n  steps {}, force calls {}\n  energy {:.12g} at first, {:.12g} at last\n"
                   "  largest force {:.6g}\n",
                   reason, steps_, forces.count(), initial, forces.potential(), fmax);
}

const char *MinimizeLBFGS::minimise(ForceCalls &forces, LBFGSMemory &memory) {
  double least_force = largest_force();
  for (int idle = 0; idle < patience; ++idle) {
    if (largest_force() <= ftol_) return "no force is larger than ftol";
    if (steps_ >= max_steps_) return "maxiter steps are made";
    if (forces.count() >= max_calls_) return "maxeval force calls are spent";
    const double before = forces.energy();
    const double slope = memory.propose(dmax_);
    if (!(slope < 0.0) || !step(forces, memory, slope)) {
      if (memory.is_empty()) break;
      memory.forget();
      continue;
    }
    ++steps_;
    const double fall = before - forces.energy(), scale = 0.5 * (std::fabs(before) + std::fabs(forces.energy()));
    if (std::fabs(fall) < etol_ * (scale + tiny_energy)) return "the energy falls by less than etol";
    const double force = largest_force();
    if (fall > rounding * scale || force < 0.9 * least_force) idle = -1;
    least_force = std::min(least_force, force);
  }
  return "neither energy nor forces fall any more";
}

// One step that lowers the energy, shortened until it does; if none is found, atoms are back where they were.
bool MinimizeLBFGS::step(ForceCalls &forces, LBFGSMemory &memory, double slope) {
  const double before = forces.energy();
  double length = 1.0;
  memory.move(length);
  while (true) {
    forces.call();
    const double rise = forces.energy() - before;
    if (rise <= sufficient * length * slope + rounding * std::fabs(before)) {
      memory.learn(length);
      return true;
    }
    if (length < shortest_length || forces.count() + 1 >= max_calls_) {
      memory.move(-length);
      forces.call();
      return false;
    }
    // The lowest point of the parabola through both energies and the slope; after an absurd step just a shorter one.
    const double lowest = std::isfinite(rise) ? -0.5 * slope * length * length / (rise - slope * length) : 0.0;
    const double shorter = std::min(std::max(lowest, 0.1 * length), 0.5 * length);
    memory.move(shorter - length);
    length = shorter;
  }
}

// Infinite where a force is no number, as between atoms on top of each other: that is no minimum.
double MinimizeLBFGS::largest_force() const {
  double square = 0.0, largest = 0.0;
  for (int i = 0; i < atom->nlocal; ++i) {
    const double *f = atom->f[i];
    const double of_atom = f[0] * f[0] + f[1] * f[1] + f[2] * f[2];
    square = std::isnan(of_atom) ? HUGE_VAL : std::max(square, of_atom);
  }
  MPI_Allreduce(&square, &largest, 1, MPI_DOUBLE, MPI_MAX, world);
  return std::sqrt(largest);
}

void MinimizeLBFGS::set_variable(const char *name, double value) {
  if (input->variable->find(name) < 0) input->variable->set(fmt::format("{} internal 0", name));
  const int known = input->variable->find(name);
  if (input->variable->internalstyle(known))
    input->variable->internal_set(known, value);  // as it is: the text of a number may not be infinite
  else
    error->all(FLERR, "Command minimize/lbfgs sets the variable {}, but the input has one of this name", name);
}

}  // namespace LAMMPS_NS
