"""Symmetric starts, and moves that make a cluster or its core symmetric.

What is symmetric is packed or completed orbit by orbit; atoms that fill no orbit go to the surface. A small noise lets
a minimisation leave the symmetry where keeping it would lead to a saddle. See `symmetry` for groups and for why; the
work is done by the compiled `hea_potential.clusters`.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

import numpy as np

from hea_potential import clusters
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.surface import JUDGING
from hea_potential.search.symmetry import compiled_groups


def symmetric_packing(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """Random orbits under a random point group; each orbit is of one element where the numbers of atoms allow.

    Groups that leave few atoms to be placed are likelier. In one start of two a few atoms are kept back for the
    surface: a cluster without the perfect number of atoms is often a symmetric one with some more on its faces.
    """
    stream, counts = rng.bit_generator.capsule, composition.counts
    return Cluster(*clusters.symmetric_start(stream, counts, bonds, compiled_groups(), JUDGING))


def symmetrise(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Complete the atoms of a parent, in a random order from inside, to orbits of a random group placed where it suits
    the parent best.
    """
    return completed(rng, parents, bonds, 1.0)


def symmetrise_core(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Complete the inner atoms of a parent to orbits, keep the outer ones that have room, and put the others on the
    surface.
    """
    return completed(rng, parents, bonds, rng.uniform(0.2, 0.8))


def completed(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats, share: float) -> Cluster:
    """Complete a share of the atoms, the innermost, to orbits. An orbit is of the element of the atom that it came
    from, as long as there are enough atoms of it.
    """
    (parent,) = parents
    stream, core = rng.bit_generator.capsule, ceil(share * len(parent.types))
    types, positions = parent.types, parent.positions
    return Cluster(*clusters.symmetrised(stream, types, positions, bonds, core, compiled_groups(), JUDGING))
