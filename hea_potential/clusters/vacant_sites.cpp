#include <algorithm>

#include "contacts.h"
#include "geometry.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

Vector3 vector(const double *x) {
  return {x[0], x[1], x[2]};
}

// Finds places for an atom of one type beside others.
class Apexes {
 public:
  Apexes(const Atoms &atoms, std::size_t kind, double contact, double least)
      : atoms_(atoms), to_kind_(atoms.bonds + kind * atoms.kinds) {
    for (std::size_t i = 0; i < atoms.n; ++i) {
      for (std::size_t k = 0; k < 3; ++k) coordinates_[k].push_back(atoms.positions[3 * i + k]);
      touching_.push_back(square_of(contact * bond_to(i)));
      overlapping_.push_back(square_of(least * bond_to(i)));
    }
  }

  // Adds the two points at one bond from the corners of a triangle, if there are any: above and below the centre of the
  // circle through them.
  void add(std::size_t i, std::size_t j, std::size_t k) {
    const double mean = atoms_.mean_bond(), flat = 1e-6 * mean * mean * mean * mean;
    const double reach = (bond_to(i) + bond_to(j) + bond_to(k)) / 3.0;
    const Vector3 first = place(i), u = place(j) - first, v = place(k) - first, normal = cross(u, v);
    const double area = dot(normal, normal);  // four times the square of the triangle's area
    if (!(area >= flat)) return;
    const Vector3 to_centre = (0.5 / area) * cross(dot(u, u) * v - dot(v, v) * u, normal);
    const double height2 = reach * reach - dot(to_centre, to_centre);
    if (!(height2 > 0.0)) return;
    const Vector3 centre = first + to_centre, height = std::sqrt(height2 / area) * normal;
    above_.push_back(centre + height);
    below_.push_back(centre - height);
    corners_.push_back(i);
  }

  // Adds those where no atom overlaps to the sites.
  void add_free(const Contacts &contacts, Sites &sites) const {
    for (const std::vector<Vector3> *side : {&above_, &below_}) {
      for (std::size_t triangle = 0; triangle < side->size(); ++triangle) {
        const Vector3 &apex = (*side)[triangle];
        const auto is_overlapped = [&](std::size_t i) { return overlaps(apex, i); };
        // Most apexes lie on an atom that touches a corner of their triangle: to look there first is quick.
        const std::size_t corner = corners_[triangle];
        if (std::any_of(contacts.begin(corner), contacts.end(corner), is_overlapped)) continue;
        // All of them without a branch, so that the compiler may use vectors.
        std::int64_t touched = 0, overlapped = 0;
        for (std::size_t i = 0; i < atoms_.n; ++i) {
          const double square = square_to(apex, i);
          touched += square <= touching_[i] ? 1 : 0;
          overlapped += square <= overlapping_[i] ? 1 : 0;
        }
        if (overlapped > 0) continue;
        sites.positions.insert(sites.positions.end(), apex.begin(), apex.end());
        sites.contacts.push_back(touched);
      }
    }
  }

  // Takes away the sites that an atom overlaps, and counts it where it touches others.
  void account_for(std::size_t atom, Sites &sites) const {
    std::size_t kept = 0;
    for (std::size_t site = 0; site < sites.contacts.size(); ++site) {
      const Vector3 apex = vector(&sites.positions[3 * site]);
      if (overlaps(apex, atom)) continue;
      std::copy(apex.begin(), apex.end(), &sites.positions[3 * kept]);
      sites.contacts[kept] = sites.contacts[site] + touches(apex, atom);
      ++kept;
    }
    sites.positions.resize(3 * kept);
    sites.contacts.resize(kept);
  }

 private:
  Vector3 place(std::size_t i) const { return vector(atoms_.positions + 3 * i); }
  double bond_to(std::size_t i) const { return to_kind_[atoms_.type(i)]; }
  static double square_of(double x) { return x * x; }
  double square_to(const Vector3 &apex, std::size_t i) const {
    return square_of(apex[0] - coordinates_[0][i]) + square_of(apex[1] - coordinates_[1][i]) +
           square_of(apex[2] - coordinates_[2][i]);
  }
  bool overlaps(const Vector3 &apex, std::size_t i) const { return square_to(apex, i) <= overlapping_[i]; }
  bool touches(const Vector3 &apex, std::size_t i) const { return square_to(apex, i) <= touching_[i]; }

  const Atoms &atoms_;
  const double *to_kind_;
  std::vector<double> coordinates_[3];
  std::vector<double> touching_, overlapping_;  // squared distances from each atom
  std::vector<Vector3> above_, below_;
  std::vector<std::size_t> corners_;  // the first corner of each triangle
};

}  // namespace

Sites vacant_sites(const Atoms &atoms, std::size_t kind, double contact, double least) {
  return vacant_sites(Contacts(atoms, contact), atoms, kind, contact, least);
}

Sites vacant_sites(const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact, double least) {
  Apexes apexes(atoms, kind, contact, least);
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (const std::size_t *j = contacts.begin(i); j != contacts.end(i); ++j) {
      for (const std::size_t *k = j + 1; k != contacts.end(i); ++k) {
        const Gap gap = contacts.gap(*j, *k);
        // A triangle has three corners where two sides meet, the half of a square one.
        if (gap == Gap::across_a_square || (gap == Gap::in_contact && i < *j)) apexes.add(i, *j, *k);
      }
    }
  }
  Sites sites;
  apexes.add_free(contacts, sites);
  return sites;
}

void extend_sites(Sites &sites, const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact,
                  double least) {
  const std::size_t last = atoms.n - 1;
  Apexes apexes(atoms, kind, contact, least);
  apexes.account_for(last, sites);
  for (const std::size_t *j = contacts.begin(last); j != contacts.end(last); ++j) {
    for (const std::size_t *k = j + 1; k != contacts.end(last); ++k) {
      if (contacts.gap(*j, *k) != Gap::wide) apexes.add(last, *j, *k);
    }
    for (const std::size_t *k = contacts.begin(*j); k != contacts.end(*j); ++k) {
      if (*k != last && contacts.gap(last, *k) == Gap::across_a_square) apexes.add(*j, last, *k);
    }
  }
  apexes.add_free(contacts, sites);
}

}  // namespace hea::clusters
