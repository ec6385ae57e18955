#include "annealing.h"

#include <algorithm>
#include <utility>

#include "geometry.h"
#include "near_pairs.h"
#include "ranking.h"

namespace hea::clusters {
namespace {

constexpr std::size_t nobody = static_cast<std::size_t>(-1);
constexpr double same = 0.5;  // bonds: nearer sites are one; the two kinds of hollows of a facet are 0.58 apart

using Pair = std::pair<std::size_t, std::size_t>;

// For each place those that are paired with it.
class Partners {
 public:
  Partners() = default;
  Partners(std::size_t count, const std::vector<Pair> &pairs) : begins_(count + 1, 0), members_(2 * pairs.size()) {
    for (const auto &[p, q] : pairs) {
      ++begins_[p + 1];
      ++begins_[q + 1];
    }
    for (std::size_t p = 0; p < count; ++p) begins_[p + 1] += begins_[p];
    std::vector<std::size_t> ends(begins_.begin(), begins_.end() - 1);
    for (const auto &[p, q] : pairs) {
      members_[ends[p]++] = q;
      members_[ends[q]++] = p;
    }
  }

  const std::size_t *begin(std::size_t p) const { return members_.data() + begins_[p]; }
  const std::size_t *end(std::size_t p) const { return members_.data() + begins_[p + 1]; }

 private:
  std::vector<std::size_t> begins_, members_;
};

// Places by their level, the number of atoms that they touch.
class Levels {
 public:
  Levels() = default;
  Levels(std::size_t places, std::size_t levels)
      : places_(places), members_(places * levels), counts_(levels, 0), at_(places), weights_(levels) {}

  void add(std::size_t place, int contacts) {
    const auto level = static_cast<std::size_t>(contacts);
    at_[place] = counts_[level];
    members_[level * places_ + counts_[level]++] = place;
  }

  void remove(std::size_t place, int contacts) {
    const auto level = static_cast<std::size_t>(contacts);
    const std::size_t last = members_[level * places_ + --counts_[level]];
    members_[level * places_ + at_[place]] = last;
    at_[last] = at_[place];
  }

  // One of the places, with a chance that falls by `ratio` with every level above the lowest one.
  std::size_t drawn_from_below(Random &random, double ratio) {
    return drawn(random, ratio, [](std::size_t step) { return step; });
  }

  // The same with every level below the highest one.
  std::size_t drawn_from_above(Random &random, double ratio) {
    return drawn(random, ratio, [this](std::size_t step) { return counts_.size() - 1 - step; });
  }

 private:
  // `nobody` if there are no places.
  template<typename LevelOf>
  std::size_t drawn(Random &random, double ratio, const LevelOf &level_of) {
    double weight = 1.0;
    bool is_any = false;
    for (std::size_t step = 0; step < counts_.size(); ++step) {
      const std::size_t count = counts_[level_of(step)];
      is_any = is_any || count > 0;
      weights_[step] = is_any ? weight * static_cast<double>(count) : 0.0;
      if (is_any) weight *= ratio;
    }
    if (!is_any) return nobody;
    const std::size_t level = level_of(random.one_of(weights_));
    return members_[level * places_ + random.below(counts_[level])];
  }

  std::size_t places_ = 0;
  std::vector<std::size_t> members_;  // [levels][places], of each level so many as its count
  std::vector<std::size_t> counts_;   // [levels]
  std::vector<std::size_t> at_;       // of each place among those of its level
  std::vector<double> weights_;       // room for the work
};

// Where atoms may be: first where they are, then the vacant sites.
class Places {
 public:
  Places(const Atoms &atoms, std::size_t kind, const Judging &judging)
      : positions_(atoms.positions, atoms.positions + 3 * atoms.n) {
    add_vacant(vacant_sites(atoms, kind, judging.contact, judging.least),
               same * atoms.bonds[kind * atoms.kinds + kind]);
    const auto type = [&](std::size_t place) { return place < atoms.n ? atoms.type(place) : kind; };
    const double longest = *std::max_element(atoms.bonds, atoms.bonds + atoms.kinds * atoms.kinds);
    std::vector<Pair> touching, overlapping;
    for_near_pairs(positions_, judging.contact * longest, [&](std::size_t p, std::size_t q) {
      const double square = squared_distance(position(p), position(q));
      const double bond = atoms.bonds[type(p) * atoms.kinds + type(q)];
      if (!(square < square_of(judging.contact * bond))) return;
      (square < square_of(judging.least * bond) ? overlapping : touching).emplace_back(p, q);
    });
    touching_ = Partners(count(), touching);
    overlapping_ = Partners(count(), overlapping);
  }

  std::size_t count() const { return positions_.size() / 3; }
  const double *position(std::size_t place) const { return &positions_[3 * place]; }

  // Places that touch each other if there are atoms on both, and places of which one alone can have an atom.
  const Partners &touching() const { return touching_; }
  const Partners &overlapping() const { return overlapping_; }

