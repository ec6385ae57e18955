// Evaluates a model: energy, forces, virial, per-atom energies, last-layer features and sigma.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "model.h"

namespace hea {

enum class Precision { fp32, fp64 };

// Moves rows between the atoms that a domain owns and the ghosts that other domains (or images) own.
// Rows are row-major, `width` numbers for each of n_all atoms, owned atoms first. Every domain makes the same calls in
// the same order, also one without ghosts or without atoms.
class Exchange {
 public:
  virtual ~Exchange() = default;
  virtual void to_ghosts(float *rows, int width) = 0;  // ghost row  = owner's row
  virtual void to_ghosts(double *rows, int width) = 0;
  virtual void from_ghosts(float *rows, int width) = 0;  // owner's row += ghost rows
  virtual void from_ghosts(double *rows, int width) = 0;
  virtual double sum_over_ranks(double x) = 0;
  virtual void sum_over_ranks(double *x, int n) = 0;  // in place; needed by sigma only
};

// Half edges, grouped by their first atom: edges first[i] .. first[i+1]-1 belong to owned atom i.
struct Configuration {
  int n_owned = 0;                      // atoms whose energies are summed here
  int n_all = 0;                        // owned and ghost atoms
  const int *type = nullptr;            // [n_all], index into the elements given to Potential
  const std::int64_t *first = nullptr;  // [n_owned + 1]
  const int *neighbour = nullptr;       // [n_edges], < n_all
  const double *vector =
      nullptr;  // [n_edges][3], r_j - r_i; edges at or beyond the cutoff are allowed and contribute nothing
};

// What to compute; pointers that are null are not computed. Arrays are added to, not set, except sigma, features and
// energy.
struct Result {
  double energy = 0.0;            // of the owned atoms of this rank, without sigma whatever kappa is
  double sigma = 0.0;             // of the whole system, if want_sigma or kappa != 0
  double *atom_energy = nullptr;  // [n_all]; a half of a ZBL pair may go to a ghost
  double *force = nullptr;        // [n_all][3]
  double *virial = nullptr;       // [6] xx yy zz xy xz yz: minus sum of D (x) dE/dD, that is sum r.f
  double *atom_virial = nullptr;  // [n_all][6], each edge shared by halves
  double *features = nullptr;  // [S*D], f summed by model element over owned atoms (all ranks if an exchange is given)
  std::int64_t *beyond_training =
      nullptr;  // [n_all], 1 where an atom has a neighbour closer than the pair's smallest training distance
};

struct Options {
  double kappa = 0.0;  // forces and virials are those of E - kappa sigma
  // [S * D], instead of the model's own (null). Energies and forces are linear in it, so that unit vectors give the
  // derivatives that a fit of the last layer needs.
  const double *last_layer = nullptr;
  bool want_sigma = false;
  bool time_passes = false;  // for Potential::seconds_by_pass
};

class Potential {
 public:
  // elements[type] is an index into model.elements, or -1 for a type without this potential (its edges must not be
  // passed).
  Potential(const Model &model, const std::vector<int> &elements, Precision precision);
  ~Potential();
  Potential(Potential &&) noexcept;
  Potential &operator=(Potential &&) noexcept;

  double cutoff() const;
  int n_features_total() const;                                         // S*D
  std::vector<std::pair<std::string, double>> seconds_by_pass() const;  // of the last call, if it was timed
  // Work arrays live in the Potential and are reused: one Potential per thread. Throws std::invalid_argument for bad
  // input (overlapping atoms closer than 1e-3 A, non-finite vectors, indices out of range), naming the atoms.
  void evaluate(const Configuration &configuration, const Options &options, Exchange *exchange, Result &result);

 private:
  struct Implementation;
  std::unique_ptr<Implementation> implementation_;
};

// Instruction set chosen at load: "avx512", "avx2" or "baseline" (the environment variable HEA_SIMD may name another).
const char *simd_name();

}  // namespace hea
