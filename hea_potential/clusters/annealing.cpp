#include "annealing.h"

#include <algorithm>
#include <limits>
#include <numeric>
#include <utility>

#include "geometry.h"

namespace hea::clusters {
namespace {

constexpr std::size_t nobody = static_cast<std::size_t>(-1);
constexpr double same = 0.5;  // bonds: nearer sites are one; the two kinds of hollows of a facet are 0.58 apart

// Who is where, and how many atoms each place touches.
class Places {
 public:
  Places(const Atoms &atoms, std::size_t kind, const Judging &judging) : kinds_(atoms.kinds), bonds_(atoms.bonds) {
    for (std::size_t atom = 0; atom < atoms.n; ++atom) add(atoms.positions + 3 * atom, atoms.type(atom));
    add_vacant(vacant_sites(atoms, kind, judging.contact, judging.least), kind);
    const std::size_t count = types_.size();
    touching_.resize(count);
    overlapping_.resize(count);
    for (std::size_t p = 0; p < count; ++p) {
      for (std::size_t q = 0; q < p; ++q) {
        if (is_within(judging.least, p, q)) {
          link(overlapping_, p, q);
        } else if (is_within(judging.contact, p, q)) {
          link(touching_, p, q);
        }
      }
    }
    occupants_.assign(count, nobody);
    contacts_.assign(count, 0);
    blocked_.assign(count, 0);
    for (std::size_t atom = 0; atom < atoms.n; ++atom) put(atom, atom);
  }

  std::size_t count() const { return types_.size(); }
  bool is_taken(std::size_t place) const { return occupants_[place] != nobody; }
  bool is_free(std::size_t place) const { return !is_taken(place) && blocked_[place] == 0; }
  int contacts(std::size_t place) const { return contacts_[place]; }

  void put(std::size_t atom, std::size_t place) {
    occupants_[place] = atom;
    change(place, 1);
  }

  // Takes the atom of a place away, and returns which it was.
  std::size_t take(std::size_t place) {
    change(place, -1);
    return std::exchange(occupants_[place], nobody);
  }

  // Positions of the atoms, in their order.
  std::vector<double> atoms(std::size_t n) const {
    std::vector<double> result(3 * n);
    for (std::size_t place = 0; place < count(); ++place) {
      if (is_taken(place)) std::copy_n(&positions_[3 * place], 3, &result[3 * occupants_[place]]);
    }
    return result;
  }

 private:
  using Lists = std::vector<std::vector<std::size_t>>;

  void add(const double *position, std::size_t type) {
    positions_.insert(positions_.end(), position, position + 3);
    types_.push_back(type);
  }

  // Adds sites, of those that are the same the one that touches most atoms.
  void add_vacant(const Sites &sites, std::size_t kind) {
    std::vector<std::size_t> order(sites.contacts.size());
    std::iota(order.begin(), order.end(), std::size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](std::size_t a, std::size_t b) { return sites.contacts[a] > sites.contacts[b]; });
    const std::size_t first = types_.size();
    for (const std::size_t site : order) {
      add(&sites.positions[3 * site], kind);
      const std::size_t last = types_.size() - 1;
      for (std::size_t other = first; other < last; ++other) {
        if (!is_within(same, last, other)) continue;
        positions_.resize(3 * last);
        types_.pop_back();
        break;
      }
    }
  }

  bool is_within(double reach, std::size_t p, std::size_t q) const {
    const double limit = reach * bonds_[types_[p] * kinds_ + types_[q]];
    return squared_distance(&positions_[3 * p], &positions_[3 * q]) < limit * limit;
  }

  static void link(Lists &lists, std::size_t p, std::size_t q) {
    lists[p].push_back(q);
    lists[q].push_back(p);
  }

  void change(std::size_t place, int by) {
    for (const std::size_t other : touching_[place]) contacts_[other] += by;
    for (const std::size_t other : overlapping_[place]) blocked_[other] += by;
  }

  std::size_t kinds_;
  const double *bonds_;
  std::vector<double> positions_;
  std::vector<std::size_t> types_;
  Lists touching_, overlapping_;
  std::vector<std::size_t> occupants_;  // numbers of atoms
  std::vector<int> contacts_, blocked_;
};

// One of the places that suit, with a probability proportional to exp(score / temperature); `nobody` if none suits.
// `weights` is room for the work.
template<typename Suits, typename Score>
std::size_t drawn(Random &random, std::size_t count, double temperature, std::vector<double> &weights,
                  const Suits &suits, const Score &score) {
  int highest = std::numeric_limits<int>::min();
  for (std::size_t place = 0; place < count; ++place) {
    if (suits(place)) highest = std::max(highest, score(place));
  }
  double total = 0.0;
  std::size_t last = nobody;
  for (std::size_t place = 0; place < count; ++place) {
    if (suits(place)) {
      total += std::exp((score(place) - highest) / temperature);
      last = place;
    }
    weights[place] = total;
  }
  if (last == nobody) return nobody;
  const auto found = std::upper_bound(weights.begin(), weights.end(), random.uniform(0.0, total));
  return std::min(static_cast<std::size_t>(found - weights.begin()), last);
}

}  // namespace

Grown annealed(Random &random, const Atoms &atoms, const Cooling &cooling, const Judging &judging) {
  if (atoms.n == 0) return {};
  Places places(atoms, atoms.type(random.below(atoms.n)), judging);
  std::vector<double> weights(places.count());
  const double factor =
      std::pow(cooling.cold / cooling.hot, 1.0 / static_cast<double>(std::max<std::size_t>(cooling.moves, 2) - 1));
  double temperature = cooling.hot;
  for (std::size_t move = 0; move < cooling.moves; ++move, temperature *= factor) {
    const std::size_t from = drawn(
        random, places.count(), temperature, weights, [&](std::size_t place) { return places.is_taken(place); },
        [&](std::size_t place) { return -places.contacts(place); });
    const std::size_t atom = places.take(from);
    const std::size_t to = drawn(
        random, places.count(), temperature, weights, [&](std::size_t place) { return places.is_free(place); },
        [&](std::size_t place) { return places.contacts(place); });
    places.put(atom, to == nobody ? from : to);
  }
  return {{atoms.types, atoms.types + atoms.n}, places.atoms(atoms.n)};
}

}  // namespace hea::clusters
