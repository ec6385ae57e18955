// Moves the engine's rows between owned and ghost atoms with LAMMPS' forward and reverse communication.
#pragma once

#include <mpi.h>

#include <cstddef>

#include "potential.h"

namespace LAMMPS_NS {

class Comm;
class Pair;

// LAMMPS calls the pair style back to fill and empty its buffers; the pair style hands those calls on to pack_* and
// unpack_* here. A row travels as raw bytes in whole doubles, so fp32 rows cost half of what fp64 rows do.
class GhostExchange : public hea::Exchange {
 public:
  // `comm` is LAMMPS' own pointer by reference: `comm_style tiled` replaces the object behind it.
  GhostExchange(Pair *pair, Comm *const &comm, MPI_Comm world) : pair_(pair), comm_(comm), world_(world) {}

  void to_ghosts(float *rows, int width) override;
  void to_ghosts(double *rows, int width) override;
  void from_ghosts(float *rows, int width) override;
  void from_ghosts(double *rows, int width) override;
  double sum_over_ranks(double x) override;
  void sum_over_ranks(double *x, int n) override;

  // All give the number of doubles written; `list` holds the indices of the atoms whose rows are sent or received.
  int pack_forward(int n, const int *list, double *buffer) const;
  void unpack_forward(int n, int first, const double *buffer) const;
  int pack_reverse(int n, int first, double *buffer) const;
  void unpack_reverse(int n, const int *list, const double *buffer) const;

  // Doubles that a row of `width` numbers needs in a buffer.
  template<typename Real>
  static int slot(int width) {
    return static_cast<int>((width * sizeof(Real) + sizeof(double) - 1) / sizeof(double));
  }

 private:
  template<typename Real>
  void forward(Real *rows, int width);
  template<typename Real>
  void reverse(Real *rows, int width);
  void point_at(float *rows, int width);
  void point_at(double *rows, int width);
  template<typename Real>
  void add_rows(Real *rows, int n, const int *list, const double *buffer) const;

  Pair *pair_;
  Comm *const &comm_;
  MPI_Comm world_;
  float *floats_ = nullptr;  // the rows under way: one of the two is set
  double *doubles_ = nullptr;
  unsigned char *bytes_ = nullptr;
  int width_ = 0;
  std::size_t row_bytes_ = 0;
  int slot_ = 0;
};

}  // namespace LAMMPS_NS
