// The point group of a cluster.
#pragma once

#include <string>

#include "atoms.h"

namespace hea::clusters {

// The Schoenflies symbol of the largest point group whose operations all take every atom to within `tolerance` bonds of
// an atom of its type: C1, Cs, Ci, Cn, Cnv, Cnh, S2n, Dn, Dnh, Dnd, T, Td, Th, O, Oh, I, Ih with numbers for n and 2n;
// Cinfv and Dinfh for atoms on a line, Kh for one atom. Positions must be finite, the cluster not empty, and its atoms
// much farther apart than the tolerance.
std::string point_group(const Atoms &atoms, double tolerance);

}  // namespace hea::clusters
