// pair_style hea: the stratified SchNet potential of hea-potential in LAMMPS.
//
//   units       metal | real
//   newton      on
//   pair_style  hea [precision single|double] [kappa X]
//   pair_coeff  * * MODEL ELEMENT|NULL ...          one per atom type
//
// MODEL is a shipped name (hea6) or the path of a .safetensors file. NULL types take no part (for hybrid styles).
// With kappa X energies and forces are those of E - X sigma.
//
//   compute ID all pair hea             vector: [1] sigma (NaN for a model without it), [2] number of atoms with a
//                                       neighbour closer than any in the training data
//   fix ID all pair N hea beyond 0      1.0 for each such atom, else 0.0
//
// lammps_extract_pair() gives "sigma" of the last step that tallied energies, from the first run after the first call.
#pragma once

#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include "ghost_exchange.h"
#include "half_edges.h"
#include "pair.h"
#include "potential.h"

namespace LAMMPS_NS {

class PairHEA : public Pair {
 public:
  explicit PairHEA(LAMMPS *lammps);
  ~PairHEA() override;

  void settings(int narg, char **arg) override;
  void coeff(int narg, char **arg) override;
  void init_style() override;
  double init_one(int i, int j) override;
  void setup() override;
  void compute(int eflag, int vflag) override;

  void write_restart(FILE *file) override;
  void read_restart(FILE *file) override;
  void write_restart_settings(FILE *file) override;
  void read_restart_settings(FILE *file) override;

  int pack_forward_comm(int n, int *atoms, double *buffer, int pbc_flag, int *pbc) override;
  void unpack_forward_comm(int n, int first, double *buffer) override;

  void *extract(const char *name, int &dimension) override;
  void *extract_peratom(const char *name, int &columns) override;
  double memory_usage() override;

 private:
  void allocate();
  void set_model(const std::string &name, const std::vector<std::string> &element_of_type);
  void claim_types();
  void build_potential();
  void check_surroundings();
  void agree_on_what_is_wanted();
  void check_positions();
  void report_overlap();
  void find_owners();
  void evaluate(hea::Configuration &configuration, hea::Result &result, const hea::Options &options);
  void hand_over(const hea::Result &result, bool sigma_is_known);
  void flag_atoms_beyond_training();
  double energy_unit() const;

  // what the deck said
  hea::Precision precision_ = hea::Precision::fp32;
  double kappa_ = 0.0;
  std::string model_name_;
  std::vector<std::string> element_of_type_;  // [ntypes], "NULL" for types that take no part

  // what follows from it
  std::uint64_t model_hash_ = 0;
  std::unique_ptr<hea::Model> model_;
  std::unique_ptr<hea::Potential> potential_;
  std::vector<int> model_index_;  // [ntypes + 1], -1 for types that take no part (0 is no type)
  std::vector<char> takes_part_;  // [ntypes + 1]
  std::string restart_problem_;   // why the restart file's model cannot be used; a new pair_coeff clears it

  // since the last neighbour list
  std::vector<GhostExchange::Owner> owner_;  // [owned and ghosts]
  std::vector<char> in_a_pair_;              // [owned and ghosts]
  GhostExchange exchange_;
  bigint planned_at_ = -1;  // step of the neighbour list that exchange_ is planned for

  // per step, by rows of exchange_; all are reused
  HalfEdges edges_;
  std::vector<int> type_;
  std::vector<double> force_, atom_energy_, atom_virial_;
  std::vector<std::int64_t> beyond_count_;
  std::vector<double> beyond_;                                       // for fix pair
  bool want_sigma_ = false, want_beyond_ = false;                    // the same on all ranks
  bool was_asked_for_sigma_ = false, was_asked_for_beyond_ = false;  // on this rank, see agree_on_what_is_wanted()
  double sigma_ = std::numeric_limits<double>::quiet_NaN();          // not known
  double extra_[2] = {0.0, 0.0};                                     // pvector
};

}  // namespace LAMMPS_NS
