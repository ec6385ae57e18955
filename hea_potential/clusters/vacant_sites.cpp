#include <algorithm>

#include "contacts.h"
#include "geometry.h"
#include "lanes.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

// Four atoms as an atom of one type sees them. Single precision suffices: no two shells of neighbours are nearly as
// near to each other as its digits.
struct FourAtoms {
  Lanes coordinates[3]{};
  Lanes touching = Lanes{} - 1.0F, overlapping = Lanes{} - 1.0F;  // squared distances; nobody is never near

  Lanes square(float x, float y, float z) const {
    const Lanes a = coordinates[0] - x, b = coordinates[1] - y, c = coordinates[2] - z;
    return a * a + b * b + c * c;
  }
};

// Atoms, four at a time.
class Crowd {
 public:
  Crowd(const Atoms &atoms, const double *to_kind, double contact, double least) : fours_(fours_for(atoms.n)) {
    if (atoms.n > 0) origin_ = vector_of(atoms.positions);
    for (std::size_t i = 0; i < atoms.n; ++i) {
      FourAtoms &four = fours_[i / lanes];
      const Vector3 place = vector_of(atoms.positions + 3 * i) - origin_;
      for (std::size_t k = 0; k < 3; ++k) four.coordinates[k][i % lanes] = static_cast<float>(place[k]);
      four.touching[i % lanes] = static_cast<float>(square_of(contact * to_kind[atoms.type(i)]));
      four.overlapping[i % lanes] = static_cast<float>(square_of(least * to_kind[atoms.type(i)]));
    }
  }

  // How many atoms touch a place; -1 if any overlaps it.
  int touching(const Vector3 &place) const {
    const Vector3 at = place - origin_;
    const float x = static_cast<float>(at[0]), y = static_cast<float>(at[1]), z = static_cast<float>(at[2]);
    Flags touched{}, overlapped{};
    for (const FourAtoms &four : fours_) {
      const Lanes square = four.square(x, y, z);
      touched += square <= four.touching;
      overlapped |= square <= four.overlapping;
    }
    return any(overlapped) ? -1 : -(touched[0] + touched[1] + touched[2] + touched[3]);
  }

 private:
  static std::size_t fours_for(std::size_t n) { return (n + lanes - 1) / lanes; }
  static double square_of(double x) { return x * x; }

  Vector3 origin_{};
  std::vector<FourAtoms> fours_;
};

// Finds places for an atom of one type beside others.
class Apexes {
 public:
  Apexes(const Atoms &atoms, std::size_t kind, double contact, double least)
      : atoms_(atoms),
        to_kind_(atoms.bonds + kind * atoms.kinds),
        flat_(1e-6 * std::pow(atoms.mean_bond(), 4)),
        crowd_(atoms, to_kind_, contact, least) {}

  // Adds the two points at one bond from the corners of a triangle, if there are any: above and below the centre of the
  // circle through them.
  void add(std::size_t i, std::size_t j, std::size_t k) {
    const double reach = (bond_to(i) + bond_to(j) + bond_to(k)) / 3.0;
    const Vector3 first = place(i), u = place(j) - first, v = place(k) - first, normal = cross(u, v);
    const double area = dot(normal, normal);  // four times the square of the triangle's area
    if (!(area >= flat_)) return;
    const Vector3 to_centre = (0.5 / area) * cross(dot(u, u) * v - dot(v, v) * u, normal);
    const double height2 = reach * reach - dot(to_centre, to_centre);
    if (!(height2 > 0.0)) return;
    const Vector3 centre = first + to_centre, height = std::sqrt(height2 / area) * normal;
    above_.push_back(centre + height);
    below_.push_back(centre - height);
  }

  // Adds those where no atom overlaps to the sites.
  void add_free(Sites &sites) const {
    for (const std::vector<Vector3> *side : {&above_, &below_}) {
      for (const Vector3 &apex : *side) {
        const int touched = crowd_.touching(apex);
        if (touched < 0) continue;
        sites.positions.insert(sites.positions.end(), apex.begin(), apex.end());
        sites.contacts.push_back(touched);
      }
    }
  }

 private:
  Vector3 place(std::size_t i) const { return vector_of(atoms_.positions + 3 * i); }
  double bond_to(std::size_t i) const { return to_kind_[atoms_.type(i)]; }

  const Atoms &atoms_;
  const double *to_kind_;
  double flat_;
  Crowd crowd_;
  std::vector<Vector3> above_, below_;
};

// Takes away the sites that an atom overlaps, and counts it where it touches others.
void account_for(const Atoms &atom, std::size_t kind, double contact, double least, Sites &sites) {
  const Crowd crowd(atom, atom.bonds + kind * atom.kinds, contact, least);
  std::size_t kept = 0;
  for (std::size_t site = 0; site < sites.contacts.size(); ++site) {
    const Vector3 apex = vector_of(&sites.positions[3 * site]);
    const int touched = crowd.touching(apex);
    if (touched < 0) continue;
    std::copy(apex.begin(), apex.end(), &sites.positions[3 * kept]);
    sites.contacts[kept] = sites.contacts[site] + touched;
    ++kept;
  }
  sites.positions.resize(3 * kept);
  sites.contacts.resize(kept);
}

}  // namespace

Sites vacant_sites(const Atoms &atoms, std::size_t kind, double contact, double least) {
  return vacant_sites(Contacts(atoms, contact), atoms, kind, contact, least);
}

Sites vacant_sites(const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact, double least) {
  Apexes apexes(atoms, kind, contact, least);
  std::vector<std::size_t> chosen(atoms.n);
  for (std::size_t i = 0; i < atoms.n; ++i) {
    for (const Contacts::Member *j = contacts.begin(i); j != contacts.end(i); ++j) {
      // A triangle has three corners where two sides meet, the half of a square one. Noted in any case, counted where
      // it is so: without a branch, whose way a processor could not foresee.
      const Gap *gaps = contacts.gaps(*j), of_triangle = i < *j ? Gap::in_contact : Gap::across_a_square;
      std::size_t count = 0;
      for (const Contacts::Member *k = j + 1; k != contacts.end(i); ++k) {
        chosen[count] = *k;
        count += static_cast<std::size_t>(gaps[*k] == Gap::across_a_square) |
                 static_cast<std::size_t>(gaps[*k] == of_triangle);
      }
      for (std::size_t place = 0; place < count; ++place) apexes.add(i, *j, chosen[place]);
    }
  }
  Sites sites;
  apexes.add_free(sites);
  return sites;
}

void extend_sites(Sites &sites, const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact,
                  double least) {
  const std::size_t last = atoms.n - 1;
  account_for({1, atoms.types + last, atoms.positions + 3 * last, atoms.kinds, atoms.bonds}, kind, contact, least,
              sites);
  Apexes apexes(atoms, kind, contact, least);
  for (const Contacts::Member *j = contacts.begin(last); j != contacts.end(last); ++j) {
    for (const Contacts::Member *k = j + 1; k != contacts.end(last); ++k) {
      if (contacts.gap(*j, *k) != Gap::wide) apexes.add(last, *j, *k);
    }
    for (const Contacts::Member *k = contacts.begin(*j); k != contacts.end(*j); ++k) {
      if (*k != last && contacts.gap(last, *k) == Gap::across_a_square) apexes.add(*j, last, *k);
    }
  }
  apexes.add_free(sites);
}

}  // namespace hea::clusters