 private:
  // Adds sites, of those that are nearer than `apart` to each other the one that touches most atoms.
  void add_vacant(const Sites &sites, double apart) {
    std::vector<double> untouched;
    for (const std::int64_t contacts : sites.contacts) untouched.push_back(-static_cast<double>(contacts));
    const std::size_t first = positions_.size();
    for (const std::size_t site : ranked(untouched)) {
      const double *at = &sites.positions[3 * site];
      bool is_new = true;
      for (std::size_t k = first; is_new && k < positions_.size(); k += 3) {
        is_new = !(squared_distance(at, &positions_[k]) < apart * apart);
      }
      if (is_new) positions_.insert(positions_.end(), at, at + 3);
    }
  }

  static double square_of(double x) { return x * x; }

  std::vector<double> positions_;
  Partners touching_, overlapping_;
};

// Who is where, and how many atoms each place touches.
class Filling {
 public:
  // Atoms are where they are in the cluster.
  Filling(const Places &places, std::size_t atoms)
      : places_(&places),
        occupants_(places.count(), nobody),
        contacts_(places.count(), 0),
        blocked_(places.count(), 0) {
    const Partners &touching = places.touching();
    std::size_t most = 0;  // contacts
    for (std::size_t place = 0; place < places.count(); ++place) {
      most = std::max(most, static_cast<std::size_t>(touching.end(place) - touching.begin(place)));
    }
    taken_ = free_ = Levels(places.count(), most + 1);
    for (std::size_t place = 0; place < places.count(); ++place) free_.add(place, 0);
    for (std::size_t atom = 0; atom < atoms; ++atom) put(atom, atom);
  }

  // A place with an atom, the likelier the fewer others it touches; the chance falls by `ratio` with each.
  std::size_t loose(Random &random, double ratio) { return taken_.drawn_from_below(random, ratio); }

  // A place where an atom overlaps none, the likelier the more it touches; `nobody` if there is no such place.
  std::size_t inviting(Random &random, double ratio) { return free_.drawn_from_above(random, ratio); }

  void put(std::size_t atom, std::size_t place) {
    leave(place);
    occupants_[place] = atom;
    enter(place);
    change(place, 1);
  }

  // Takes the atom of a place away, and returns which it was.
  std::size_t take(std::size_t place) {
    change(place, -1);
    leave(place);
    const std::size_t atom = std::exchange(occupants_[place], nobody);
    enter(place);
    return atom;
  }

  // Positions of the atoms, in their order.
  std::vector<double> positions(std::size_t atoms) const {
    std::vector<double> result(3 * atoms);
    for (std::size_t place = 0; place < occupants_.size(); ++place) {
      if (occupants_[place] != nobody) std::copy_n(places_->position(place), 3, &result[3 * occupants_[place]]);
    }
    return result;
  }

 private:
  // Atoms and free places are in the lists of their levels; places that an atom overlaps are in none.
  Levels *list_of(std::size_t place) {
    if (occupants_[place] != nobody) return &taken_;
    return blocked_[place] == 0 ? &free_ : nullptr;
  }
  void leave(std::size_t place) {
    if (Levels *list = list_of(place)) list->remove(place, contacts_[place]);
  }
  void enter(std::size_t place) {
    if (Levels *list = list_of(place)) list->add(place, contacts_[place]);
  }

  // Counts one atom more or less at a place.
  void change(std::size_t place, int by) {
    count(contacts_, places_->touching(), place, by);
    count(blocked_, places_->overlapping(), place, by);
  }
  void count(std::vector<int> &numbers, const Partners &partners, std::size_t place, int by) {
    for (const std::size_t *other = partners.begin(place); other != partners.end(place); ++other) {
      leave(*other);
      numbers[*other] += by;
      enter(*other);
    }
  }

  const Places *places_;
  std::vector<std::size_t> occupants_;  // numbers of atoms
  std::vector<int> contacts_, blocked_;
  Levels taken_, free_;
};

}  // namespace

struct Lattice::Content {
  Content(const Atoms &atoms, std::size_t kind, const Judging &judging)
      : types(atoms.types, atoms.types + atoms.n), places(atoms, kind, judging), filling(places, atoms.n) {}
  Content(const Content &) = delete;  // the filling points to the places
  Content &operator=(const Content &) = delete;

  std::vector<std::int64_t> types;
  Places places;
  Filling filling;
};

Lattice::Lattice(const Atoms &atoms, std::size_t kind, const Judging &judging)
    : content_(std::make_shared<const Content>(atoms, kind, judging)) {}

Arrangement Lattice::annealed(Random &random, const Cooling &cooling) const {
  const std::size_t atoms = content_->types.size();
  if (atoms == 0) return {};
  Filling filling = content_->filling;
  const double factor =
      std::pow(cooling.cold / cooling.hot, 1.0 / static_cast<double>(std::max<std::size_t>(cooling.moves, 2) - 1));
  double temperature = cooling.hot;
  for (std::size_t move = 0; move < cooling.moves; ++move, temperature *= factor) {
    const double ratio = std::exp(-1.0 / temperature);
    const std::size_t from = filling.loose(random, ratio);
    const std::size_t atom = filling.take(from);
    const std::size_t to = filling.inviting(random, ratio);
    filling.put(atom, to == nobody ? from : to);
  }
  return {content_->types, filling.positions(atoms)};
}

}  // namespace hea::clusters
