#include "ghost_exchange.h"

#include <algorithm>
#include <cstddef>
#include <numeric>
#include <tuple>

namespace LAMMPS_NS {

namespace {

constexpr int tag = 0;  // messages between two ranks arrive in the order in which they were sent

template<typename Real>
MPI_Datatype mpi_type() {
  return sizeof(Real) == sizeof(float) ? MPI_FLOAT : MPI_DOUBLE;
}

std::vector<int> starts(const std::vector<int> &counts) {
  std::vector<int> first(counts.size());
  std::exclusive_scan(counts.begin(), counts.end(), first.begin(), 0);
  return first;
}

}  // namespace

GhostExchange::GhostExchange(MPI_Comm world) : world_(world) {
  MPI_Comm_rank(world_, &rank_);
  MPI_Comm_size(world_, &n_ranks_);
}

void GhostExchange::plan(int n_owned, const std::vector<Owner> &owner, const std::vector<char> &needed) {
  row_of_atom_.assign(owner.size(), -1);
  atom_of_row_.resize(n_owned);
  std::iota(atom_of_row_.begin(), atom_of_row_.end(), 0);

  std::vector<int> remote;  // needed ghosts of other ranks' atoms, later with all images of an atom together
  for (int atom = 0; atom < static_cast<int>(owner.size()); ++atom) {
    if (owner[atom].rank == rank_)
      row_of_atom_[atom] = owner[atom].index;
    else if (needed[atom])
      remote.push_back(atom);
  }
  const auto key = [&owner](int atom) { return std::tuple(owner[atom].rank, owner[atom].index, atom); };
  std::sort(remote.begin(), remote.end(), [&key](int a, int b) { return key(a) < key(b); });

  std::vector<int> n_wanted(n_ranks_, 0), wanted;  // indices at their owners, by rank
  Owner last{-1, -1};
  for (int atom : remote) {
    const Owner now = owner[atom];
    if (now.rank != last.rank || now.index != last.index) {
      ++n_wanted[now.rank];
      wanted.push_back(now.index);
      atom_of_row_.push_back(atom);
      last = now;
    }
    row_of_atom_[atom] = n_rows() - 1;
  }

  // Tell the owners.
  std::vector<int> n_asked(n_ranks_, 0);
  MPI_Alltoall(n_wanted.data(), 1, MPI_INT, n_asked.data(), 1, MPI_INT, world_);
  const std::vector<int> first_wanted = starts(n_wanted), first_asked = starts(n_asked);
  rows_to_send_.resize(first_asked.back() + n_asked.back());
  MPI_Alltoallv(wanted.data(), n_wanted.data(), first_wanted.data(), MPI_INT, rows_to_send_.data(), n_asked.data(),
                first_asked.data(), MPI_INT, world_);
  partners_.clear();
  for (int rank = 0; rank < n_ranks_; ++rank)
    if (n_wanted[rank] > 0 || n_asked[rank] > 0)
      partners_.push_back({rank, n_owned + first_wanted[rank], n_wanted[rank], first_asked[rank], n_asked[rank]});
  requests_.reserve(2 * partners_.size());
}

void GhostExchange::to_ghosts(float *rows, int width) {
  forward(rows, width);
}

void GhostExchange::to_ghosts(double *rows, int width) {
  forward(rows, width);
}

void GhostExchange::from_ghosts(float *rows, int width) {
  reverse(rows, width);
}

void GhostExchange::from_ghosts(double *rows, int width) {
  reverse(rows, width);
}

template<typename Real>
Real *GhostExchange::buffer(int width) {
  const std::size_t needed = rows_to_send_.size() * width;
  if (buffer_.size() < needed) buffer_.resize(needed);
  return reinterpret_cast<Real *>(buffer_.data());
}

template<typename Real>
void GhostExchange::forward(Real *rows, int width) {
  Real *const sent = buffer<Real>(width);
  requests_.clear();
  for (const Partner &p : partners_)
    if (p.n_received > 0)
      MPI_Irecv(rows + std::size_t(p.first_received) * width, p.n_received * width, mpi_type<Real>(), p.rank, tag,
                world_, &requests_.emplace_back());
  for (const Partner &p : partners_) {
    if (p.n_sent == 0) continue;
    for (int k = p.first_sent; k < p.first_sent + p.n_sent; ++k)
      std::copy_n(rows + std::size_t(rows_to_send_[k]) * width, width, sent + std::size_t(k) * width);
    MPI_Isend(sent + std::size_t(p.first_sent) * width, p.n_sent * width, mpi_type<Real>(), p.rank, tag, world_,
              &requests_.emplace_back());
  }
  MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
}

template<typename Real>
void GhostExchange::reverse(Real *rows, int width) {
  Real *const received = buffer<Real>(width);
  requests_.clear();
  for (const Partner &p : partners_)
    if (p.n_sent > 0)
      MPI_Irecv(received + std::size_t(p.first_sent) * width, p.n_sent * width, mpi_type<Real>(), p.rank, tag, world_,
                &requests_.emplace_back());
  for (const Partner &p : partners_)
    if (p.n_received > 0)
      MPI_Isend(rows + std::size_t(p.first_received) * width, p.n_received * width, mpi_type<Real>(), p.rank, tag,
                world_, &requests_.emplace_back());
  MPI_Waitall(static_cast<int>(requests_.size()), requests_.data(), MPI_STATUSES_IGNORE);
  // Added in the order of ranks, whatever came first: the same run gives the same numbers again.
  for (std::size_t k = 0; k < rows_to_send_.size(); ++k) {
    Real *target = rows + std::size_t(rows_to_send_[k]) * width;
    const Real *source = received + k * width;
    for (int c = 0; c < width; ++c) target[c] += source[c];
  }
}

double GhostExchange::sum_over_ranks(double x) {
  sum_over_ranks(&x, 1);
  return x;
}

void GhostExchange::sum_over_ranks(double *x, int n) {
  MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, MPI_SUM, world_);
}

double GhostExchange::memory_usage() const {
  return static_cast<double>((row_of_atom_.capacity() + atom_of_row_.capacity() + rows_to_send_.capacity()) *
                                 sizeof(int) +
                             buffer_.capacity() * sizeof(double));
}

}  // namespace LAMMPS_NS
