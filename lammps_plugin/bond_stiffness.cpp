#include "bond_stiffness.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

namespace hea {

namespace {

// Measured on random Lennard-Jones and metal clusters, where force calls change little with any of them, nor with the
// power of k between 10 and 14.
constexpr double stiffest = 4.0;      // sqrt(k) of the closest atoms: they are 0.8 bonds apart
constexpr double longest_bond = 1.4;  // r/b above which there is none; k is 0.018 there
constexpr double stab = 0.1;          // in units of a bond's k: what holds atoms that nothing holds
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
  if (bonds_.empty()) return;
  moves_ = moves;
  moves_.resize(3 * (n + 1), 0);
  // Along x, so that only near atoms are compared; atoms at the same x in a fixed order.
  places_.resize(atom.size());
  for (int i = 0; i < static_cast<int>(atom.size()); ++i) places_[i] = {{x[i][0], x[i][1], x[i][2]}, i};
  std::sort(places_.begin(), places_.end(),
            [](const Place &a, const Place &b) { return a.x[0] != b.x[0] ? a.x[0] < b.x[0] : a.index < b.index; });
  springs_.clear();
  blocks_.assign(6 * static_cast<std::size_t>(n + 1), 0.0);
  for (int i = 0; i <= n; ++i) std::fill_n(&blocks_[6 * i], 3, stab);
  for (auto first = places_.begin(); first != places_.end(); ++first)
    for (auto second = first + 1; second != places_.end(); ++second) {
      const double gap[3] = {second->x[0] - first->x[0], second->x[1] - first->x[1], second->x[2] - first->x[2]};
      if (gap[0] > longest_) break;
      const double r2 = gap[0] * gap[0] + gap[1] * gap[1] + gap[2] * gap[2];
      if (r2 >= longest_ * longest_ || r2 == 0.0) continue;
      const int i = std::min(first->index, second->index), other = std::max(first->index, second->index);
      if (i >= n) continue;
      const int j = atom[other] < 0 ? n : atom[other];
      // A bond across a periodic face is seen from both sides: once is enough.
      if (other < n || j > i) add_spring(i, j, gap, r2, bond(type[i], type[other]));
    }
  for (int i = 0; i < n; ++i) invert(&blocks_[6 * i]);
}

void BondStiffness::add_spring(int i, int j, const double *gap, double r2, double length) {
  const double ratio2 = length * length / r2;
  if (ratio2 <= 1.0 / (longest_bond * longest_bond)) return;
  const double root = std::min(ratio2 * ratio2 * ratio2, stiffest);  // of k
  const double scale = root / std::sqrt(r2);
  const Spring spring{i, j, {scale * gap[0], scale * gap[1], scale * gap[2]}};
  springs_.push_back(spring);
  const double *v = spring.v;
  const double outer[6] = {v[0] * v[0], v[1] * v[1], v[2] * v[2], v[0] * v[1], v[0] * v[2], v[1] * v[2]};
  for (int k = 0; k < 6; ++k) {
    blocks_[6 * i + k] += outer[k];
    blocks_[6 * j + k] += outer[k];
  }
}

void BondStiffness::multiply(const std::vector<double> &z, std::vector<double> &product) const {
  for (std::size_t k = 0; k < z.size(); ++k) product[k] = stab * z[k];
  for (const Spring &spring : springs_) {
    const double *zi = &z[3 * spring.i], *zj = &z[3 * spring.j], *v = spring.v;
    double *pi = &product[3 * spring.i], *pj = &product[3 * spring.j];
    const double stretch = v[0] * (zi[0] - zj[0]) + v[1] * (zi[1] - zj[1]) + v[2] * (zi[2] - zj[2]);
    for (int c = 0; c < 3; ++c) {
      pi[c] += stretch * v[c];
      pj[c] -= stretch * v[c];
    }
  }
  hold(product);
}

void BondStiffness::hold(std::vector<double> &z) const {
  for (std::size_t k = 0; k < z.size(); ++k)
    if (!moves_[k]) z[k] = 0.0;
}

// By the inverses of the diagonal blocks.
void BondStiffness::precondition(const std::vector<double> &b, std::vector<double> &z) const {
  for (int i = 0; i <= n_; ++i) {
    const double *m = &blocks_[6 * i], *bi = &b[3 * i];
    double *zi = &z[3 * i];
    zi[0] = m[0] * bi[0] + m[3] * bi[1] + m[4] * bi[2];
    zi[1] = m[3] * bi[0] + m[1] * bi[1] + m[5] * bi[2];
    zi[2] = m[4] * bi[0] + m[5] * bi[1] + m[2] * bi[2];
  }
  hold(z);
}

void BondStiffness::solve(const std::vector<double> &b, std::vector<double> &z, double accuracy) {
  if (bonds_.empty()) {
    z = b;
    return;
  }
  const std::size_t size = 3 * static_cast<std::size_t>(n_ + 1);
  z.assign(size, 0.0);
  residual_ = b;
  residual_.resize(size, 0.0);
  hold(residual_);
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
  z.resize(b.size());
}

}  // namespace hea
