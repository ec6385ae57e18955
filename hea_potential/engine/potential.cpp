#include "potential.h"

#include "atom_types.h"
#include "evaluator.h"

namespace hea {

// Holds the model and one evaluator of the wanted precision, and maps atom types to species.
struct Potential::Implementation {
  Implementation(const Model &given, const std::vector<int> &elements) : model(given), types(model, elements) {}

  Model model;
  AtomTypes types;
  std::vector<int> species;  // of the atoms of the current configuration
  std::unique_ptr<Evaluator<float>> fp32;
  std::unique_ptr<Evaluator<double>> fp64;
};

Potential::Potential(const Model &model, const std::vector<int> &elements, Precision precision)
    : implementation_(std::make_unique<Implementation>(model, elements)) {
  Implementation &self = *implementation_;
  if (precision == Precision::fp32)
    self.fp32 = std::make_unique<Evaluator<float>>(self.model, self.types.used());
  else
    self.fp64 = std::make_unique<Evaluator<double>>(self.model, self.types.used());
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

std::vector<std::pair<std::string, double>> Potential::seconds_by_pass() const {
  return implementation_->fp32 != nullptr ? implementation_->fp32->stopwatch().laps()
                                          : implementation_->fp64->stopwatch().laps();
}

void Potential::evaluate(const Configuration &configuration, const Options &options, Exchange *exchange,
                         Result &result) {
  Implementation &self = *implementation_;
  self.types.find_species(configuration.type, configuration.n_all, self.species);
  if (self.fp32 != nullptr)
    self.fp32->evaluate(configuration, self.species, options, exchange, result);
  else
    self.fp64->evaluate(configuration, self.species, options, exchange, result);
}

}  // namespace hea
