#include "growth.h"

#include <algorithm>
#include <map>

#include "geometry.h"

namespace hea::clusters {
namespace {

// A place one bond from a random atom; the origin where there is none.
Vector3 beside(Random &random, const std::vector<double> &positions, double bond) {
  if (positions.empty()) return {};
  const double *atom = &positions[3 * random.below(positions.size() / 3)];
  const Vector3 direction = random.in_ball();
  return Vector3{atom[0], atom[1], atom[2]} + (bond / norm(direction)) * direction;
}

// Which of some sites touches most atoms, by numbers that are blurred.
std::size_t best_site(Random &random, const Sites &sites, double blur) {
  std::size_t best = 0;
  double most = -1.0;
  for (std::size_t site = 0; site < sites.contacts.size(); ++site) {
    const double offered = static_cast<double>(sites.contacts[site]) + random.uniform(0.0, blur);
    if (offered > most) {
      most = offered;
      best = site;
    }
  }
  return best;
}

Atoms view(const Grown &cluster, const Atoms &like) {
  return {cluster.types.size(), cluster.types.data(), cluster.positions.data(), like.kinds, like.bonds};
}

}  // namespace

Grown grown(Random &random, const Atoms &atoms, const std::vector<std::int64_t> &added, double contact, double least,
            double blur) {
  Grown result{{atoms.types, atoms.types + atoms.n}, {atoms.positions, atoms.positions + 3 * atoms.n}};
  std::map<std::size_t, Sites> sites_for;  // by the types that were asked for
  for (const std::int64_t type : added) {
    const auto kind = static_cast<std::size_t>(type);
    if (sites_for.count(kind) == 0) sites_for[kind] = vacant_sites(view(result, atoms), kind, contact, least);
    const Sites &sites = sites_for[kind];
    Vector3 place;
    if (sites.contacts.empty()) {
      place = beside(random, result.positions, atoms.mean_bond());
    } else {
      std::copy_n(&sites.positions[3 * best_site(random, sites, blur)], 3, place.begin());
    }
    result.types.push_back(type);
    result.positions.insert(result.positions.end(), place.begin(), place.end());
    for (auto &[other, known] : sites_for) extend_sites(known, view(result, atoms), other, contact, least);
  }
  return result;
}

}  // namespace hea::clusters
