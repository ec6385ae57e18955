"""The shells of a cluster, peeled off from outside, and what each is made of: Cu1@Ni12@Cu42 is an onion."""

from __future__ import annotations

import numpy as np

from hea_potential.search.composition import Composition
from hea_potential.search.geometry import CONTACT, Cluster, Floats, Integers, reduced_distances

FULL = 9  # contacts of an atom in a close-packed surface; an atom with more of them is inside


def shells_of(cluster: Cluster, bonds: Floats) -> Integers:
    """The shell of every atom, 0 the outermost; shape (n,).

    A shell is what lies at the surface when all outer shells are taken away: atoms with at most FULL contacts among
    those that are left. Where all that is left has more, it is the last shell.
    """
    near = reduced_distances(cluster, bonds) < CONTACT
    shells = np.full(len(near), -1)
    shell = 0
    while (left := shells < 0).any():
        surface = left & (near[:, left].sum(axis=1) <= FULL)
        shells[surface if surface.any() else left] = shell
        shell += 1
    return shells


def onion(cluster: Cluster, bonds: Floats, composition: Composition) -> str:
    """Elements of each shell from the core to the surface, separated by @."""
    shells = shells_of(cluster, bonds)
    formulas = []
    for shell in range(int(shells.max()), -1, -1):
        counts = np.bincount(cluster.types[shells == shell], minlength=len(composition.symbols))
        pairs = zip(composition.symbols, counts, strict=True)
        formulas.append("".join(f"{symbol}{count}" for symbol, count in pairs if count))
    return "@".join(formulas)
