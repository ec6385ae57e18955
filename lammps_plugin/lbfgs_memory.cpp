#include "lbfgs_memory.h"

#include <algorithm>
#include <cmath>

#include "atom.h"
#include "fmt/format.h"
#include "modify.h"

namespace LAMMPS_NS {

namespace {

constexpr const char *store_id = "MINIMIZE_LBFGS";
constexpr double first_step = 0.1;         // of the longest step allowed, while nothing is known
constexpr double step_accuracy = 0.1;      // of P^-1 in a step, see BondStiffness::solve
constexpr double scale_accuracy = 0.3;     // the same in gamma
constexpr double least_curvature = 1e-10;  // s.y against y.P^-1.y: below it a step tells nothing

double dot(const double *a, const double *b) {
  return a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
}

}  // namespace

LBFGSMemory::LBFGSMemory(LAMMPS *lmp, int steps, const hea::BondStiffness &stiffness)
    : Pointers(lmp), steps_(steps), stiffness_(stiffness), products_(steps * steps), sums_(2 * steps + 1) {
  const std::string command = fmt::format("{} all ATOM/ROWS {}", store_id, FIRST + 6 * steps);
  store_ = static_cast<FixAtomRows *>(modify->add_fix(command));
}

LBFGSMemory::~LBFGSMemory() {
  modify->delete_fix(store_id);
}

double LBFGSMemory::propose(double longest) {
  const int n = atom->nlocal;
  if (is_empty()) look();
  work_.resize(3 * n);
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < 3; ++c) {
      work_[3 * i + c] = atom->f[i][c];
      store_->rows[i][GRADIENT + c] = -atom->f[i][c];
    }
  combine();
  return clamped(longest);
}

// Springs and what can move, where the atoms are now.
void LBFGSMemory::look() {
  const int n = atom->nlocal;
  moves_.resize(3 * n);
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < 3; ++c) moves_[3 * i + c] = atom->f[i][c] != 0.0;  // not what a fix holds, or symmetry does
  const int all = n + atom->nghost;
  owners_.resize(all);
  for (int i = 0; i < all; ++i) owners_[i] = i < n ? i : owner(i);
  stiffness_.update(n, moves_, atom->x, atom->type, owners_);
}

// The atom of this rank that a ghost is an image of, or -1.
int LBFGSMemory::owner(int ghost) const {
  if (atom->map_style == Atom::MAP_NONE) return -1;
  const int i = atom->map(atom->tag[ghost]);
  return i < atom->nlocal ? i : -1;
}

// The two loops of L-BFGS, on -gradient in work_. Only the products with P^-1 make a second sum over ranks necessary.
void LBFGSMemory::combine() {
  const int n = atom->nlocal;
  double **rows = store_->rows;
  std::vector<double> weights(count_);
  sums_.assign(sums_.size(), 0.0);
  for (int i = 0; i < n; ++i)
    for (int age = 0; age < count_; ++age) sums_[age] += dot(rows[i] + step_column(age), &work_[3 * i]);
  sum(sums_.data(), count_);
  for (int age = 0; age < count_; ++age) {
    double along = sums_[age];
    for (int later = 0; later < age; ++later) along -= weights[later] * products_[slot(age) * steps_ + slot(later)];
    weights[age] = along / products_[slot(age) * steps_ + slot(age)];
  }
  for (int i = 0; i < n; ++i)
    for (int age = 0; age < count_; ++age)
      for (int c = 0; c < 3; ++c) work_[3 * i + c] -= weights[age] * rows[i][change_column(age) + c];

  stiffness_.solve(work_, solution_, step_accuracy);
  sums_.assign(sums_.size(), 0.0);
  for (double &number : solution_) number *= gamma_;
  for (int i = 0; i < n; ++i)
    for (int age = 0; age < count_; ++age) sums_[age] += dot(rows[i] + change_column(age), &solution_[3 * i]);
  sum(sums_.data(), count_);
  for (int age = count_ - 1; age >= 0; --age) {
    double along = sums_[age];
    for (int earlier = count_ - 1; earlier > age; --earlier)
      along += weights[earlier] * products_[slot(earlier) * steps_ + slot(age)];
    weights[age] -= along / products_[slot(age) * steps_ + slot(age)];
  }
  for (int i = 0; i < n; ++i) {
    double *step = rows[i] + STEP;
    std::copy_n(&solution_[3 * i], 3, step);
    for (int age = 0; age < count_; ++age)
      for (int c = 0; c < 3; ++c) step[c] += weights[age] * rows[i][step_column(age) + c];
  }
}

// Shortens the step to what is allowed and returns its slope.
double LBFGSMemory::clamped(double longest) {
  const int n = atom->nlocal;
  double **rows = store_->rows;
  double here = 0.0, widest = 0.0, slope = 0.0;
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < 3; ++c) {
      here = std::max(here, std::fabs(rows[i][STEP + c]));
      slope += rows[i][STEP + c] * rows[i][GRADIENT + c];
    }
  MPI_Allreduce(&here, &widest, 1, MPI_DOUBLE, MPI_MAX, world);
  sum(&slope, 1);
  const double wanted = is_empty() ? first_step * longest : std::min(widest, longest);
  if (widest == 0.0 || widest == wanted) return slope;
  const double scale = wanted / widest;
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < 3; ++c) rows[i][STEP + c] *= scale;
  return scale * slope;
}

void LBFGSMemory::move(double length) {
  for (int i = 0; i < atom->nlocal; ++i)
    for (int c = 0; c < 3; ++c) atom->x[i][c] += length * store_->rows[i][STEP + c];
}

void LBFGSMemory::learn(double length) {
  const int n = atom->nlocal;
  double **rows = store_->rows;
  newest_ = (newest_ + 1) % steps_;
  const int count = std::min(count_ + 1, steps_);
  work_.resize(3 * n);
  for (int i = 0; i < n; ++i) {
    double *step = rows[i] + step_column(0), *change = rows[i] + change_column(0);
    for (int c = 0; c < 3; ++c) {
      step[c] = length * rows[i][STEP + c];
      change[c] = -atom->f[i][c] - rows[i][GRADIENT + c];
      work_[3 * i + c] = change[c];
    }
  }
  look();
  stiffness_.solve(work_, solution_, scale_accuracy);
  sums_.assign(2 * steps_ + 1, 0.0);
  for (int i = 0; i < n; ++i) {
    const double *step = rows[i] + step_column(0), *change = rows[i] + change_column(0);
    for (int age = 0; age < count; ++age) {
      sums_[age] += dot(step, rows[i] + change_column(age));
      sums_[steps_ + age] += dot(change, rows[i] + step_column(age));
    }
    sums_[2 * steps_] += dot(change, &solution_[3 * i]);
  }
  sum(sums_.data(), 2 * steps_ + 1);
  const double curvature = sums_[0], bend = sums_[2 * steps_];
  if (!(curvature > least_curvature * bend)) {
    // The energy bends downwards here, which says nothing about a minimum.
    newest_ = (newest_ - 1 + steps_) % steps_;
    count_ = std::min(count_, steps_ - 1);  // the oldest was overwritten
    return;
  }
  count_ = count;
  gamma_ = curvature / bend;
  for (int age = 0; age < count_; ++age) {
    products_[slot(0) * steps_ + slot(age)] = sums_[age];
    products_[slot(age) * steps_ + slot(0)] = sums_[steps_ + age];
  }
}

void LBFGSMemory::sum(double *numbers, int n) const {
  if (n) MPI_Allreduce(MPI_IN_PLACE, numbers, n, MPI_DOUBLE, MPI_SUM, world);
}

}  // namespace LAMMPS_NS
