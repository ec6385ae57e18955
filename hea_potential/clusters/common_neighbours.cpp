#include "common_neighbours.h"

#include <algorithm>
#include <optional>

#include "neighbour_distances.h"
#include "vector3.h"

namespace hea::clusters {
namespace {

constexpr std::size_t most = 64;  // neighbours whose bonds fit into the bits of a word; more are no cluster

using Word = std::uint64_t;

inline std::size_t count_bits(Word word) {
  return static_cast<std::size_t>(__builtin_popcountll(word));
}
inline std::size_t lowest_bit(Word word) {
  return static_cast<std::size_t>(__builtin_ctzll(word));
}
struct Signature {
  std::size_t common, bonds, chain;

  bool is(std::size_t j, std::size_t k, std::size_t l) const { return common == j && bonds == k && chain == l; }
};

// The neighbours of an atom, and which of them are neighbours of each other; none of an atom at the surface.
class Neighbourhood {
 public:
  // Of one of the four atoms that the distances are from.
  Neighbourhood(const Atoms &atoms, const NeighbourDistances &distances, std::size_t lane) {
    const std::size_t count = distances.count(lane);
    if (count < shell || count > most) return;  // at the surface, or no cluster
    const double cutoff = distances.cutoff(lane);
    neighbours_ = distances.neighbours(lane);
    bonds_.assign(count, 0);
    for (std::size_t a = 0; a < count; ++a) {
      const std::size_t i = neighbours_[a];
      for (std::size_t b = 0; b < a; ++b) {
        const std::size_t j = neighbours_[b];
        const double longest = cutoff * atoms.bond(i, j);
        const double square = squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j);
        const Word is_bond = square < longest * longest ? 1 : 0;
        bonds_[a] |= is_bond << b;
        bonds_[b] |= is_bond << a;
      }
    }
  }

  std::size_t size() const { return neighbours_.size(); }
  std::size_t atom(std::size_t a) const { return neighbours_[a]; }

  // Of the bond from the centre to neighbour a.
  Signature signature(std::size_t a) const {
    const Word common = bonds_[a];
    Signature result{count_bits(common), 0, 0};
    for (Word left = common; left != 0;) {
      // The group that the lowest of those left is connected to.
      Word group = left & -left, open = group;
      std::size_t ends = 0;
      while (open != 0) {
        const Word joined = bonds_[lowest_bit(open)] & common;
        open &= open - 1;
        ends += count_bits(joined);
        open |= joined & ~group;
        group |= joined;
      }
      result.bonds += ends / 2;
      result.chain = std::max(result.chain, ends / 2);
      left &= ~group;
    }
    return result;
  }

 private:
  std::vector<std::size_t> neighbours_;
  std::vector<Word> bonds_;  // a bit for each of the others that it is a neighbour of
};

struct Counts {
  std::size_t of_421 = 0, of_422 = 0, of_555 = 0, of_666 = 0;
};

Surroundings classified(std::size_t size, const Counts &n) {
  if (size < shell) return Surroundings::surface;
  if (size == shell) {
    if (n.of_421 == 12) return Surroundings::fcc;
    if (n.of_421 == 6 && n.of_422 == 6) return Surroundings::hcp;
    if (n.of_555 == 12) return Surroundings::icosahedral;
    if (n.of_555 == 2 && n.of_422 == 10) return Surroundings::fivefold;
  }
  if (n.of_555 == 12 && n.of_666 >= 2 && n.of_666 <= 4 && size == 12 + n.of_666) return Surroundings::frank_kasper;
  return Surroundings::other;
}

Vector3 position(const Atoms &atoms, std::size_t i) {
  return vector_of(atoms.positions + 3 * i);
}

// A line through a fivefold atom and the two atoms with which it has (5,5,5) bonds.
struct Axis {
  Vector3 point;
  Vector3 along;  // of length 1

  Vector3 across(const Vector3 &x) const { return x - point - dot(x - point, along) * along; }

