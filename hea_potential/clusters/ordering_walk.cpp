#include "ordering_walk.h"

#include <algorithm>
#include <limits>
#include <utility>

namespace hea::clusters {
namespace {

constexpr double infinite = std::numeric_limits<double>::infinity();
constexpr std::uint32_t shortest = 6, lengths = 12;  // steps for which a site does not get back what it had: 6 to 17

struct Swap {
  std::size_t first, second;
  double change;  // of the energy
};

class Walker {
 public:
  Walker(const Couplings &couplings, Ordering &&start)
      : sites_(couplings.sites),
        kinds_(couplings.kinds),
        couplings_(couplings),
        at_(std::move(start)),
        neighbours_(sites_),
        together_(couplings.classes * kinds_ * kinds_),
        leaving_(sites_ * kinds_),
        entering_(sites_ * kinds_),
        lowest_entering_(kinds_ * kinds_),
        row_(sites_, 0.0),
        until_(sites_ * kinds_, 0) {
    list_neighbours();
    find_together();
    for (std::size_t site = 0; site < sites_; ++site) note_singles(site);
  }

  const Ordering &ordering() const { return at_; }

  // The best swap that may be the step of this number; its change is infinite if there is none.
  Swap best_swap(std::size_t step) {
    Swap best{0, 0, infinite};
    find_lowest();
    for (std::size_t first = 0; first < sites_; ++first) {
      const std::size_t kind = kind_on(first);
      const double *leaving = &leaving_[first * kinds_], *entering = &entering_[kind * sites_];
      const auto look_at = [&](std::size_t second, double together) {
        const double change = (leaving[at_.types[second]] + entering[second]) + together;
        if (change < best.change && may_take(step, {first, second, change})) best = {first, second, change};
      };
      const auto together = [&](const Neighbour &near) {
        return together_[(near.pair_class * kinds_ + kind) * kinds_ + kind_on(near.site)];
      };
      if (!(lowest_of_row(first) < best.change)) {  // as in most rows
        for_later_neighbours(first, [&](const Neighbour &near) { look_at(near.site, together(near)); });
        continue;
      }
      for_later_neighbours(first, [&](const Neighbour &near) { row_[near.site] = together(near); });
      for (std::size_t second = first + 1; second < sites_; ++second) look_at(second, row_[second]);
      for_later_neighbours(first, [&](const Neighbour &near) { row_[near.site] = 0.0; });
    }
    return best;
  }

  void take(Random &random, std::size_t step, const Swap &swap) {
    const std::size_t one = kind_on(swap.first), other = kind_on(swap.second);
    at_.energy += swap.change;
    lowest_ = std::min(lowest_, at_.energy);
    substitute(random, step, swap.first, one, other);
    substitute(random, step, swap.second, other, one);
    std::swap(at_.types[swap.first], at_.types[swap.second]);
    for (const std::size_t site : {swap.first, swap.second}) {
      note_singles(site);
      for (const Neighbour &near : neighbours_[site]) note_singles(near.site);
    }
  }

 private:
  struct Neighbour {
    std::size_t site, pair_class;
  };

  void list_neighbours() {
    for (std::size_t pair = 0; pair < couplings_.pairs; ++pair) {
      const auto first = static_cast<std::size_t>(couplings_.first[pair]);
      const auto second = static_cast<std::size_t>(couplings_.second[pair]);
      const auto pair_class = static_cast<std::size_t>(couplings_.class_of[pair]);
      neighbours_[first].push_back({second, pair_class});
      neighbours_[second].push_back({first, pair_class});
    }
    // In the order of sites, in which the first of equal swaps is found.
    for (std::vector<Neighbour> &near : neighbours_) {
      std::sort(near.begin(), near.end(), [](const Neighbour &a, const Neighbour &b) { return a.site < b.site; });
    }
  }

  void find_together() {
    for (std::size_t pair_class = 0; pair_class < couplings_.classes; ++pair_class) {
      const auto coupling = [&](std::size_t a, std::size_t b) { return couplings_.energy(pair_class, a, b); };
      for (std::size_t a = 0; a < kinds_; ++a) {
        for (std::size_t b = 0; b < kinds_; ++b) {
          together_[(pair_class * kinds_ + a) * kinds_ + b] =
              (coupling(b, a) + coupling(a, b)) - (coupling(b, b) + coupling(a, a));
        }
      }
    }
  }

