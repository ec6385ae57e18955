#include "geometry.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

Vector3 vector(const double *x) {
  return {x[0], x[1], x[2]};
}

// Adds the two points at the distance `reach` from the corners of a triangle, if there are any: above and below the
// centre of the circle through them.
void add_apexes(const double *first, const double *second, const double *third, double reach, double flat,
                std::vector<double> &above, std::vector<double> &below) {
  const Vector3 u = vector(second) - vector(first), v = vector(third) - vector(first), normal = cross(u, v);
  const double area = dot(normal, normal);  // four times the square of the triangle's area
  if (!(area >= flat)) return;
  const Vector3 to_centre = (0.5 / area) * cross(dot(u, u) * v - dot(v, v) * u, normal);
  const double height2 = reach * reach - dot(to_centre, to_centre);
  if (!(height2 > 0.0)) return;
  const Vector3 centre = vector(first) + to_centre, height = std::sqrt(height2 / area) * normal;
  for (std::size_t k = 0; k < 3; ++k) {
    above.push_back(centre[k] + height[k]);
    below.push_back(centre[k] - height[k]);
  }
}

}  // namespace

Sites vacant_sites(const Atoms &atoms, std::size_t kind, double contact, double least) {
  const double *x = atoms.positions, *to_kind = atoms.bonds + kind * atoms.kinds;
  std::vector<std::vector<std::size_t>> later(atoms.n);  // neighbours of higher number, ascending
  const auto is_near = [&](std::size_t i, std::size_t j) {
    const double limit = contact * atoms.bond(i, j);
    return squared_distance(x + 3 * i, x + 3 * j) < limit * limit;
  };
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (std::size_t j = i + 1; j < atoms.n; ++j) {
      if (is_near(i, j)) later[i].push_back(j);
    }
  }
  const double mean = atoms.mean_bond(), flat = 1e-6 * mean * mean * mean * mean;
  std::vector<double> apexes, below;
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (std::size_t second = 0; second < later[i].size(); ++second) {
      const std::size_t j = later[i][second];
      for (std::size_t third = second + 1; third < later[i].size(); ++third) {
        const std::size_t k = later[i][third];
        if (!is_near(j, k)) continue;
        const double reach = (to_kind[atoms.type(i)] + to_kind[atoms.type(j)] + to_kind[atoms.type(k)]) / 3.0;
        add_apexes(x + 3 * i, x + 3 * j, x + 3 * k, reach, flat, apexes, below);
      }
    }
  }
  apexes.insert(apexes.end(), below.begin(), below.end());
  Sites sites;
  for (std::size_t apex = 0; apex < apexes.size(); apex += 3) {
    std::int64_t contacts = 0;
    bool is_free = true;
    for (std::size_t i = 0; is_free && i < atoms.n; ++i) {
      const double bond = to_kind[atoms.type(i)], square = squared_distance(&apexes[apex], x + 3 * i);
      is_free = square > least * least * bond * bond;
      if (square < contact * contact * bond * bond) ++contacts;
    }
    if (!is_free) continue;
    sites.positions.insert(sites.positions.end(), &apexes[apex], &apexes[apex] + 3);
    sites.contacts.push_back(contacts);
  }
  return sites;
}

}  // namespace hea::clusters
