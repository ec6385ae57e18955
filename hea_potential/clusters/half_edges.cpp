#include "half_edges.h"

#include "near_pairs.h"

namespace hea::clusters {

HalfEdges half_edges(std::vector<double> positions, double cutoff) {
  HalfEdges edges;
  edges.first.assign(positions.size() / 3 + 1, 0);
  for_near_pairs(positions, cutoff, [&](std::size_t i, std::size_t j) {
    const double *a = &positions[3 * i], *b = &positions[3 * j];
    const double x = b[0] - a[0], y = b[1] - a[1], z = b[2] - a[2];
    if (!(x * x + y * y + z * z < cutoff * cutoff)) return;
    ++edges.first[i + 1];
    edges.neighbour.push_back(static_cast<std::int32_t>(j));
    edges.vectors.insert(edges.vectors.end(), {x, y, z});
  });
  for (std::size_t i = 1; i < edges.first.size(); ++i) edges.first[i] += edges.first[i - 1];
  return edges;
}

}  // namespace hea::clusters
