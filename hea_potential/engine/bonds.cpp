#include "bonds.h"

#include <algorithm>
#include <cmath>
#include <stdexcept>
#include <string>

namespace hea {
namespace {

constexpr double smallest_distance = 1e-3;  // A; closer atoms are taken for a mistake of the caller

std::string name_edge(int i, int j) {
  return "atoms " + std::to_string(i) + " and " + std::to_string(j);
}

[[noreturn]] void refuse_vector(int i, int j, const double *v, double r) {
  const std::string got = "(" + std::to_string(v[0]) + ", " + std::to_string(v[1]) + ", " + std::to_string(v[2]) + ")";
  if (!std::isfinite(r)) {
    throw std::invalid_argument("the distance vector of " + name_edge(i, j) + " is " + got +
                                ", allowed are finite numbers");
  }
  throw std::invalid_argument(name_edge(i, j) + " overlap: their distance is " + std::to_string(r) +
                              " A, allowed is at least " + std::to_string(smallest_distance) + " A");
}

void check_sizes(const Configuration &c) {
  if (c.n_owned < 0 || c.n_all < c.n_owned) {
    throw std::invalid_argument("n_owned = " + std::to_string(c.n_owned) + " and n_all = " + std::to_string(c.n_all) +
                                ", allowed is 0 <= n_owned <= n_all");
  }
  if (c.n_owned == 0) return;
  if (c.first[0] < 0) throw std::invalid_argument("first[0] is negative");
  for (int i = 0; i < c.n_owned; ++i) {
    if (c.first[i + 1] < c.first[i]) {
      throw std::invalid_argument("first decreases from " + std::to_string(c.first[i]) + " to " +
                                  std::to_string(c.first[i + 1]) + " after atom " + std::to_string(i));
    }
  }
}

// Uniform cubic B-splines at t and their derivatives by r.
template<typename T>
void splines(T t, T inverse_spacing, Edge<T> &edge) {
  const T s = 1 - t, t2 = t * t, s2 = s * s, sixth = T(1) / 6;
  edge.basis[0] = sixth * s2 * s;
  edge.basis[1] = (T(0.5) * t - 1) * t2 + 4 * sixth;
  edge.basis[2] = (T(0.5) * s - 1) * s2 + 4 * sixth;
  edge.basis[3] = sixth * t2 * t;
  edge.slope[0] = T(-0.5) * s2 * inverse_spacing;
  edge.slope[1] = (T(1.5) * t - 2) * t * inverse_spacing;
  edge.slope[2] = -(T(1.5) * s - 2) * s * inverse_spacing;
  edge.slope[3] = T(0.5) * t2 * inverse_spacing;
}

template<typename T>
void directions(T x, T y, T z, Edge<T> &edge) {
  const T root3 = static_cast<T>(1.7320508075688772935L);
  edge.direction[0] = x;
  edge.direction[1] = y;
  edge.direction[2] = z;
  edge.harmonics[0] = root3 * x * y;
  edge.harmonics[1] = root3 * y * z;
  edge.harmonics[2] = root3 * x * z;
  edge.harmonics[3] = T(0.5) * root3 * (x * x - y * y);
  edge.harmonics[4] = T(1.5) * z * z - T(0.5);
}

}  // namespace

template<typename T>
Bonds<T>::Bonds(const Model &model, const std::vector<int> &used)
    : cutoff_(model.cutoff),
      inverse_cutoff2_(1.0 / (model.cutoff * model.cutoff)),
      inverse_spacing_(model.n_intervals / model.cutoff),
      n_intervals_(model.n_intervals),
      n_species_(static_cast<int>(used.size())) {
  for (int a = 0; a < n_species_; ++a) {
    for (int b = 0; b < n_species_; ++b) {
      const int za = used[static_cast<std::size_t>(a)], zb = used[static_cast<std::size_t>(b)];
      const auto pair = static_cast<std::size_t>(model.pair_index(za, zb));
      terms_.push_back(
          {Zbl(model.atomic_numbers[static_cast<std::size_t>(za)], model.atomic_numbers[static_cast<std::size_t>(zb)],
               model.zbl_inner[pair], model.zbl_outer[pair]),
           model.distance_min[pair]});
      const int low = std::min(a, b), high = std::max(a, b);
      table_.push_back((low * n_species_ - low * (low - 1) / 2 + high - low) * (n_intervals_ + 3));
    }
  }
}

template<typename T>
void Bonds<T>::build(const Configuration &c, const std::vector<int> &species, double *densities, Result &result) {
  check_sizes(c);
  const std::int64_t n_given = c.n_owned > 0 ? c.first[c.n_owned] - c.first[0] : 0;
  n_ = 0;
  if (edges_.size() < static_cast<std::size_t>(n_given)) {
    edges_.resize(static_cast<std::size_t>(n_given));
    bonds_.resize(static_cast<std::size_t>(n_given));
    gradients_.resize(static_cast<std::size_t>(n_given));
  }
  first_.assign(1, 0);
  const double cutoff2 = cutoff_ * cutoff_;
  for (int i = 0; i < c.n_owned; ++i) {
    for (std::int64_t e = c.first[i]; e < c.first[i + 1]; ++e) {
      const double *v = c.vector + 3 * e;
      const int j = c.neighbour[e];
      const double r2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2];
      if (j < 0 || j >= c.n_all) {
        throw std::invalid_argument("an edge of atom " + std::to_string(i) + " leads to atom " + std::to_string(j) +
                                    ", allowed are 0 to " + std::to_string(c.n_all - 1));
      }
      if (r2 >= cutoff2 && std::isfinite(r2)) continue;
      const double r = std::sqrt(r2);
      if (!(r >= smallest_distance && r < cutoff_)) {
        if (r >= cutoff_ && std::isfinite(r)) continue;  // by rounding of the root
        refuse_vector(i, j, v, r);
      }
      const int a = species[static_cast<std::size_t>(i)], b = species[static_cast<std::size_t>(j)];
      if (a < 0 || b < 0)
        throw std::invalid_argument(name_edge(i, j) + " share an edge, but one has no element of the model");
      add(i, j, a * n_species_ + b, v, r, result);
      if (densities != nullptr) {
        const double base = density_base(r2), density = base * base * base;
        densities[static_cast<std::ptrdiff_t>(i) * n_species_ + b] += density;
        densities[static_cast<std::ptrdiff_t>(j) * n_species_ + a] += density;
      }
    }
    first_.push_back(static_cast<std::int64_t>(n_));
  }
}

