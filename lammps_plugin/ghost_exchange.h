// Which rows of the engine other ranks own, and the messages that keep them up to date.
#pragma once

#include <mpi.h>

#include <vector>

#include "potential.h"

namespace LAMMPS_NS {

// LAMMPS makes a ghost of every periodic image and passes ghosts on from rank to rank, one direction after the other.
// The engine's rows do not depend on the image. So here an atom has one row on each rank that sees it, images of a
// rank's own atoms have none of their own, and rows go straight from the owner to where they are needed: a single rank
// sends nothing at all.
class GhostExchange : public hea::Exchange {
 public:
  struct Owner {
    int rank, index;  // the rank that owns an atom and its index there
  };

  explicit GhostExchange(MPI_Comm world);

  // After a new neighbour list, on all ranks together. owner: of the n_owned atoms of this rank and of the ghosts;
  // needed: non-zero for ghosts that want a row.
  void plan(int n_owned, const std::vector<Owner> &owner, const std::vector<char> &needed);

  // Rows: the owned atoms, then the atoms of other ranks, by rank.
  int n_rows() const { return static_cast<int>(atom_of_row_.size()); }
  const std::vector<int> &row_of_atom() const { return row_of_atom_; }  // [owned and ghosts], -1 if not needed
  const std::vector<int> &atom_of_row() const { return atom_of_row_; }  // [n_rows], an owned atom or one of its ghosts

  void to_ghosts(float *rows, int width) override;
  void to_ghosts(double *rows, int width) override;
  void from_ghosts(float *rows, int width) override;
  void from_ghosts(double *rows, int width) override;
  double sum_over_ranks(double x) override;
  void sum_over_ranks(double *x, int n) override;

  double memory_usage() const;

 private:
  // Rows received from a rank follow one another; rows sent to it are listed in rows_to_send_.
  struct Partner {
    int rank;
    int first_received, n_received;
    int first_sent, n_sent;
  };
  template<typename Real>
  void forward(Real *rows, int width);
  template<typename Real>
  void reverse(Real *rows, int width);
  template<typename Real>
  Real *buffer(int width);

  MPI_Comm world_;
  int rank_ = 0, n_ranks_ = 1;
  std::vector<int> row_of_atom_, atom_of_row_;
  std::vector<Partner> partners_;
  std::vector<int> rows_to_send_;
  std::vector<MPI_Request> requests_;
  std::vector<double> buffer_;
};

}  // namespace LAMMPS_NS