  bool is_same_line(const Axis &other, double reach) const {
    return std::abs(dot(along, other.along)) > 0.9 && norm(across(other.point)) < reach;
  }
};

// Whether two or more lines, not all parallel, pass within reach of one point: of that with the least sum of squares.
bool do_meet(const std::vector<Axis> &axes, double reach) {
  Matrix3 sum{};
  Vector3 target{};
  for (const Axis &axis : axes) {
    target = target - axis.across({});
    for (std::size_t k = 0; k < 3; ++k) {
      sum[k] = sum[k] - axis.along[k] * axis.along;
      sum[k][k] += 1.0;
    }
  }
  if (axes.size() < 2 || !(dot(sum[0], cross(sum[1], sum[2])) > 1e-3)) return false;
  const Vector3 meeting = solved(sum, target);
  return std::all_of(axes.begin(), axes.end(), [&](const Axis &axis) { return norm(axis.across(meeting)) < reach; });
}

}  // namespace

Structure structure_of(const Atoms &atoms) {
  Structure result;
  result.surroundings.assign(atoms.n, Surroundings::surface);
  std::vector<std::vector<std::size_t>> bonds_421(atoms.n), bonds_555(atoms.n);
  const auto add = [](std::vector<std::size_t> &bonds, std::size_t atom) {
    if (bonds.empty()) bonds.reserve(shell);  // most have no more
    bonds.push_back(atom);
  };
  std::vector<float> places(3 * atoms.n);  // from the first atom
  for (std::size_t k = 0; k < places.size(); ++k) {
    places[k] = static_cast<float>(atoms.positions[k] - atoms.positions[k % 3]);
  }
  std::optional<NeighbourDistances> distances;
  for (std::size_t i = 0; i < atoms.n; ++i) {
    if (i % lanes == 0) distances.emplace(atoms, places, i);
    const Neighbourhood around(atoms, *distances, i % lanes);
    Counts counts;
    for (std::size_t a = 0; a < around.size(); ++a) {
      const Signature signature = around.signature(a);
      if (signature.is(4, 2, 1)) {
        ++counts.of_421;
        add(bonds_421[i], around.atom(a));
      } else if (signature.is(4, 2, 2)) {
        ++counts.of_422;
      } else if (signature.is(5, 5, 5)) {
        ++counts.of_555;
        add(bonds_555[i], around.atom(a));
      } else if (signature.is(6, 6, 6)) {
        ++counts.of_666;
      }
    }
    result.surroundings[i] = classified(around.size(), counts);
  }
  result.counts.assign(n_surroundings, 0);
  for (const Surroundings kind : result.surroundings) ++result.counts[static_cast<std::size_t>(kind)];

  const auto kind = [&](std::size_t i) { return result.surroundings[i]; };
  const auto is_hcp = [&](std::size_t j) { return kind(j) == Surroundings::hcp; };
  const double reach = 0.5 * atoms.mean_bond();
  std::vector<Axis> axes;
  for (std::size_t i = 0; i < atoms.n; ++i) {
    // Of the bonds of an hcp atom those to its own layer are (4,2,2), those to the next ones (4,2,1).
    if (is_hcp(i) && std::any_of(bonds_421[i].begin(), bonds_421[i].end(), is_hcp)) ++result.stacked_hcp;
    if (kind(i) != Surroundings::fivefold) continue;
    const Vector3 ends = position(atoms, bonds_555[i][0]) - position(atoms, bonds_555[i][1]);
    const Axis axis{position(atoms, i), (1.0 / norm(ends)) * ends};
    if (std::none_of(axes.begin(), axes.end(), [&](const Axis &a) { return a.is_same_line(axis, reach); })) {
      axes.push_back(axis);
    }
  }
  result.fivefold_axes = axes.size();
  result.axes_meet = do_meet(axes, reach);
  return result;
}

}  // namespace hea::clusters
