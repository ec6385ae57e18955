#include "growth.h"

#include <algorithm>
#include <map>
#include <numeric>

#include "contacts.h"
#include "geometry.h"

namespace hea::clusters {
namespace {

// A place one bond from a random atom; the origin where there is none.
Vector3 beside(Random &random, const std::vector<double> &positions, double bond) {
  if (positions.empty()) return {};
  const Vector3 atom = vector_of(&positions[3 * random.below(positions.size() / 3)]);
  const Vector3 direction = random.in_ball();
  return atom + (bond / norm(direction)) * direction;
}

constexpr std::size_t none = static_cast<std::size_t>(-1);

// Which of some sites touches most atoms, by numbers that are blurred, of those where `suits` is true; `none` if it is
// true nowhere.
template<typename Suits>
std::size_t best_site(Random &random, const Sites &sites, double blur, const Suits &suits) {
  std::size_t best = none;
  double most = -1.0;
  for (std::size_t site = 0; site < sites.contacts.size(); ++site) {
    const double offered = static_cast<double>(sites.contacts[site]) + random.uniform(0.0, blur);
    if (offered > most && suits(&sites.positions[3 * site])) {
      most = offered;
      best = site;
    }
  }
  return best;
}

// Contacts of each atom, blurred.
std::vector<double> blurred_contacts(Random &random, const Atoms &atoms, const Judging &judging) {
  const std::vector<std::int64_t> counts = coordination(atoms, judging.contact);
  std::vector<double> contacts(counts.begin(), counts.end());
  for (double &number : contacts) number += random.uniform(0.0, judging.blur);
  return contacts;
}

void add(Arrangement &cluster, std::int64_t type, const double *place) {
  cluster.types.push_back(type);
  cluster.positions.insert(cluster.positions.end(), place, place + 3);
}

void remove(Arrangement &cluster, std::size_t atom) {
  const auto at = static_cast<std::ptrdiff_t>(atom);
  cluster.types.erase(cluster.types.begin() + at);
  cluster.positions.erase(cluster.positions.begin() + 3 * at, cluster.positions.begin() + 3 * (at + 1));
}

}  // namespace

Arrangement grown(Random &random, const Atoms &atoms, const std::vector<std::int64_t> &added, const Judging &judging) {
  Arrangement result = atoms.copy();
  Contacts contacts(atoms, judging.contact, atoms.n + added.size());
  std::map<std::size_t, Sites> sites_for;  // by the types that were asked for
  for (const std::int64_t type : added) {
    const auto kind = static_cast<std::size_t>(type);
    if (sites_for.count(kind) == 0) {
      sites_for[kind] = vacant_sites(contacts, atoms.with(result), kind, judging.contact, judging.least);
    }
    const Sites &sites = sites_for[kind];
    const std::size_t best = best_site(random, sites, judging.blur, [](const double *) { return true; });
    const Vector3 place =
        best == none ? beside(random, result.positions, atoms.mean_bond()) : vector_of(&sites.positions[3 * best]);
    add(result, type, place.data());
    contacts.add(atoms.with(result), result.types.size() - 1);
    for (auto &[other, known] : sites_for) {
      extend_sites(known, contacts, atoms.with(result), other, judging.contact, judging.least);
    }
  }
  return result;
}

Arrangement resurfaced(Random &random, const Atoms &atoms, std::size_t count, const Judging &judging) {
  const std::vector<double> contacts = blurred_contacts(random, atoms, judging);
  std::vector<std::size_t> order(atoms.n);
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::sort(order.begin(), order.end(), [&](std::size_t i, std::size_t j) { return contacts[i] < contacts[j]; });
  Arrangement rest;
  std::vector<std::int64_t> taken;
  for (std::size_t rank = 0; rank < atoms.n; ++rank) {
    const std::size_t atom = order[rank];
    if (rank < count) {
      taken.push_back(atoms.types[atom]);
    } else {
      add(rest, atoms.types[atom], atoms.positions + 3 * atom);
    }
  }
  random.shuffle(taken);
  return grown(random, atoms.with(rest), taken, judging);
}

Arrangement with_moved_atoms(Random &random, const Atoms &atoms, std::size_t times, const Judging &judging) {
  Arrangement result = atoms.copy();
  for (std::size_t time = 0; time < times; ++time) {
    const std::vector<double> contacts = blurred_contacts(random, atoms.with(result), judging);
    const auto loosest =
        static_cast<std::size_t>(std::min_element(contacts.begin(), contacts.end()) - contacts.begin());
    const std::int64_t type = result.types[loosest];
    Arrangement rest = result;
    remove(rest, loosest);
    const auto kind = static_cast<std::size_t>(type);
    const Sites sites = vacant_sites(atoms.with(rest), kind, judging.contact, judging.least);
    const double half = 0.5 * atoms.bonds[kind * atoms.kinds + kind];
    const double *before = &result.positions[3 * loosest];
    const std::size_t best = best_site(
        random, sites, judging.blur, [&](const double *site) { return squared_distance(site, before) > half * half; });
    if (best == none) break;
    add(rest, type, &sites.positions[3 * best]);
    result = std::move(rest);
  }
  return result;
}

}  // namespace hea::clusters
