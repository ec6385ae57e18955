// The screened nuclear repulsion of Ziegler, Biersack and Littmark (1985), switched off smoothly; constants as LAMMPS
// pair zbl.
#pragma once

#include <cmath>

namespace hea {

class Zbl {
 public:
  Zbl() = default;
  Zbl(int z_a, int z_b, double inner, double outer)
      : strength_(14.3996454784255 * z_a * z_b),
        inverse_length_((std::pow(z_a, 0.23) + std::pow(z_b, 0.23)) / 0.46850),
        inner_(inner),
        outer_(outer) {}

  double outer() const { return outer_; }

  // Energy of a pair and its derivative, eV and eV/A; r < outer().
  double energy(double r, double &slope) const {
    static constexpr double weight[4] = {0.18175, 0.50986, 0.28022, 0.02817};
    static constexpr double rate[4] = {3.19980, 0.94229, 0.40290, 0.20162};
    double phi = 0.0, phi_slope = 0.0;
    for (int k = 0; k < 4; ++k) {
      const double term = weight[k] * std::exp(-rate[k] * r * inverse_length_);
      phi += term;
      phi_slope -= rate[k] * inverse_length_ * term;
    }
    double energy = strength_ / r * phi;
    slope = strength_ / r * (phi_slope - phi / r);
    if (r > inner_) {
      const double width = outer_ - inner_, x = (r - inner_) / width;
      const double s = 1.0 - x * x * x * (10.0 - 15.0 * x + 6.0 * x * x);
      slope = slope * s - energy * 30.0 * x * x * (1.0 - x) * (1.0 - x) / width;
      energy *= s;
    }
    return energy;
  }

 private:
  double strength_ = 0.0, inverse_length_ = 0.0, inner_ = 0.0, outer_ = 0.0;
};

}  // namespace hea
