#include "potential.h"

#include <algorithm>
#include <stdexcept>
#include <string>

#include "evaluator.h"

namespace hea {

// Holds the model and one evaluator of the wanted precision, and maps atom types to species.
struct Potential::Implementation {
  Model model;
  std::vector<int> species_of_type;
  std::vector<int> species;  // of the atoms of the current configuration
  std::unique_ptr<Evaluator<float>> fp32;
  std::unique_ptr<Evaluator<double>> fp64;
};

namespace {

// The different elements among those of the types, in the order of the model, so that types may repeat elements.
std::vector<int> elements_used(const Model &model, const std::vector<int> &elements) {
  std::vector<int> used;
  for (const int element : elements) {
    if (element < -1 || element >= model.n_elements()) {
      throw std::invalid_argument("element " + std::to_string(element) + " of a type, allowed are -1 to " +
                                  std::to_string(model.n_elements() - 1));
    }
    if (element >= 0) used.push_back(element);
  }
  std::sort(used.begin(), used.end());
  used.erase(std::unique(used.begin(), used.end()), used.end());
  if (used.empty()) throw std::invalid_argument("no type has an element of the model");
  return used;
}

}  // namespace

Potential::Potential(const Model &model, const std::vector<int> &elements, Precision precision)
    : implementation_(std::make_unique<Implementation>()) {
  Implementation &self = *implementation_;
  const std::vector<int> used = elements_used(model, elements);
  self.model = model;
  for (const int element : elements) {
    const auto found = std::find(used.begin(), used.end(), element);
    self.species_of_type.push_back(found == used.end() ? -1 : static_cast<int>(found - used.begin()));
  }
  if (precision == Precision::fp32)
    self.fp32 = std::make_unique<Evaluator<float>>(self.model, used);
  else
    self.fp64 = std::make_unique<Evaluator<double>>(self.model, used);
}

Potential::~Potential() = default;
Potential::Potential(Potential &&) noexcept = default;
Potential &Potential::operator=(Potential &&) noexcept = default;

double Potential::cutoff() const {
  return implementation_->model.cutoff;
}

int Potential::n_features_total() const {
  return implementation_->model.n_elements() * implementation_->model.n_hidden;
}

int Potential::max_row_width() const {
  const Implementation &self = *implementation_;
  const auto widest = [](const auto &weights) { return std::max(weights.widths.message(), weights.n_species); };
  return self.fp32 != nullptr ? widest(self.fp32->weights()) : widest(self.fp64->weights());
}

std::vector<std::pair<std::string, double>> Potential::seconds_by_pass() const {
  return implementation_->fp32 != nullptr ? implementation_->fp32->stopwatch().laps()
                                          : implementation_->fp64->stopwatch().laps();
}

void Potential::evaluate(const Configuration &configuration, const Options &options, Exchange *exchange,
                         Result &result) {
  Implementation &self = *implementation_;
  self.species.resize(static_cast<std::size_t>(std::max(configuration.n_all, 0)));
  for (std::size_t i = 0; i < self.species.size(); ++i) {
    const int type = configuration.type[i];
    if (type < 0 || type >= static_cast<int>(self.species_of_type.size())) {
      throw std::invalid_argument("atom " + std::to_string(i) + " has the type " + std::to_string(type) +
                                  ", allowed are 0 to " + std::to_string(self.species_of_type.size() - 1));
    }
    self.species[i] = self.species_of_type[static_cast<std::size_t>(type)];
  }
  if (self.fp32 != nullptr)
    self.fp32->evaluate(configuration, self.species, options, exchange, result);
  else
    self.fp64->evaluate(configuration, self.species, options, exchange, result);
}

}  // namespace hea
