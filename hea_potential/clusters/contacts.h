// Which atoms of a cluster touch each other, and which lie across a square of such.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "atoms.h"

namespace hea::clusters {

// Sets of atoms, each a row of bits, so that few instructions tell what several of them have in common.
class AtomSets {
 public:
  using Word = std::uint64_t;
  static constexpr std::size_t bits = 64;  // of a word

  // So many empty sets of so many atoms.
  AtomSets(std::size_t count, std::size_t atoms) : words_((atoms + bits - 1) / bits), rows_(count * words_) {}

  std::size_t words() const { return words_; }
  Word *operator[](std::size_t set) { return rows_.data() + set * words_; }
  const Word *operator[](std::size_t set) const { return rows_.data() + set * words_; }

 private:
  std::size_t words_;
  std::vector<Word> rows_;
};

class Contacts {
 public:
  using Word = AtomSets::Word;

  // Atoms nearer than `contact` bonds are in contact. There is room for so many atoms in all.
  Contacts(const Atoms &atoms, double contact, std::size_t room)
      : contact_(contact), touching_(room, room), across_(room, room) {
    for (std::size_t i = 0; i < atoms.n; ++i) add(atoms, i);
  }
  Contacts(const Atoms &atoms, double contact) : Contacts(atoms, contact, atoms.n) {}

  // Takes in atom i of a cluster, whose atoms before it are those that were taken in already.
  void add(const Atoms &atoms, std::size_t i) {
    const double *bonds = atoms.bonds + atoms.type(i) * atoms.kinds;
    for (std::size_t begin = 0; begin < i; begin += bits) {
      Word touching = 0, near = 0;
      for (std::size_t j = begin; j < std::min(i, begin + bits); ++j) {
        const double bond = bonds[atoms.type(j)], shorter = contact_ * bond, longer = diagonal * bond;
        const double square = squared_distance(atoms.positions + 3 * i, atoms.positions + 3 * j);
        touching |= Word{square < shorter * shorter} << (j - begin);
        near |= Word{square < longer * longer} << (j - begin);
      }
      join(touching_, i, begin, touching);
      join(across_, i, begin, near & ~touching);
    }
  }

  // The atoms in contact with each, and those that lie across a square.
  const AtomSets &touching() const { return touching_; }
  const AtomSets &across() const { return across_; }

  // The first and the last of the atoms in contact with each of three; the first of the three where there are none.
  std::pair<std::size_t, std::size_t> common(std::size_t i, std::size_t j, std::size_t k) const {
    std::size_t first = i, last = i;
    for (std::size_t word = touching_.words(); word-- > 0;) {
      const Word found = touching_[i][word] & touching_[j][word] & touching_[k][word];
      if (found == 0) continue;
      first = word * bits + static_cast<std::size_t>(__builtin_ctzll(found));
      if (last == i) last = word * bits + bits - 1 - static_cast<std::size_t>(__builtin_clzll(found));
    }
    return {first, last};
  }

  // Calls visit(i), ascending, for the atoms whose bits are set in chosen(word) of the words of a set.
  template<typename Chosen, typename Visit>
  void for_atoms(const Chosen &chosen, const Visit &visit) const {
    for (std::size_t word = 0; word < touching_.words(); ++word) for_bits(chosen(word), word * bits, visit);
  }

 private:
  static constexpr std::size_t bits = AtomSets::bits;
  // Opposite corners of a square are nearer than this many bonds: between 1.41, the diagonal of a square of atoms in
  // contact, and 1.73, that of two triangles in a plane.
  static constexpr double diagonal = 1.55;

  template<typename Visit>
  static void for_bits(Word word, std::size_t first, const Visit &visit) {
    for (; word != 0; word &= word - 1) visit(first + static_cast<std::size_t>(__builtin_ctzll(word)));
  }

  // Makes atom i one of the sets of others, given by a word, and these of its own.
  static void join(AtomSets &sets, std::size_t i, std::size_t first, Word others) {
    sets[i][first / bits] = others;
    for_bits(others, first, [&](std::size_t j) { sets[j][i / bits] |= Word{1} << i % bits; });
  }

  double contact_;
  AtomSets touching_, across_;
};

}  // namespace hea::clusters
