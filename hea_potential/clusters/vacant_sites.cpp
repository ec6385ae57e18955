#include <algorithm>

#include "geometry.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

Vector3 vector(const double *x) {
  return {x[0], x[1], x[2]};
}

// Opposite corners of a square are nearer than this many bonds: between 1.41, the diagonal of a square of atoms in
// contact, and 1.73, that of two triangles in a plane.
constexpr double diagonal = 1.55;

enum class Gap : char { wide, across_a_square, in_contact };

// For each atom the atoms nearer than `contact` bonds, ascending.
class Contacts {
 public:
  Contacts(const Atoms &atoms, double contact) : n_(atoms.n), gaps_(n_ * n_), members_(n_ * n_), counts_(n_) {
    for (std::size_t i = 0; i < n_; ++i) {
      for (std::size_t j = 0; j < i; ++j) {
        const double bond = atoms.bond(i, j), near = contact * bond, far = diagonal * bond;
        const double squared = squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j);
        if (!(squared < std::max(near * near, far * far))) continue;
        const Gap gap = squared < near * near ? Gap::in_contact : Gap::across_a_square;
        gaps_[i * n_ + j] = gaps_[j * n_ + i] = gap;
        if (gap == Gap::in_contact) members_[i * n_ + counts_[i]++] = j;
      }
      for (std::size_t j = 0; j < i; ++j) {
        if (gap(i, j) == Gap::in_contact) members_[j * n_ + counts_[j]++] = i;
      }
    }
  }

  Gap gap(std::size_t i, std::size_t j) const { return gaps_[i * n_ + j]; }
  const std::size_t *begin(std::size_t i) const { return &members_[i * n_]; }
  const std::size_t *end(std::size_t i) const { return begin(i) + counts_[i]; }

 private:
  std::size_t n_;
  std::vector<Gap> gaps_;
  std::vector<std::size_t> members_, counts_;
};

// Finds places for an atom of one type beside others.
class Apexes {
 public:
  Apexes(const Atoms &atoms, std::size_t kind, double contact, double least)
      : atoms_(atoms), to_kind_(atoms.bonds + kind * atoms.kinds), contact_(contact), least_(least) {}

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
        std::int64_t touched = 0;
        bool is_free = true;
        for (std::size_t i = 0; is_free && i < atoms_.n; ++i) {
          is_free = !overlaps(apex, i);
          touched += touches(apex, i);
        }
        if (!is_free) continue;
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
  bool is_within(double reach, const Vector3 &apex, std::size_t i) const {
    const double limit = reach * bond_to(i);
    return squared_distance(apex.data(), atoms_.positions + 3 * i) <= limit * limit;
  }
  bool overlaps(const Vector3 &apex, std::size_t i) const { return is_within(least_, apex, i); }
  bool touches(const Vector3 &apex, std::size_t i) const { return is_within(contact_, apex, i); }

  const Atoms &atoms_;
  const double *to_kind_;
  double contact_, least_;
  std::vector<Vector3> above_, below_;
  std::vector<std::size_t> corners_;  // the first corner of each triangle
};

}  // namespace

Sites vacant_sites(const Atoms &atoms, std::size_t kind, double contact, double least) {
  const Contacts contacts(atoms, contact);
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

void extend_sites(Sites &sites, const Atoms &atoms, std::size_t kind, double contact, double least) {
  const Contacts contacts(atoms, contact);
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
