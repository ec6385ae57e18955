#include <algorithm>
#include <array>
#include <cmath>

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

// Triangles, and the two points at one bond from the corners of each: above and below the centre of the circle through
// them. Numbers of one kind lie beside each other, so that processors calculate with several at once.
struct Triangles {
  static constexpr std::size_t most = 64;
  using Numbers = double[most];

  std::size_t count = 0;
  std::array<std::size_t, 3> atoms[most];
  Numbers corners[3][3];  // coordinates of the corners
  Numbers bond;           // length
  Numbers area;           // four times its square
  Numbers height;         // its square; not positive where there are no such points
  Numbers above[3], below[3];

  void find_apexes() {
    for (std::size_t t = 0; t < count; ++t) {
      const Vector3 first = read(corners[0], t), u = read(corners[1], t) - first, v = read(corners[2], t) - first;
      const Vector3 normal = cross(u, v);
      area[t] = dot(normal, normal);
      const Vector3 to_centre = (0.5 / area[t]) * cross(dot(u, u) * v - dot(v, v) * u, normal);
      height[t] = bond[t] * bond[t] - dot(to_centre, to_centre);
      const Vector3 centre = first + to_centre, up = std::sqrt(height[t] / area[t]) * normal;
      write(centre + up, above, t);
      write(centre - up, below, t);
    }
  }

  static Vector3 read(const Numbers *points, std::size_t t) { return {points[0][t], points[1][t], points[2][t]}; }
  static void write(const Vector3 &point, Numbers *points, std::size_t t) {
    for (std::size_t x = 0; x < 3; ++x) points[x][t] = point[x];
  }
};

// Finds places for an atom of one type beside others.
class Apexes {
 public:
  Apexes(const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact, double least)
      : contacts_(contacts),
        atoms_(atoms),
        to_kind_(atoms.bonds + kind * atoms.kinds),
        flat_(1e-6 * std::pow(atoms.mean_bond(), 4)),
        overlap2_(clearly * least * least),
        crowd_(atoms, to_kind_, contact, least) {}

  // Adds the two points at one bond from the corners of a triangle, if there are any.
  void add(std::size_t i, std::size_t j, std::size_t k) {
    const std::size_t t = triangles_.count++;
    triangles_.atoms[t] = {i, j, k};
    triangles_.bond[t] = (bond_to(i) + bond_to(j) + bond_to(k)) / 3.0;
    for (std::size_t corner = 0; corner < 3; ++corner) {
      Triangles::write(place(triangles_.atoms[t][corner]), triangles_.corners[corner], t);
    }
    if (triangles_.count == Triangles::most) take_apexes();
  }

  // Adds those where no atom overlaps to the sites.
  void add_free(Sites &sites) {
    take_apexes();
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
  static constexpr double clearly = 0.999;  // of the squared distance: what overlaps whatever the precision

  // Takes the apexes of the triangles, but not those where an atom in contact with all three corners overlaps, as it
  // mostly does: to ask all atoms takes longer. Written in any case, counted where it is so: without a branch, whose
  // way a processor could not foresee.
  void take_apexes() {
    triangles_.find_apexes();
    std::size_t n_above = above_.size(), n_below = below_.size();
    above_.resize(n_above + triangles_.count);
    below_.resize(n_below + triangles_.count);
    for (std::size_t t = 0; t < triangles_.count; ++t) {
      const auto &[i, j, k] = triangles_.atoms[t];
      const auto [first, last] = contacts_.common(i, j, k);
      const bool is_there = (triangles_.area[t] >= flat_) & (triangles_.height[t] > 0.0);
      above_[n_above] = Triangles::read(triangles_.above, t);
      below_[n_below] = Triangles::read(triangles_.below, t);
      n_above += is_there & !overlaps(first, above_[n_above]) & !overlaps(last, above_[n_above]) ? 1 : 0;
      n_below += is_there & !overlaps(first, below_[n_below]) & !overlaps(last, below_[n_below]) ? 1 : 0;
    }
    above_.resize(n_above);
    below_.resize(n_below);
    triangles_.count = 0;
  }

  bool overlaps(std::size_t atom, const Vector3 &apex) const {
    const Vector3 gap = place(atom) - apex;
    return dot(gap, gap) < overlap2_ * bond_to(atom) * bond_to(atom);
  }
  Vector3 place(std::size_t i) const { return vector_of(atoms_.positions + 3 * i); }
  double bond_to(std::size_t i) const { return to_kind_[atoms_.type(i)]; }

  const Contacts &contacts_;
  const Atoms &atoms_;
  const double *to_kind_;
  double flat_, overlap2_;
  Crowd crowd_;
  Triangles triangles_;
  std::vector<Vector3> above_, below_;
};

using Word = AtomSets::Word;

// The bits of a word that belong to atoms after one.
Word after(std::size_t atom, std::size_t word) {
  const std::size_t own = atom / AtomSets::bits;
  if (word != own) return word > own ? ~Word{0} : 0;
  return ~Word{0} << atom % AtomSets::bits << 1;
}

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
  const AtomSets &touching = contacts.touching(), &across = contacts.across();
  Apexes apexes(contacts, atoms, kind, contact, least);
  for (std::size_t i = 0; i < atoms.n; ++i) {
    contacts.for_atoms([&](std::size_t w) { return touching[i][w]; },
                       [&](std::size_t j) {
                         // A triangle has three corners where two sides meet, the half of a square one.
                         const Word of_triangles = i < j ? ~Word{0} : 0;
                         const auto third = [&](std::size_t w) {
                           return touching[i][w] & after(j, w) & (across[j][w] | (touching[j][w] & of_triangles));
                         };
                         contacts.for_atoms(third, [&](std::size_t k) { apexes.add(i, j, k); });
                       });
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
  const AtomSets &touching = contacts.touching(), &across = contacts.across();
  Apexes apexes(contacts, atoms, kind, contact, least);
  contacts.for_atoms([&](std::size_t w) { return touching[last][w]; },
                     [&](std::size_t j) {
                       const auto third = [&](std::size_t w) {
                         return touching[last][w] & after(j, w) & (touching[j][w] | across[j][w]);
                       };
                       contacts.for_atoms(third, [&](std::size_t k) { apexes.add(last, j, k); });
                       const auto opposite = [&](std::size_t w) { return touching[j][w] & across[last][w]; };
                       contacts.for_atoms(opposite, [&](std::size_t k) { apexes.add(j, last, k); });
                     });
  apexes.add_free(sites);
}

}  // namespace hea::clusters
