#include "uncertainty.h"

#include <cmath>
#include <numeric>

namespace hea {

Uncertainty::Uncertainty(const Model &model)
    : n_(static_cast<std::size_t>(model.n_elements() * model.n_hidden)),
      scale_(model.sigma_scale),
      factor_(model.gram) {
  for (std::size_t i = 0; i < n_; ++i) {
    double *row = factor_.data() + i * n_;
    row[i] += model.sigma_ridge;
    for (std::size_t j = 0; j <= i; ++j) {
      const double *other = factor_.data() + j * n_;
      const double rest = row[j] - std::inner_product(row, row + j, other, 0.0);
      if (i != j) {
        row[j] = rest / other[j];
      } else if (rest > 0.0) {
        row[i] = std::sqrt(rest);
      } else {
        throw ModelError("tensor 'gram': gram + ridge is not positive definite at row " + std::to_string(i));
      }
    }
  }
}

double Uncertainty::sigma(const std::vector<double> &features, std::vector<double> &gradient) const {
  gradient = features;
  double square = 0.0;
  for (std::size_t i = 0; i < n_; ++i) {
    const double *row = factor_.data() + i * n_;
    gradient[i] = (gradient[i] - std::inner_product(row, row + i, gradient.begin(), 0.0)) / row[i];
    square += gradient[i] * gradient[i];
  }
  for (std::size_t i = n_; i-- > 0;) {
    const double *row = factor_.data() + i * n_;
    gradient[i] /= row[i];
    for (std::size_t j = 0; j < i; ++j) gradient[j] -= row[j] * gradient[i];
  }
  const double norm = std::sqrt(square);
  for (double &g : gradient) g = norm > 0.0 ? scale_ * g / norm : 0.0;
  return scale_ * norm;
}

}  // namespace hea
