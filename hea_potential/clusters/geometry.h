// Distances of the atoms of a cluster, and what follows from them: contacts, fragments, overlaps.
#pragma once

#include <optional>
#include <vector>

#include "atoms.h"

namespace hea::clusters {

class Contacts;

// The same atoms in order of their types, those of one type as they were, with their mean position at the origin.
Arrangement ordered(std::size_t n, const std::int64_t *types, const double *positions);

// Positions [n][3] with their mean at the origin.
std::vector<double> centred(std::size_t n, const double *positions);

// Positions [n][3] about their mean, turned by the rotation that a quaternion (w, x, y, z), of any length but 0, stands
// for.
std::vector<double> turned(std::size_t n, const double *positions, const double *quaternion);

// Distances of every two atoms in bonds, [n][n], infinite on the diagonal.
std::vector<double> reduced_distances(const Atoms &atoms);

// Number of other atoms nearer to each than `reach` bonds, [n].
std::vector<std::int64_t> coordination(const Atoms &atoms, double reach);

// Whether every atom is reached from every other over gaps below `reach` bonds. An empty cluster is.
bool is_connected(const Atoms &atoms, double reach);

// Positions [n][3] in which no two atoms are nearer than `least` bonds: near pairs are pushed apart, all at once, for
// up to `rounds` rounds; if that does not suffice the whole is inflated.
constexpr int usual_rounds = 30;
std::vector<double> separated(const Atoms &atoms, double least, int rounds = usual_rounds);

// The same after bringing atoms into the order of their types about their centre; none unless the types are then those
// `wanted` and all positions finite.
std::optional<std::vector<double>> candidate(const Atoms &atoms, const std::int64_t *wanted, std::size_t n_wanted,
                                             double least, int rounds = usual_rounds);

// Places for one more atom, and how many atoms are in contact with each.
struct Sites {
  std::vector<double> positions;       // [sites][3]
  std::vector<std::int64_t> contacts;  // [sites]
};

// Places at one bond from three atoms that are in contact (nearer than `contact` bonds) with each other, or are three
// corners of a square, where an atom of type `kind` is nowhere nearer than `least` bonds: first those above all such
// triangles, then those below. A square has one place above its middle for each of its corners, nearly the same.
Sites vacant_sites(const Atoms &atoms, std::size_t kind, double contact, double least);

// The same, where the contacts of all atoms are known already.
Sites vacant_sites(const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact, double least);

// Makes the vacant sites of a cluster without its last atom those of the whole cluster, in another order.
void extend_sites(Sites &sites, const Contacts &contacts, const Atoms &atoms, std::size_t kind, double contact,
                  double least);

}  // namespace hea::clusters
