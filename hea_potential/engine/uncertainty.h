// sigma = c sqrt(f^T (Gram + lambda I)^-1 f) and its gradient with respect to f (Bigi et al. 2024).
#pragma once

#include <vector>

#include "model.h"

namespace hea {

class Uncertainty {
 public:
  // Factorises Gram + lambda I; throws ModelError if it is not positive definite.
  explicit Uncertainty(const Model &model);

  // gradient[n] = d sigma / d f; zero where sigma is zero.
  double sigma(const std::vector<double> &features, std::vector<double> &gradient) const;

 private:
  std::size_t n_;
  double scale_;
  std::vector<double> factor_;  // lower triangle of the Cholesky factor, row-major, n x n
};

}  // namespace hea
