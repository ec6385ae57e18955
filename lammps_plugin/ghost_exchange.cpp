#include "ghost_exchange.h"

#include <cstring>

#include "comm.h"
#include "pair.h"

namespace LAMMPS_NS {

double GhostExchange::sum_over_ranks(double x) {
  sum_over_ranks(&x, 1);
  return x;
}

void GhostExchange::sum_over_ranks(double *x, int n) {
  MPI_Allreduce(MPI_IN_PLACE, x, n, MPI_DOUBLE, MPI_SUM, world_);
}

template<typename Real>
void GhostExchange::forward(Real *rows, int width) {
  point_at(rows, width);
  comm_->forward_comm(pair_, slot_);
}

template<typename Real>
void GhostExchange::reverse(Real *rows, int width) {
  point_at(rows, width);
  comm_->reverse_comm(pair_, slot_);
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

void GhostExchange::point_at(float *rows, int width) {
  floats_ = rows;
  doubles_ = nullptr;
  bytes_ = reinterpret_cast<unsigned char *>(rows);
  width_ = width;
  row_bytes_ = width * sizeof(float);
  slot_ = slot<float>(width);
}

void GhostExchange::point_at(double *rows, int width) {
  floats_ = nullptr;
  doubles_ = rows;
  bytes_ = reinterpret_cast<unsigned char *>(rows);
  width_ = width;
  row_bytes_ = width * sizeof(double);
  slot_ = slot<double>(width);
}

int GhostExchange::pack_forward(int n, const int *list, double *buffer) const {
  for (int k = 0; k < n; ++k) std::memcpy(buffer + std::size_t(k) * slot_, bytes_ + list[k] * row_bytes_, row_bytes_);
  return n * slot_;
}

void GhostExchange::unpack_forward(int n, int first, const double *buffer) const {
  for (int k = 0; k < n; ++k)
    std::memcpy(bytes_ + (std::size_t(first) + k) * row_bytes_, buffer + std::size_t(k) * slot_, row_bytes_);
}

int GhostExchange::pack_reverse(int n, int first, double *buffer) const {
  for (int k = 0; k < n; ++k)
    std::memcpy(buffer + std::size_t(k) * slot_, bytes_ + (std::size_t(first) + k) * row_bytes_, row_bytes_);
  return n * slot_;
}

void GhostExchange::unpack_reverse(int n, const int *list, const double *buffer) const {
  if (floats_)
    add_rows(floats_, n, list, buffer);
  else
    add_rows(doubles_, n, list, buffer);
}

template<typename Real>
void GhostExchange::add_rows(Real *rows, int n, const int *list, const double *buffer) const {
  for (int k = 0; k < n; ++k) {
    // The buffer's doubles carry the bytes of `Real`s that pack_reverse copied into them.
    const auto *source = reinterpret_cast<const unsigned char *>(buffer + std::size_t(k) * slot_);
    Real *target = rows + std::size_t(list[k]) * width_;
    for (int c = 0; c < width_; ++c) {
      Real value;
      std::memcpy(&value, source + c * sizeof(Real), sizeof(Real));
      target[c] += value;
    }
  }
}

}  // namespace LAMMPS_NS
