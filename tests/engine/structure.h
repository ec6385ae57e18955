// Small structures and their half edges, found by comparing all pairs.
#pragma once

#include <array>
#include <cmath>
#include <random>
#include <vector>

#include "potential.h"

struct Structure {
  std::vector<int> type;
  std::vector<std::array<double, 3>> position;
  double box = 0.0;  // edge of a periodic cube; 0 for none

  static Structure random(int n, int n_types, double spacing, double box, unsigned seed) {
    std::mt19937 generator(seed);
    std::uniform_real_distribution<double> uniform(-0.15, 0.15);
    Structure out;
    out.box = box;
    const int side = static_cast<int>(std::ceil(std::cbrt(n)));
    for (int k = 0; k < n; ++k) {
      const int cell[3] = {k % side, k / side % side, k / side / side};
      std::array<double, 3> &x = out.position.emplace_back();
      for (std::size_t c = 0; c < 3; ++c) x[c] = spacing * (cell[c] + uniform(generator));
      out.type.push_back(static_cast<int>(generator() % static_cast<unsigned>(n_types)));
    }
    return out;
  }
};

// Half edges of a structure, also some beyond the cutoff as LAMMPS's lists hold them.
struct Edges {
  std::vector<std::int64_t> first{0};
  std::vector<int> neighbour;
  std::vector<double> vector;

  Edges(const Structure &s, double reach) {
    const int images = s.box > 0.0 ? static_cast<int>(reach / s.box) + 2 : 0, n = static_cast<int>(s.position.size());
    for (int i = 0; i < n; ++i) {
      for (int j = i; j < n; ++j) {
        for (int a = -images; a <= images; ++a) {
          for (int b = -images; b <= images; ++b) {
            for (int c = -images; c <= images; ++c) {
              // of an atom and its own images, half
              if (i == j && (a < 0 || (a == 0 && (b < 0 || (b == 0 && c <= 0))))) continue;
              add_if_near(s, i, j, {a, b, c}, reach);
            }
          }
        }
      }
      first.push_back(static_cast<std::int64_t>(neighbour.size()));
    }
  }

  hea::Configuration configuration(const Structure &s) const {
    hea::Configuration out;
    out.n_owned = out.n_all = static_cast<int>(s.type.size());
    out.type = s.type.data();
    out.first = first.data();
    out.neighbour = neighbour.data();
    out.vector = vector.data();
    return out;
  }

 private:
  void add_if_near(const Structure &s, int i, int j, std::array<int, 3> image, double reach) {
    double d[3], r2 = 0.0;
    for (std::size_t c = 0; c < 3; ++c) {
      d[c] = s.position[static_cast<std::size_t>(j)][c] - s.position[static_cast<std::size_t>(i)][c] + s.box * image[c];
      r2 += d[c] * d[c];
    }
    if (r2 >= reach * reach) return;
    neighbour.push_back(j);
    vector.insert(vector.end(), d, d + 3);
  }
};
