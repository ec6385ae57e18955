#include "gates.h"

#include <algorithm>

namespace hea {

void find_gates(const double *densities, int n_species, int own, double *gates) {
  double sum = 0.0, pairs = 0.0;  // of g_B, and of g_B g_C over B < C
  for (int b = 0; b < n_species; ++b) {
    gates[b] = b == own ? 0.0 : densities[b] / (1.0 + densities[b]);
    pairs += sum * gates[b];
    sum += gates[b];
  }
  gates[n_species] = pairs / (1.0 + pairs);
}

double *Gates::densities(int n_all) {
  densities_.assign(place(n_all, n_species_), 0.0);
  return densities_.data();
}

void Gates::forward(const std::vector<int> &species, int n_owned, Exchange *exchange) {
  if (exchange != nullptr) exchange->from_ghosts(densities_.data(), n_species_);
  gates_.assign(place(n_owned, n_species_ + 1), 0.0);
  gradients_.assign(gates_.size(), 0.0);
  for (int i = 0; i < n_owned; ++i) {
    find_gates(densities_.data() + place(i, n_species_), n_species_, species[static_cast<std::size_t>(i)],
               gates_.data() + place(i, n_species_ + 1));
  }
}

bool Gates::open(int atom) const {
  const double *gate = of(atom);
  return std::any_of(gate, gate + n_species_, [](double g) { return g != 0.0; });
}

const double *Gates::backward(const std::vector<int> &species, int n_owned, Exchange *exchange) {
  for (int i = 0; i < n_owned; ++i) {
    const double *gate = of(i), *by_gate = gradient(i);
    double *by_density = densities_.data() + place(i, n_species_);
    double sum = 0.0;
    for (int b = 0; b < n_species_; ++b) sum += gate[b];
    // g = n/(1+n) has the slope (1-g)^2; so has g_many by T, and T has the slope (sum of the others) by g_B.
    const double by_pairs = by_gate[n_species_] * (1.0 - gate[n_species_]) * (1.0 - gate[n_species_]);
    for (int b = 0; b < n_species_; ++b) {
      const bool own = b == species[static_cast<std::size_t>(i)];
      by_density[b] = own ? 0.0 : (by_gate[b] + by_pairs * (sum - gate[b])) * (1.0 - gate[b]) * (1.0 - gate[b]);
    }
  }
  if (exchange != nullptr) exchange->to_ghosts(densities_.data(), n_species_);
  return densities_.data();
}

}  // namespace hea
