"""The surface of a cluster: atoms with few contacts taken away, atoms put where they find most.

The number of contacts stands for the energy, so that many arrangements are judged without a force call. It is blurred
by a random share of a contact, which decides between equals and lets the second best win now and then. Moves of a few
atoms do not lead from one shape of a crystallite to another, which differ in whole facets: annealing does.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from hea_potential import clusters
from hea_potential.search.geometry import CONTACT, OVERLAP, Cluster, Floats

BLUR = 1.5  # contacts
JUDGING = clusters.Judging(CONTACT, OVERLAP, BLUR)
LARGEST_SHARE = 0.25  # of the atoms are moved at once
SWEEPS = 2  # moves of an annealing for each atom: more hardly find more contacts
# Contacts: temperatures of an annealing; at the last one a few atoms are not where most contacts are.
HOT, COLD = 0.8, 0.3
LATTICES = 32  # are kept: more are seldom asked for again


def move_surface(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Take away one to three of the atoms with fewest contacts and put them on the vacant sites that offer most."""
    (parent,) = parents
    stream, times = rng.bit_generator.capsule, min(3, int(rng.geometric(0.6)))
    return Cluster(*clusters.with_moved_atoms(stream, parent.types, parent.positions, bonds, times, JUDGING))


def resurface(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Take away many atoms with fewest contacts at once and put them back one by one where they find most."""
    (parent,) = parents
    most = max(2, round(LARGEST_SHARE * len(parent.types)))
    stream, count = rng.bit_generator.capsule, int(rng.integers(1, most + 1))
    return Cluster(*clusters.resurfaced(stream, parent.types, parent.positions, bonds, count, JUDGING))


def anneal(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Let atoms wander over the places and vacant sites of a parent while it cools, the latter for the element of a
    random atom: facets grow and shrink, the packing stays.
    """
    (parent,) = parents
    kind = int(parent.types[int(rng.random() * len(parent.types))])
    lattice = lattice_of(parent, kind, len(bonds), bonds.tobytes())
    return Cluster(*lattice.annealed(rng.bit_generator.capsule, SWEEPS * len(parent.types), HOT, COLD))


@lru_cache(maxsize=LATTICES)
def lattice_of(parent: Cluster, kind: int, kinds: int, bonds: bytes) -> clusters.Lattice:
    """The places and vacant sites of a cluster for an atom of type `kind`, kept because it is a parent many times."""
    lengths = np.frombuffer(bonds).reshape(kinds, kinds)
    return clusters.Lattice(parent.types, parent.positions, lengths, kind, JUDGING)
