#include "bond_stiffness.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace hea {

namespace {

constexpr double decay = 12.0;         // A: measured on random Lennard-Jones and metal clusters, flat from 8 to 14
constexpr double shortest_bond = 0.8;  // r/b below which a bond gets no stiffer
constexpr double longest_bond = 1.4;   // r/b above which there is none; k is 0.008 there
constexpr double stab = 0.1;           // in units of a bond's k: what holds atoms that nothing holds
constexpr double accuracy = 0.1;       // of a solution, as residual against right-hand side
constexpr int most_iterations = 50;

double dot(const std::vector<double> &a, const std::vector<double> &b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Inverse of a symmetric positive definite matrix, xx yy zz xy xz yz, in place.
void invert(double *m) {
  const double xx = m[1] * m[2] - m[5] * m[5], yy = m[0] * m[2] - m[4] * m[4], zz = m[0] * m[1] - m[3] * m[3];
  const double xy = m[4] * m[5] - m[3] * m[2], xz = m[3] * m[5] - m[4] * m[1], yz = m[3] * m[4] - m[0] * m[5];
  const double scale = 1.0 / (m[0] * xx + m[3] * xy + m[4] * xz);
  const double inverse[6] = {xx, yy, zz, xy, xz, yz};
  for (int k = 0; k < 6; ++k) m[k] = scale * inverse[k];
}

}  // namespace

BondStiffness::BondStiffness(int n_types, std::vector<double> bonds) : n_types_(n_types), bonds_(std::move(bonds)) {
  for (const double bond : bonds_) longest_ = std::max(longest_, longest_bond * bond);
}

void BondStiffness::update(int n, const std::vector<char> &moves, const double *const *x, const int *type,
                           const std::vector<int> &atom) {
  n_ = n;
  moves_ = moves;
  if (bonds_.empty()) return;
  // Along x, so that only near atoms are compared; atoms at the same x in a fixed order.
  order_.resize(atom.size());
  std::iota(order_.begin(), order_.end(), 0);
  std::sort(order_.begin(), order_.end(), [x](int a, int b) { return x[a][0] != x[b][0] ? x[a][0] < x[b][0] : a < b; });
  springs_.clear();
  blocks_.assign(6 * static_cast<std::size_t>(n), 0.0);
  for (int i = 0; i < n; ++i)
    for (int c = 0; c < 3; ++c) blocks_[6 * i + c] = stab;
  for (auto first = order_.begin(); first != order_.end(); ++first)
    for (auto second = first + 1; second != order_.end(); ++second) {
      if (x[*second][0] - x[*first][0] > longest_) break;
      // Each spring once: ends that are ours, or the one of ours with a lower number than the image it holds on to.
      const int i = std::min(*first, *second), j = std::max(*first, *second);
      if (i < n && (j < n || atom[j] < 0 || i < atom[j])) add_spring(i, atom[j], x[i], x[j], bond(type[i], type[j]));
    }
  for (int i = 0; i < n; ++i) invert(&blocks_[6 * i]);
}

void BondStiffness::add_spring(int i, int j, const double *from, const double *to, double length) {
  const double gap[3] = {to[0] - from[0], to[1] - from[1], to[2] - from[2]};
  const double r2 = gap[0] * gap[0] + gap[1] * gap[1] + gap[2] * gap[2];
  if (i == j || r2 == 0.0 || r2 >= longest_bond * longest_bond * length * length) return;
  const double r = std::sqrt(r2);
  const double scale = std::exp(-0.5 * decay * (std::max(r / length, shortest_bond) - 1.0)) / r;
  springs_.push_back({i, j, {scale * gap[0], scale * gap[1], scale * gap[2]}});
  const double *v = springs_.back().v;
  const double outer[6] = {v[0] * v[0], v[1] * v[1], v[2] * v[2], v[0] * v[1], v[0] * v[2], v[1] * v[2]};
  for (int k = 0; k < 6; ++k) {
    blocks_[6 * i + k] += outer[k];
    if (j >= 0) blocks_[6 * j + k] += outer[k];
  }
}

void BondStiffness::multiply(const std::vector<double> &z, std::vector<double> &product) const {
  for (std::size_t k = 0; k < z.size(); ++k) product[k] = stab * z[k];
  for (const Spring &spring : springs_) {
    constexpr double fixed[3] = {};
    const double *zi = &z[3 * spring.i], *zj = spring.j < 0 ? fixed : &z[3 * spring.j], *v = spring.v;
    const double stretch = v[0] * (zi[0] - zj[0]) + v[1] * (zi[1] - zj[1]) + v[2] * (zi[2] - zj[2]);
    for (int c = 0; c < 3; ++c) product[3 * spring.i + c] += stretch * v[c];
    if (spring.j >= 0)
      for (int c = 0; c < 3; ++c) product[3 * spring.j + c] -= stretch * v[c];
  }
}

// By the inverses of the diagonal blocks; nothing moves what is held.
void BondStiffness::precondition(const std::vector<double> &b, std::vector<double> &z) const {
  for (int i = 0; i < n_; ++i) {
    const double *m = &blocks_[6 * i], *bi = &b[3 * i];
    double *zi = &z[3 * i];
    zi[0] = m[0] * bi[0] + m[3] * bi[1] + m[4] * bi[2];
    zi[1] = m[3] * bi[0] + m[1] * bi[1] + m[5] * bi[2];
    zi[2] = m[4] * bi[0] + m[5] * bi[1] + m[2] * bi[2];
  }
  for (std::size_t k = 0; k < z.size(); ++k)
    if (!moves_[k]) z[k] = 0.0;
}

void BondStiffness::solve(const std::vector<double> &b, std::vector<double> &z) {
  const std::size_t size = 3 * static_cast<std::size_t>(n_);
  if (bonds_.empty()) {
    z = b;
    return;
  }
  z.assign(size, 0.0);
  residual_ = b;
  for (std::size_t k = 0; k < size; ++k)
    if (!moves_[k]) residual_[k] = 0.0;
  preconditioned_.resize(size);
  product_.resize(size);
  precondition(residual_, preconditioned_);
  search_ = preconditioned_;
  double square = dot(residual_, preconditioned_);
  const double small = accuracy * accuracy * square;
  for (int iteration = 0; iteration < most_iterations && square > small; ++iteration) {
    multiply(search_, product_);
    const double length = square / dot(search_, product_);
    for (std::size_t k = 0; k < size; ++k) {
      z[k] += length * search_[k];
      residual_[k] -= length * product_[k];
    }
    precondition(residual_, preconditioned_);
    const double next = dot(residual_, preconditioned_);
    for (std::size_t k = 0; k < size; ++k) search_[k] = preconditioned_[k] + next / square * search_[k];
    square = next;
  }
}

}  // namespace hea
