#include "exchange_scan.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "atom_types.h"
#include "scan_orderings.h"

namespace hea {

// Holds the model and the scan of the wanted precision, and maps atom types to species.
struct ExchangeScan::Implementation {
  Implementation(const Model &given, const std::vector<int> &elements) : model(given), types(model, elements) {}

  // Calls work(scan) with the scan of the wanted precision.
  template<typename Work>
  decltype(auto) with_scan(Work work) {
    return fp32 != nullptr ? work(*fp32) : work(*fp64);
  }

  void check_ordered() {
    const int n = with_scan([](const auto &scan) { return scan.n_atoms(); });
    if (static_cast<int>(species.size()) != n)
      throw std::invalid_argument("the scan has a geometry of " + std::to_string(n) +
                                  " atoms and no ordering of it: order() comes before");
  }

  Model model;
  AtomTypes types;
  std::vector<int> species;  // of the atoms, empty before the first ordering of a geometry
  std::unique_ptr<ScanOrderings<float>> fp32;
  std::unique_ptr<ScanOrderings<double>> fp64;
};

ExchangeScan::ExchangeScan(const Model &model, const std::vector<int> &elements, Precision precision)
    : implementation_(std::make_unique<Implementation>(model, elements)) {
  Implementation &self = *implementation_;
  if (std::find(elements.begin(), elements.end(), -1) != elements.end())
    throw std::invalid_argument("a type has the element -1, allowed are 0 to " +
                                std::to_string(model.n_elements() - 1));
  if (precision == Precision::fp32)
    self.fp32 = std::make_unique<ScanOrderings<float>>(self.model, self.types.used());
  else
    self.fp64 = std::make_unique<ScanOrderings<double>>(self.model, self.types.used());
}

ExchangeScan::~ExchangeScan() = default;
ExchangeScan::ExchangeScan(ExchangeScan &&) noexcept = default;
ExchangeScan &ExchangeScan::operator=(ExchangeScan &&) noexcept = default;

double ExchangeScan::cutoff() const {
  return implementation_->model.cutoff;
}

int ExchangeScan::n_types() const {
  return implementation_->types.size();
}

int ExchangeScan::n_atoms() const {
  return implementation_->with_scan([](const auto &scan) { return scan.n_atoms(); });
}

void ExchangeScan::place(const Configuration &configuration) {
  implementation_->species.clear();
  implementation_->with_scan([&](auto &scan) { scan.place(configuration); });
}

double ExchangeScan::order(const int *type) {
  Implementation &self = *implementation_;
  self.species.clear();
  std::vector<int> species;
  self.types.find_species(type, n_atoms(), species);
  const double energy = self.with_scan([&](auto &scan) { return scan.order(species); });
  self.species = std::move(species);
  return energy;
}

void ExchangeScan::substitutions(double *energy) {
  Implementation &self = *implementation_;
  self.check_ordered();
  for (int i = 0; i < static_cast<int>(self.species.size()); ++i) {
    for (int type = 0; type < self.types.size(); ++type)
      *energy++ = self.with_scan([&](auto &scan) { return scan.with_substitution(i, self.types.species(type)); });
  }
}

void ExchangeScan::exchanges(const std::array<int, 2> *pairs, std::size_t n, double *energy) {
  Implementation &self = *implementation_;
  self.check_ordered();
  for (std::size_t k = 0; k < n; ++k) {
    const auto [p, q] = pairs[k];
    for (const int atom : pairs[k]) {
      if (atom < 0 || atom >= static_cast<int>(self.species.size())) {
        throw std::invalid_argument("a pair has the atom " + std::to_string(atom) + ", allowed are 0 to " +
                                    std::to_string(static_cast<int>(self.species.size()) - 1));
      }
    }
    energy[k] = self.with_scan([p = p, q = q](auto &scan) { return scan.with_exchange(p, q); });
  }
}

std::vector<std::array<int, 2>> ExchangeScan::unlike_pairs() const {
  implementation_->check_ordered();
  const std::vector<int> &species = implementation_->species;
  std::vector<std::array<int, 2>> pairs;
  for (std::size_t i = 0; i < species.size(); ++i) {
    for (std::size_t j = i + 1; j < species.size(); ++j) {
      if (species[i] != species[j]) pairs.push_back({static_cast<int>(i), static_cast<int>(j)});
    }
  }
  return pairs;
}

}  // namespace hea
