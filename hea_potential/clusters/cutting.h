// Clusters cut by a plane: halves of two joined, one half turned, one replaced by the image of the other.
#pragma once

#include "atoms.h"
#include "random.h"

namespace hea::clusters {

// The top of one cluster on the bottom of another, both turned at random, each with a fifth of the atoms or more
// (Deaven and Ho, Phys. Rev. Lett. 75, 288 (1995)). Of types that are then too many, the atoms nearest to the cut get
// those that are missing. Both have the same numbers of atoms of every type, two atoms or more.
Arrangement spliced(Random &random, const Atoms &one, const Atoms &other);

// The part above a random plane near the middle turned about the plane's normal.
Arrangement twisted(Random &random, const Atoms &atoms);

// The lower half replaced by the reflection, or the inversion, of the upper one; types are mended as by `spliced`, and
// all is shaken slightly. There are two atoms or more.
Arrangement mirrored(Random &random, const Atoms &atoms);

}  // namespace hea::clusters
