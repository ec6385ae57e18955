// Energies and forces of atoms on the way to a minimum, on any number of ranks.
#pragma once

#include "pointers.h"

namespace LAMMPS_NS {

class Compute;

// What LAMMPS does between two steps of a minimisation: neighbour lists are checked at every call and atoms change
// ranks where they must; bonded terms, long-range forces and fixes that act on minimisations take part.
class ForceCalls : protected Pointers {
 public:
  // compression: k of a centripetal term k sum |x - centroid|^2, energy unit / length unit^2. Makes everything ready
  // and computes the first forces; errors end the run as those of LAMMPS do.
  ForceCalls(LAMMPS *lmp, double compression);
  ForceCalls(const ForceCalls &) = delete;
  ForceCalls &operator=(const ForceCalls &) = delete;

  // After atoms have moved: new forces in atom->f. Atoms may be owned by other ranks afterwards.
  void call();

  double energy() const { return potential_ + centripetal_; }  // what the forces are the slope of
  double potential() const { return potential_; }              // without the centripetal term
  int count() const { return count_; }

 private:
  void new_lists();
  void check_lost() const;
  void compute_forces();
  void compute_energy();
  void compress();

  // What a minimisation changes in LAMMPS, and puts back even if an error ends it.
  struct Changed : protected Pointers {
    explicit Changed(LAMMPS *lmp);
    ~Changed() override;
    int every, delay, dist_check;
  };

  double compression_;
  double potential_ = 0.0, centripetal_ = 0.0;
  int count_ = 0;
  Compute *pe_;
  Changed changed_;
};

}  // namespace LAMMPS_NS
