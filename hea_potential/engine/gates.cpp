#include "gates.h"

#include <algorithm>

namespace hea {

void Gates::forward(const std::vector<int> &species, const std::vector<std::int64_t> &first,
                    const std::vector<Bond> &bonds, Exchange *exchange) {
  const int n_owned = static_cast<int>(first.size()) - 1, s = n_species_;
  densities_.assign(species.size() * static_cast<std::size_t>(s), 0.0);
  for (int i = 0; i < n_owned; ++i) {
    for (std::int64_t e = first[static_cast<std::size_t>(i)]; e < first[static_cast<std::size_t>(i) + 1]; ++e) {
      const Bond &bond = bonds[static_cast<std::size_t>(e)];
      const double x = 1.0 - bond.r * bond.r * inverse_cutoff2_, density = x * x * x;
      const auto j = static_cast<std::size_t>(bond.neighbour);
      densities_[static_cast<std::size_t>(i * s + species[j])] += density;
      densities_[j * static_cast<std::size_t>(s) + static_cast<std::size_t>(species[static_cast<std::size_t>(i)])] +=
          density;
    }
  }
  if (exchange != nullptr) exchange->from_ghosts(densities_.data(), s);

  gates_.assign(static_cast<std::size_t>(n_owned * width()), 0.0);
  gradients_.assign(gates_.size(), 0.0);
  for (int i = 0; i < n_owned; ++i) {
    const double *n = densities_.data() + static_cast<std::size_t>(i * s);
    double *gate = gates_.data() + static_cast<std::size_t>(i * width());
    double sum = 0.0, pairs = 0.0;  // of g_B, and of g_B g_C over B < C
    for (int b = 0; b < s; ++b) {
      if (b == species[static_cast<std::size_t>(i)]) continue;
      gate[b] = n[b] / (1.0 + n[b]);
      pairs += sum * gate[b];
      sum += gate[b];
    }
    gate[s] = pairs / (1.0 + pairs);
  }
}

bool Gates::open(int atom) const {
  const double *gate = of(atom);
  return std::any_of(gate, gate + width(), [](double g) { return g != 0.0; });
}

void Gates::backward(const std::vector<int> &species, const std::vector<std::int64_t> &first, std::vector<Bond> &bonds,
                     Exchange *exchange) {
  const int n_owned = static_cast<int>(first.size()) - 1, s = n_species_;
  for (int i = 0; i < n_owned; ++i) {
    const double *gate = of(i), *by_gate = gradient(i);
    double *by_density = densities_.data() + static_cast<std::size_t>(i * s);
    double sum = 0.0;
    for (int b = 0; b < s; ++b) sum += gate[b];
    // g = n/(1+n) has the slope (1-g)^2; so has g_many by T, and T has the slope (sum of the others) by g_B.
    const double by_pairs = by_gate[s] * (1.0 - gate[s]) * (1.0 - gate[s]);
    for (int b = 0; b < s; ++b) {
      const bool own = b == species[static_cast<std::size_t>(i)];
      by_density[b] = own ? 0.0 : (by_gate[b] + by_pairs * (sum - gate[b])) * (1.0 - gate[b]) * (1.0 - gate[b]);
    }
  }
  if (exchange != nullptr) exchange->to_ghosts(densities_.data(), s);

  for (int i = 0; i < n_owned; ++i) {
    for (std::int64_t e = first[static_cast<std::size_t>(i)]; e < first[static_cast<std::size_t>(i) + 1]; ++e) {
      Bond &bond = bonds[static_cast<std::size_t>(e)];
      const double x = 1.0 - bond.r * bond.r * inverse_cutoff2_;
      const auto j = static_cast<std::size_t>(bond.neighbour);
      const double by_density =
          densities_[static_cast<std::size_t>(i * s + species[j])] +
          densities_[j * static_cast<std::size_t>(s) + static_cast<std::size_t>(species[static_cast<std::size_t>(i)])];
      bond.slope -= by_density * 6.0 * bond.r * inverse_cutoff2_ * x * x;
    }
  }
}

}  // namespace hea
