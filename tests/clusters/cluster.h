// Small clusters for the tests, which own what hea::clusters::Atoms looks at.
#pragma once

#include <random>
#include <vector>

#include "atoms.h"

struct Cluster {
  std::vector<double> positions;
  std::vector<std::int64_t> types;
  std::vector<double> bonds;

  hea::clusters::Atoms atoms() const {
    const auto kinds = static_cast<std::size_t>(std::lround(std::sqrt(static_cast<double>(bonds.size()))));
    return {types.size(), types.data(), positions.data(), kinds, bonds.data()};
  }
};

// Atoms of one type with a bond of 1.
inline Cluster unary(std::vector<double> positions) {
  Cluster cluster;
  cluster.types.assign(positions.size() / 3, 0);
  cluster.positions = std::move(positions);
  cluster.bonds = {1.0};
  return cluster;
}

// Atoms of two types anywhere in a cube.
inline Cluster random_binary(std::size_t n, double edge, unsigned seed) {
  std::mt19937 random(seed);
  std::uniform_real_distribution<double> place(0.0, edge);
  Cluster cluster;
  for (std::size_t k = 0; k < 3 * n; ++k) cluster.positions.push_back(place(random));
  for (std::size_t i = 0; i < n; ++i) cluster.types.push_back(static_cast<std::int64_t>(random() % 2));
  cluster.bonds = {1.0, 1.1, 1.1, 1.3};
  return cluster;
}

// Six atoms at the corners of a regular octahedron with edges of 1.
inline Cluster octahedron() {
  const double r = std::sqrt(0.5);
  return unary({r, 0, 0, -r, 0, 0, 0, r, 0, 0, -r, 0, 0, 0, r, 0, 0, -r});
}
