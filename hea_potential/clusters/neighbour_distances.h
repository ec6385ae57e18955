// How far the atoms of a cluster are from each other, and which of them are neighbours.
#pragma once

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "atoms.h"
#include "lanes.h"

namespace hea::clusters {

constexpr std::size_t shell = 12;  // neighbours in a close packing

// The mean roots of four times as many numbers, each of the four of those where a flag is raised.
class MeanRoots {
 public:
  void add(Lanes numbers, Flags are_meant) {
    for (std::size_t lane = 0; lane < lanes; ++lane) numbers[lane] = std::sqrt(numbers[lane]);
    sums_ += are_meant ? numbers : Lanes{};
    counts_ -= are_meant;
  }

  std::size_t count(std::size_t lane) const { return static_cast<std::size_t>(counts_[lane]); }
  double mean(std::size_t lane) const {
    return counts_[lane] > 0 ? static_cast<double>(sums_[lane]) / static_cast<double>(counts_[lane]) : 0.0;
  }

 private:
  Lanes sums_{};
  Flags counts_{};
};

// The distances of all atoms from four, which are found together because processors calculate with four numbers at
// once, and how many neighbours these have. Single precision suffices to tell shells of neighbours apart.
class NeighbourDistances {
 public:
  // From the atom `begin` and the three after it, as far as there are any; places [n][3] are those of all atoms.
  NeighbourDistances(const Atoms &atoms, const std::vector<float> &places, std::size_t begin) : squares_(atoms.n) {
    Lanes x{}, y{}, z{};
    std::vector<Lanes> factors(atoms.kinds);  // by the type of the other atom
    const std::size_t count = std::min(lanes, atoms.n - begin);
    for (std::size_t lane = 0; lane < count; ++lane) {
      const float *place = &places[3 * (begin + lane)];
      x[lane] = place[0], y[lane] = place[1], z[lane] = place[2];
      for (std::size_t kind = 0; kind < atoms.kinds; ++kind) {
        const double bond = atoms.bonds[atoms.type(begin + lane) * atoms.kinds + kind];
        factors[kind][lane] = static_cast<float>(1.0 / (bond * bond));
      }
    }
    for (std::size_t j = 0; j < atoms.n; ++j) {
      const Lanes u = x - places[3 * j], v = y - places[3 * j + 1], w = z - places[3 * j + 2];
      squares_[j] = (u * u + v * v + w * w) * factors[atoms.type(j)];
    }
    for (std::size_t lane = 0; lane < count; ++lane) squares_[begin + lane][lane] = infinity;
    find_cutoffs();
    for (const Lanes &square : squares_) counts_ -= square < reaches_;
  }

  // Below which distance in bonds atoms are neighbours of one of the four, and how many are.
  double cutoff(std::size_t lane) const { return cutoffs_[lane]; }
  std::size_t count(std::size_t lane) const { return static_cast<std::size_t>(counts_[lane]); }

  // These neighbours, ascending.
  std::vector<std::size_t> neighbours(std::size_t lane) const {
    std::vector<std::size_t> result;
    result.reserve(count(lane));
    for (std::size_t j = 0; j < squares_.size(); ++j) {
      if (squares_[j][lane] < reaches_[lane]) result.push_back(j);
    }
    return result;
  }

 private:
  static constexpr std::size_t least_present = 6;  // neighbours that an atom has even at a vertex
  static constexpr double farthest = 2.0;          // bonds; no neighbour is farther
  static constexpr double next_shell = 1.25;  // times the mean distance of those: beyond are none of the first shell
  static inline const double between = 0.5 * (1.0 + std::sqrt(2.0));
  static constexpr float infinity = std::numeric_limits<float>::infinity();

  static Lanes smaller(Lanes a, Lanes b) { return b < a ? b : a; }
  static Lanes larger(Lanes a, Lanes b) { return a < b ? b : a; }

  void find_cutoffs() {
    Lanes nearest[least_present];  // squares, ascending
    std::fill_n(nearest, least_present, Lanes{} + infinity);
    for (const Lanes square : squares_) {
      // Put in its place without a branch, whose way a processor could not foresee, and without waiting for a
      // neighbour.
      for (std::size_t k = least_present - 1; k > 0; --k) {
        nearest[k] = larger(nearest[k - 1], smaller(nearest[k], square));
      }
      nearest[0] = smaller(nearest[0], square);
    }
    MeanRoots known;
    for (const Lanes square : nearest) known.add(square, square < static_cast<float>(farthest * farthest));
    Lanes edges{};
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      edges[lane] = rounded_up(std::pow(std::min(next_shell * known.mean(lane), farthest), 2));
    }
    MeanRoots present;
    for (const Lanes square : squares_) present.add(square, square < edges);
    for (std::size_t lane = 0; lane < lanes; ++lane) {
      cutoffs_[lane] = between * (present.count(lane) > shell ? mean_of_shell(lane, edges[lane]) : present.mean(lane));
      reaches_[lane] = static_cast<float>(std::pow(std::min(cutoffs_[lane], farthest), 2));
    }
  }

  // The mean distance of the nearest atoms, as many as are in a shell, of those below an edge, which are more.
  double mean_of_shell(std::size_t lane, float edge) const {
    std::vector<float> near;
    for (const Lanes &square : squares_) {
      if (square[lane] < edge) near.push_back(square[lane]);
    }
    std::nth_element(near.begin(), near.begin() + shell, near.end());
    float sum = 0.0F;
    for (std::size_t k = 0; k < shell; ++k) sum += std::sqrt(near[k]);
    return static_cast<double>(sum) / static_cast<double>(shell);
  }

  // The first number of single precision that is not below a positive one.
  static float rounded_up(double number) {
    const auto nearest = static_cast<float>(number);
    return static_cast<double>(nearest) < number ? std::nextafter(nearest, infinity) : nearest;
  }

  std::vector<Lanes> squares_;  // in bonds
  double cutoffs_[lanes];
  Lanes reaches_{};  // the squares of these, but none beyond the farthest
  Flags counts_{};
};

}  // namespace hea::clusters
