// Which atoms of a cluster touch each other, and which lie across a square of such.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "atoms.h"

namespace hea::clusters {

enum class Gap : char { wide, across_a_square, in_contact };

class Contacts {
 public:
  using Member = std::uint32_t;  // an atom, in half the memory, of which a pair of atoms takes two

  // Atoms nearer than `contact` bonds are in contact. There is room for so many atoms in all.
  Contacts(const Atoms &atoms, double contact, std::size_t room)
      : contact_(contact), room_(room), gaps_(room * room), members_(room * room), counts_(room) {
    for (std::size_t i = 0; i < atoms.n; ++i) add(atoms, i);
  }
  Contacts(const Atoms &atoms, double contact) : Contacts(atoms, contact, atoms.n) {}

  // Takes in atom i of a cluster, whose atoms before it are those that were taken in already.
  void add(const Atoms &atoms, std::size_t i) {
    Gap *gaps = gaps_.data();
    Member *members = members_.data();
    std::size_t *counts = counts_.data(), own = 0;
    const std::size_t room = room_;
    for (std::size_t j = 0; j < i; ++j) {
      const double bond = atoms.bond(i, j), near = contact_ * bond, far = diagonal * bond;
      const double squared = squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j);
      const bool touches = squared < near * near, is_across = squared < far * far;
      const Gap gap = touches ? Gap::in_contact : (is_across ? Gap::across_a_square : Gap::wide);
      gaps[i * room + j] = gaps[j * room + i] = gap;
      // Written in any case, counted where it is so: without a branch, whose way a processor could not foresee.
      members[i * room + own] = static_cast<Member>(j);
      members[j * room + counts[j]] = static_cast<Member>(i);
      own += touches ? 1 : 0;
      counts[j] += touches ? 1 : 0;
    }
    counts[i] = own;
  }

  Gap gap(std::size_t i, std::size_t j) const { return gaps_[i * room_ + j]; }
  const Gap *gaps(std::size_t i) const { return &gaps_[i * room_]; }

  // The atoms in contact with atom i, ascending.
  const Member *begin(std::size_t i) const { return &members_[i * room_]; }
  const Member *end(std::size_t i) const { return begin(i) + counts_[i]; }

 private:
  // Opposite corners of a square are nearer than this many bonds: between 1.41, the diagonal of a square of atoms in
  // contact, and 1.73, that of two triangles in a plane.
  static constexpr double diagonal = 1.55;

  double contact_;
  std::size_t room_;
  std::vector<Gap> gaps_;
  std::vector<Member> members_;
  std::vector<std::size_t> counts_;
};

}  // namespace hea::clusters
