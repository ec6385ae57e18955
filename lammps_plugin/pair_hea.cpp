#include "pair_hea.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "atom.h"
#include "comm.h"
#include "error.h"
#include "force.h"
#include "memory.h"
#include "model_file.h"
#include "modify.h"
#include "neigh_list.h"
#include "neighbor.h"
#include "update.h"

namespace LAMMPS_NS {

namespace {

constexpr double shortest_distance = 1e-3;  // A; closer atoms are taken for an error of the input, as in the engine

std::string join(const std::vector<std::string> &words) {
  std::string text;
  for (const std::string &word : words) text += (text.empty() ? "" : " ") + word;
  return text;
}

double *zeros(std::vector<double> &array, std::size_t n) {
  array.assign(n, 0.0);
  return array.data();
}

}  // namespace

PairHEA::PairHEA(LAMMPS *lammps) : Pair(lammps), exchange_(world) {
  manybody_flag = 1;
  one_coeff = 1;
  single_enable = 0;
  comm_forward = 2;             // an atom's owner, see find_owners()
  no_virial_fdotr_compute = 1;  // forces of images are added to their atoms, whose positions they do not act on
  reinitflag = 0;               // no parameters for fix adapt
  centroidstressflag = CENTROID_NOTAVAIL;  // edges are shared by halves, which is not a many-body term's centroid form
  nextra = 2;
  pvector = extra_;
}

PairHEA::~PairHEA() {
  pvector = nullptr;
  if (allocated) {
    memory->destroy(setflag);
    memory->destroy(cutsq);
  }
}

void PairHEA::allocate() {
  const int n = atom->ntypes;
  memory->create(setflag, n + 1, n + 1, "pair:setflag");
  memory->create(cutsq, n + 1, n + 1, "pair:cutsq");
  for (int i = 0; i <= n; ++i) {
    std::fill_n(setflag[i], n + 1, 0);
    std::fill_n(cutsq[i], n + 1, 0.0);
  }
  allocated = 1;
}

void PairHEA::settings(int narg, char **arg) {
  precision_ = hea::Precision::fp32;
  kappa_ = 0.0;
  for (int k = 0; k < narg; k += 2) {
    const std::string option = arg[k];
    if (option != "precision" && option != "kappa")
      error->all(FLERR, "Pair style hea has no option '{}': allowed are precision and kappa", option);
    if (k + 1 == narg) error->all(FLERR, "Pair style hea option {} needs a value", option);
    const std::string value = arg[k + 1];
    if (option == "kappa") {
      kappa_ = utils::numeric(FLERR, value, false, lmp);
    } else {
      if (value != "single" && value != "double")
        error->all(FLERR, "Pair style hea precision is single or double, got '{}'", value);
      precision_ = value == "single" ? hea::Precision::fp32 : hea::Precision::fp64;
    }
  }
  potential_.reset();  // init_style() builds it for the new settings
}

void PairHEA::coeff(int narg, char **arg) {
  if (narg < 3 || std::strcmp(arg[0], "*") != 0 || std::strcmp(arg[1], "*") != 0)
    error->all(FLERR, "Pair style hea needs 'pair_coeff * * MODEL ELEMENT ...' with an element or NULL for each type");
  const std::vector<std::string> elements_given(arg + 3, arg + narg);
  if (narg - 3 != atom->ntypes)
    error->all(FLERR, "Pair style hea needs an element or NULL for each of the {} atom types, got {}: {}", atom->ntypes,
               narg - 3, narg == 3 ? "none" : join(elements_given));
  try {
    set_model(arg[2], elements_given);
  } catch (const std::exception &e) {  // every rank has the same bytes, so every rank comes here
    error->all(FLERR, "Pair style hea: {}", e.what());
  }
  restart_problem_.clear();
}

// Throws what went wrong; then the style is as it was before.
void PairHEA::set_model(const std::string &name, const std::vector<std::string> &element_of_type) {
  const ModelFile file = load_model_file(name, world);
  std::unique_ptr<hea::Model> model;
  try {
    model = std::make_unique<hea::Model>(hea::read_model(file.bytes.data(), file.bytes.size()));
  } catch (const std::exception &e) {
    throw ModelFileError("model '" + file.path + "': " + e.what());
  }

  std::vector<int> index = {-1};
  for (const std::string &element : element_of_type) {
    const auto found = std::find(model->elements.begin(), model->elements.end(), element);
    if (found == model->elements.end() && element != "NULL")
      throw ModelFileError("element '" + element + "' of atom type " + std::to_string(index.size()) +
                           " is not in model '" + file.path + "': allowed are " + join(model->elements) + " and NULL");
    index.push_back(element == "NULL" ? -1 : static_cast<int>(found - model->elements.begin()));
  }
  if (std::all_of(index.begin(), index.end(), [](int k) { return k < 0; }))
    throw ModelFileError("all atom types are NULL: at least one needs an element of model '" + file.path + "' (" +
                         join(model->elements) + ")");

  model_name_ = name;
  element_of_type_ = element_of_type;
  model_hash_ = file.hash;
  model_ = std::move(model);
  model_index_ = index;
  takes_part_.assign(index.size(), 0);
  for (std::size_t type = 1; type < index.size(); ++type) takes_part_[type] = index[type] >= 0;
  potential_.reset();

  claim_types();
  if (comm->me == 0)
    utils::logmesg(lmp, "Pair style hea: model {}, elements {}, cutoff {} A, {} instructions\n", file.path,
                   join(element_of_type), model_->cutoff, hea::simd_name());
}

// Alone, the style has to claim NULL types as well, or LAMMPS misses their coefficients; under a hybrid style they
// belong to somebody else.
void PairHEA::claim_types() {
  if (!allocated) allocate();
  const bool alone = force->pair == this;
  for (int i = 1; i <= atom->ntypes; ++i)
    for (int j = i; j <= atom->ntypes; ++j) setflag[i][j] = alone || (takes_part_[i] && takes_part_[j]);
}

void PairHEA::init_style() {
  if (!restart_problem_.empty()) error->all(FLERR, "Pair style hea: {}", restart_problem_);
  check_surroundings();
  if (!potential_) build_potential();
  agree_on_what_is_wanted();
  neighbor->add_request(this);
}

// Both cost messages, so that no rank may wait for them alone: a program that drives LAMMPS may ask on one rank only.
void PairHEA::agree_on_what_is_wanted() {
  const bool has_compute = !modify->get_compute_by_style("pair").empty();
  int wanted[2] = {was_asked_for_sigma_ || has_compute, was_asked_for_beyond_ || has_compute};
  MPI_Allreduce(MPI_IN_PLACE, wanted, 2, MPI_INT, MPI_MAX, world);
  want_sigma_ = wanted[0] && model_->has_sigma;
  want_beyond_ = wanted[1];
}

void PairHEA::check_surroundings() {
  const std::string units = update->unit_style;
  if (units != "metal" && units != "real")
    error->all(FLERR, "Pair style hea needs units metal or real, got units {}", units);
  if (!force->newton_pair)
    error->all(FLERR, "Pair style hea needs newton on (for pairs), got newton off: use 'newton on'");
  if (kappa_ != 0.0 && !model_->has_sigma)
    error->all(FLERR,
               "Pair style hea: kappa {} needs a model with uncertainty data (gram), model '{}' has none: allowed is "
               "kappa 0",
               kappa_, model_name_);
}

void PairHEA::build_potential() {
  try {
    potential_ = std::make_unique<hea::Potential>(*model_, model_index_, precision_);
  } catch (const std::exception &e) {
    error->all(FLERR, "Pair style hea: {}", e.what());
  }
}

// special_bonds takes pairs out of the neighbour list. That would change the energy of a many-body potential silently.
void PairHEA::setup() {
  if (atom->molecular == Atom::ATOMIC) return;
  if (force->special_lj[1] == 1.0 && force->special_lj[2] == 1.0 && force->special_lj[3] == 1.0) return;
  int bonded = 0;
  for (int i = 0; i < atom->nlocal; ++i) {
    if (!takes_part_[atom->type[i]] || !atom->nspecial) continue;
    for (int k = 0; k < atom->nspecial[i][2]; ++k) {
      const int j = atom->map(atom->special[i][k]);
      if (j >= 0 && takes_part_[atom->type[j]]) bonded = 1;
    }
  }
  MPI_Allreduce(MPI_IN_PLACE, &bonded, 1, MPI_INT, MPI_MAX, world);
  if (bonded)
    error->all(FLERR,
               "Pair style hea counts every neighbour, but bonds connect its atoms and special_bonds lj is {} {} {}: "
               "use 'special_bonds lj 1 1 1'",
               force->special_lj[1], force->special_lj[2], force->special_lj[3]);
}

double PairHEA::init_one(int i, int j) {
  return takes_part_[i] && takes_part_[j] ? model_->cutoff : 0.0;
}

double PairHEA::energy_unit() const {
  if (std::strcmp(update->unit_style, "real") != 0) return 1.0;
  return utils::get_conversion_factor(utils::ENERGY, utils::METAL2REAL);
}

void PairHEA::compute(int eflag, int vflag) {
  ev_init(eflag, vflag);
  check_positions();
  if (neighbor->ago == 0 || neighbor->lastcall != planned_at_) find_owners();
  edges_.build(*list, atom->nlocal, atom->x, atom->type, exchange_.row_of_atom(), takes_part_, potential_->cutoff());
  if (edges_.shortest_squared() < shortest_distance * shortest_distance) report_overlap();

  const std::vector<int> &atom_of_row = exchange_.atom_of_row();
  type_.clear();
  for (int i : atom_of_row) type_.push_back(atom->type[i]);
  hea::Configuration configuration;
  configuration.n_owned = atom->nlocal;
  configuration.n_all = exchange_.n_rows();
  configuration.type = type_.data();
  configuration.first = edges_.first();
  configuration.neighbour = edges_.neighbour();
  configuration.vector = edges_.vector();

  // What is asked for must not depend on the rank, or ranks without atoms miss messages. So there is room for one row
  // at least: data() of an empty vector may be null, which tells the engine that nothing is wanted.
  const std::size_t n_rows = std::max(exchange_.n_rows(), 1);
  hea::Result result;
  result.force = zeros(force_, 3 * n_rows);
  if (vflag_global) result.virial = virial;
  if (eflag_atom) result.atom_energy = zeros(atom_energy_, n_rows);
  if (vflag_atom) result.atom_virial = zeros(atom_virial_, 6 * n_rows);
  if (want_beyond_) {
    beyond_count_.assign(n_rows, 0);
    result.beyond_training = beyond_count_.data();
  }
  hea::Options options;
  options.kappa = kappa_;
  options.want_sigma = want_sigma_ && eflag_global;
  evaluate(configuration, result, options);
  hand_over(result, options.want_sigma || kappa_ != 0.0);
}

// Gives the engine's result to LAMMPS, in its units. Rows of other ranks go to a ghost, from where LAMMPS brings them
// home.
void PairHEA::hand_over(const hea::Result &result, bool sigma_is_known) {
  const double unit = energy_unit();
  const std::vector<int> &atom_of_row = exchange_.atom_of_row();
  for (std::size_t row = 0; row < atom_of_row.size(); ++row)
    for (int c = 0; c < 3; ++c) atom->f[atom_of_row[row]][c] += unit * force_[3 * row + c];
  if (eflag_atom)
    for (std::size_t row = 0; row < atom_of_row.size(); ++row) eatom[atom_of_row[row]] += unit * atom_energy_[row];
  if (vflag_atom)
    for (std::size_t row = 0; row < atom_of_row.size(); ++row)
      for (int c = 0; c < 6; ++c) vatom[atom_of_row[row]][c] += unit * atom_virial_[6 * row + c];
  if (vflag_global)
    for (double &component : virial) component *= unit;

  // LAMMPS adds up energies and the values of compute pair over the ranks; sigma is the whole system's on each.
  const bool first_rank = comm->me == 0;
  if (eflag_global) eng_vdwl += unit * (result.energy - (first_rank ? kappa_ * result.sigma : 0.0));
  sigma_ = sigma_is_known ? unit * result.sigma : std::numeric_limits<double>::quiet_NaN();
  extra_[0] = first_rank ? sigma_ : 0.0;
  if (want_beyond_) flag_atoms_beyond_training();
}

// Ghosts learn which atom they are an image of, by LAMMPS' forward communication. The half list has each pair on one
// rank only, so about half of the ghosts are in no pair here and need no row.
void PairHEA::find_owners() {
  owner_.resize(atom->nlocal + atom->nghost);
  for (int i = 0; i < atom->nlocal; ++i) owner_[i] = {comm->me, i};
  comm->forward_comm(this);

  in_a_pair_.assign(owner_.size(), 0);
  for (int k = 0; k < list->inum; ++k) {
    const int i = list->ilist[k];
    for (int m = 0; m < list->numneigh[i]; ++m) in_a_pair_[list->firstneigh[i][m] & NEIGHMASK] = 1;
  }
  exchange_.plan(atom->nlocal, owner_, in_a_pair_);
  planned_at_ = neighbor->lastcall;
}

// A rank that stops alone stops the others: error->one ends the whole run.
void PairHEA::evaluate(hea::Configuration &configuration, hea::Result &result, const hea::Options &options) {
  try {
    potential_->evaluate(configuration, options, &exchange_, result);
  } catch (const LAMMPSException &) {
    throw;
  } catch (const std::exception &e) {
    error->one(FLERR, "Pair style hea: {}", e.what());
  }
  if (!std::isfinite(result.energy))
    error->one(FLERR, "Pair style hea: the energy is {} at step {}: the forces before were too large for this timestep",
               result.energy, update->ntimestep);
}

void PairHEA::check_positions() {
  for (int i = 0; i < atom->nlocal; ++i) {
    const double *x = atom->x[i];
    if (!std::isfinite(x[0] + x[1] + x[2]))
      error->one(FLERR, "Pair style hea: atom {} is at ({}, {}, {}): coordinates must be finite", atom->tag[i], x[0],
                 x[1], x[2]);
  }
}

void PairHEA::report_overlap() {
  for (int i = 0; i < atom->nlocal; ++i)
    for (std::int64_t e = edges_.first()[i]; e < edges_.first()[i + 1]; ++e) {
      const double *d = edges_.vector() + 3 * e;
      const double r = std::sqrt(d[0] * d[0] + d[1] * d[1] + d[2] * d[2]);
      if (r < shortest_distance)
        error->one(FLERR, "Pair style hea: atoms {} and {} are {:.3g} A apart: at least {} A are needed", atom->tag[i],
                   atom->tag[exchange_.atom_of_row()[edges_.neighbour()[e]]], r, shortest_distance);
    }
}

void PairHEA::flag_atoms_beyond_training() {
  beyond_.assign(beyond_count_.begin(), beyond_count_.end());
  exchange_.from_ghosts(beyond_.data(), 1);
  const auto end_of_owned = beyond_.begin() + atom->nlocal;
  std::transform(beyond_.begin(), end_of_owned, beyond_.begin(), [](double count) { return count > 0.0 ? 1.0 : 0.0; });
  extra_[1] = std::count(beyond_.begin(), end_of_owned, 1.0);
}

void *PairHEA::extract(const char *name, int &dimension) {
  dimension = 0;
  if (std::strcmp(name, "sigma") != 0) return nullptr;
  was_asked_for_sigma_ = true;
  return &sigma_;
}

void *PairHEA::extract_peratom(const char *name, int &columns) {
  columns = 0;
  if (std::strcmp(name, "beyond") != 0) return nullptr;
  was_asked_for_beyond_ = true;
  if (beyond_.size() < static_cast<std::size_t>(atom->nlocal) + 1) beyond_.resize(atom->nlocal + 1);
  return beyond_.data();
}

int PairHEA::pack_forward_comm(int n, int *atoms, double *buffer, int, int *) {
  for (int k = 0; k < n; ++k) {
    buffer[2 * k] = owner_[atoms[k]].rank;
    buffer[2 * k + 1] = owner_[atoms[k]].index;
  }
  return 2 * n;
}

void PairHEA::unpack_forward_comm(int n, int first, double *buffer) {
  for (int k = 0; k < n; ++k)
    owner_[first + k] = {static_cast<int>(buffer[2 * k]), static_cast<int>(buffer[2 * k + 1])};
}

double PairHEA::memory_usage() {
  const std::size_t reals = force_.capacity() + atom_energy_.capacity() + atom_virial_.capacity() + beyond_.capacity() +
                            beyond_count_.capacity();
  return Pair::memory_usage() + edges_.memory_usage() + exchange_.memory_usage() +
         static_cast<double>(reals * sizeof(double) + owner_.capacity() * sizeof(owner_[0]));
}

}  // namespace LAMMPS_NS
