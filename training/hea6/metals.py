"""The six metals: sizes, the reference's lattice constants, and the shortest distances that are labelled."""

from __future__ import annotations

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers
from ase.neighborlist import neighbor_list

METALS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")

# Metallic radii for twelve neighbours, A (half of the nearest-neighbour distance of the fcc metal).
RADIUS = {"Ni": 1.246, "Cu": 1.278, "Pd": 1.375, "Ag": 1.445, "Pt": 1.387, "Au": 1.442}

# Relaxed fcc lattice constants, A: of the reference (7net-mf-0, PBE) and of ASE's EMT, which moves the atoms cheaply.
LATTICE = {"Ni": 3.504, "Cu": 3.613, "Pd": 3.958, "Ag": 4.168, "Pt": 3.977, "Au": 4.172}
EMT_LATTICE = {"Ni": 3.487, "Cu": 3.590, "Pd": 3.879, "Ag": 4.064, "Pt": 3.922, "Au": 4.056}

# The reference's curve of two atoms is sensible above about this share of the sum of the radii and bogus well below.
CLOSEST = 0.65


def mean_over(symbols: list[str], table: dict[str, float]) -> float:
    """Mean of a table's values over the atoms of a list of symbols."""
    return float(np.mean([table[s] for s in symbols]))


def emt_to_reference(symbols: list[str]) -> float:
    """Factor that takes lengths that EMT likes to lengths that the reference likes."""
    return float(np.mean([LATTICE[s] / EMT_LATTICE[s] for s in symbols]))


def closest_allowed(first: str, second: str) -> float:
    """Shortest distance of two elements that is labelled, A."""
    return CLOSEST * (RADIUS[first] + RADIUS[second])


def closeness(atoms: Atoms) -> float:
    """Smallest ratio of a distance to the shortest allowed distance of its pair (inf without close pairs)."""
    cutoffs = {(a, b): 1.3 * closest_allowed(a, b) for a in set(atoms.symbols) for b in set(atoms.symbols) if a <= b}
    i, j, d = neighbor_list("ijd", atoms, cutoffs)
    if len(d) == 0:
        return np.inf
    radius = np.zeros(100)
    for symbol, r in RADIUS.items():
        radius[atomic_numbers[symbol]] = r
    z = atoms.numbers
    return float(np.min(d / (CLOSEST * (radius[z[i]] + radius[z[j]]))))