template<typename T>
void Bonds<T>::add(int i, int j, int pair, const double *vector, double r, Result &result) {
  const PairTerms &terms = terms_[static_cast<std::size_t>(pair)];
  const double scaled = r * inverse_spacing_;
  const int interval = std::min(static_cast<int>(scaled), n_intervals_ - 1);
  const double inverse_r = 1.0 / r;
  Edge<T> &edge = edges_[n_];
  edge.neighbour = j;
  edge.table_row = table_[static_cast<std::size_t>(pair)] + interval;
  splines(static_cast<T>(scaled - interval), static_cast<T>(inverse_spacing_), edge);
  directions(static_cast<T>(vector[0] * inverse_r), static_cast<T>(vector[1] * inverse_r),
             static_cast<T>(vector[2] * inverse_r), edge);
  Bond &bond = bonds_[n_] = Bond{j, {vector[0], vector[1], vector[2]}, 0.0};
  gradients_[n_++] = EdgeGradient<T>{};
  if (r < terms.zbl.outer()) {
    const double energy = terms.zbl.energy(r, bond.slope);
    result.energy += energy;
    if (result.atom_energy != nullptr) {
      result.atom_energy[i] += 0.5 * energy;
      result.atom_energy[j] += 0.5 * energy;
    }
  }
  if (r < terms.distance_min && result.beyond_training != nullptr) {
    result.beyond_training[i] = 1;
    result.beyond_training[j] = 1;
  }
}

template<typename T>
void Bonds<T>::finish(const std::vector<int> &species, const double *by_density, Result &result) const {
  const std::ptrdiff_t n_species = n_species_;
  double virial[6] = {};
  for (std::ptrdiff_t i = 0; i < n_owned(); ++i) {
    double force[3] = {};
    for (std::int64_t e = first_[static_cast<std::size_t>(i)]; e < first_[static_cast<std::size_t>(i) + 1]; ++e) {
      const Bond &bond = bonds_[static_cast<std::size_t>(e)];
      const EdgeGradient<T> &gradient = gradients_[static_cast<std::size_t>(e)];
      const std::ptrdiff_t j = bond.neighbour;
      const double *v = bond.vector;
      const double r2 = v[0] * v[0] + v[1] * v[1] + v[2] * v[2], r = std::sqrt(r2), inverse_r = 1.0 / r;
      double by_r = bond.slope + static_cast<double>(gradient.radial);
      if (by_density != nullptr) {
        const double base = density_base(r2);
        const double by_pair = by_density[i * n_species + species[static_cast<std::size_t>(j)]] +
                               by_density[j * n_species + species[static_cast<std::size_t>(i)]];
        by_r -= by_pair * 6.0 * r * inverse_cutoff2_ * base * base;
      }
      // dE/dD = u dE/dr + (1 - u u^T) dE/du / r
      double d[3];
      for (int k = 0; k < 3; ++k) d[k] = static_cast<double>(gradient.angular[k]) * inverse_r;
      const double along = (d[0] * v[0] + d[1] * v[1] + d[2] * v[2]) * inverse_r, radial = (by_r - along) * inverse_r;
      for (int k = 0; k < 3; ++k) d[k] += radial * v[k];
      for (int k = 0; result.force != nullptr && k < 3; ++k) {
        force[k] += d[k];
        result.force[3 * j + k] -= d[k];
      }
      const double w[6] = {-v[0] * d[0], -v[1] * d[1], -v[2] * d[2], -v[0] * d[1], -v[0] * d[2], -v[1] * d[2]};
      for (int k = 0; k < 6; ++k) virial[k] += w[k];
      for (int k = 0; result.atom_virial != nullptr && k < 6; ++k) {
        result.atom_virial[6 * i + k] += 0.5 * w[k];
        result.atom_virial[6 * j + k] += 0.5 * w[k];
      }
    }
    for (int k = 0; result.force != nullptr && k < 3; ++k) result.force[3 * i + k] += force[k];
  }
  for (int k = 0; result.virial != nullptr && k < 6; ++k) result.virial[k] += virial[k];
}

template class Bonds<float>;
template class Bonds<double>;

}  // namespace hea