  std::size_t kind_on(std::size_t site) const { return static_cast<std::size_t>(at_.types[site]); }

  template<typename Visit>
  void for_later_neighbours(std::size_t site, const Visit &visit) const {
    for (const Neighbour &near : neighbours_[site]) {
      if (near.site > site) visit(near);
    }
  }

  void find_lowest() {
    std::fill(lowest_entering_.begin(), lowest_entering_.end(), infinite);
    for (std::size_t site = 0; site < sites_; ++site) {
      double *lowest = &lowest_entering_[kind_on(site) * kinds_];
      for (std::size_t kind = 0; kind < kinds_; ++kind) {
        lowest[kind] = std::min(lowest[kind], leaving_[site * kinds_ + kind]);
      }
    }
  }

  // No swap of a site with one that is not coupled to it changes the energy by less: sums are rounded, but the larger
  // one never to less than the smaller.
  double lowest_of_row(std::size_t site) const {
    double lowest = infinite;
    for (std::size_t kind = 0; kind < kinds_; ++kind) {
      lowest = std::min(lowest, leaving_[site * kinds_ + kind] + lowest_entering_[kind * kinds_ + kind_on(site)]);
    }
    return lowest;
  }

  bool may_take(std::size_t step, const Swap &swap) const {
    const bool is_back = until_[swap.first * kinds_ + kind_on(swap.second)] > step &&
                         until_[swap.second * kinds_ + kind_on(swap.first)] > step;
    return !is_back || at_.energy + swap.change < lowest_;
  }

  // Puts another element on a site, as far as its neighbours and the steps to come are concerned.
  void substitute(Random &random, std::size_t step, std::size_t site, std::size_t from, std::size_t to) {
    until_[site * kinds_ + from] = step + shortest + random.whole_below(lengths);
    for (const auto &[near, pair_class] : neighbours_[site]) {
      for (std::size_t kind = 0; kind < kinds_; ++kind) {
        at_.field[near * kinds_ + kind] +=
            couplings_.energy(pair_class, kind, to) - couplings_.energy(pair_class, kind, from);
      }
    }
  }

  // Notes how the energy changes when another element comes to this site alone: infinite for its own, so that no swap
  // of like elements is ever the best.
  void note_singles(std::size_t site) {
    const double *field = &at_.field[site * kinds_];
    for (std::size_t kind = 0; kind < kinds_; ++kind) {
      const double change = kind == kind_on(site) ? infinite : field[kind] - field[kind_on(site)];
      leaving_[site * kinds_ + kind] = entering_[kind * sites_ + site] = change;
    }
  }

  std::size_t sites_, kinds_;
  const Couplings &couplings_;
  Ordering at_;
  double lowest_ = infinite;                        // of the energies that were met
  std::vector<std::vector<Neighbour>> neighbours_;  // of each site
  // What swapping the elements of a pair of sites changes beyond both single changes: [classes][kinds][kinds].
  std::vector<double> together_;
  // The single changes twice, so that a row of swaps reads both from places that follow each other.
  std::vector<double> leaving_;          // [sites][kinds]
  std::vector<double> entering_;         // [kinds][sites]
  std::vector<double> lowest_entering_;  // [kinds of the sites][kinds], of these the lowest single change
  std::vector<double> row_;              // [sites], room for `together_` along a row of swaps; 0 between them
  std::vector<std::size_t> until_;       // [sites][kinds], the step from which an element may be on a site again
};

}  // namespace

Walk walked(Random &random, const Couplings &couplings, Ordering ordering, std::size_t steps) {
  Walker walker(couplings, std::move(ordering));
  Walk walk;
  for (std::size_t step = 0; step < steps; ++step) {
    const Swap swap = walker.best_swap(step);
    if (swap.change == infinite) break;
    walker.take(random, step, swap);
    const auto &[types, field, energy] = walker.ordering();
    walk.orderings.insert(walk.orderings.end(), types.begin(), types.end());
    walk.energies.push_back(energy);
  }
  return walk;
}

}  // namespace hea::clusters
