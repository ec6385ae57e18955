"""Symmetric starts, and moves that make a cluster or its core symmetric.

What is symmetric is packed or completed orbit by orbit; atoms that fill no orbit go to the surface. A small noise lets
a minimisation leave the symmetry where keeping it would lead to a saddle. See `symmetry` for groups and for why.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from hea_potential import clusters
from hea_potential.search.chance import one_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import OVERLAP, Cluster, Floats, Integers, separate
from hea_potential.search.orbits import packed_orbits
from hea_potential.search.surface import with_atoms
from hea_potential.search.symmetry import POINT_GROUPS, point_group

NOISE = 0.005  # bonds
FEW = 5.0  # own atoms of a point group, that is atoms per operation, that random orbits soon arrange well
APART = 0.9  # bonds to which orbits are pushed apart, as a whole, before single atoms are added
ADDED = 10  # at most one atom in so many is kept back for the surface, besides what no orbit fills


def symmetric_packing(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """Random orbits under a random point group; each orbit is of one element where the numbers of atoms allow.

    In one start of two a few atoms are kept back for the surface: a cluster without the perfect number of atoms is
    often a symmetric one with some more on its faces.
    """
    size = composition.size
    core = size - int(rng.integers(size // ADDED + 1)) if rng.uniform() < 0.5 else size
    positions, sizes = packed_orbits(rng, promising_group(rng, core), core, bonds.mean())
    if is_line(positions, sizes):
        positions, sizes = positions[:2], np.ones(2, np.int64)
    types, others = by_orbit(rng, sizes.tolist(), composition)
    packed = separate(Cluster(types, positions), bonds, APART)
    return separate(shaken(rng, with_atoms(rng, packed, others, bonds), bonds), bonds)


def is_line(positions: Floats, sizes: Integers) -> bool:
    """Whether three points or more, in orbits of these sizes, lie on a line. It is a saddle that minimisations do not
    leave: so weak are the forces that would bend it.
    """
    if len(positions) < 3 or sizes.max() > 2:  # an axis has orbits of one or two points
        return False
    gaps = positions - positions[0]
    return bool(np.linalg.matrix_rank(gaps, tol=1e-6 * np.abs(gaps).max()) < 2)


def promising_group(rng: np.random.Generator, size: int) -> str:
    """A point group, with a chance that falls with the number of atoms that it leaves to be placed: random orbits of
    few own atoms are likely to be the lowest minimum of their group, those of many hardly are.
    """
    return one_of(rng, POINT_GROUPS, promises(size))


@lru_cache(maxsize=1000)
def promises(size: int) -> list[float]:
    """The weights of `POINT_GROUPS` for a number of atoms."""
    return [1.0 / (FEW + size / len(point_group(name))) for name in POINT_GROUPS]


def by_orbit(rng: np.random.Generator, sizes: Sequence[int], composition: Composition) -> tuple[Integers, Integers]:
    """Types of the points of orbits, one type an orbit as long as there are enough atoms of any; and the types of the
    atoms that are left over.
    """
    left = list(composition.counts)
    kinds = [-1] * len(sizes)
    for place in rng.permutation(len(sizes)).tolist():
        fitting = [kind for kind, count in enumerate(left) if count >= sizes[place]]
        if fitting:
            kinds[place] = one_of(rng, fitting, [left[kind] for kind in fitting])
            left[kinds[place]] -= sizes[place]
    types = np.repeat(kinds, sizes)
    others = rng.permutation(np.repeat(np.arange(len(left)), left))
    unassigned = np.flatnonzero(types < 0)
    types[unassigned] = others[: len(unassigned)]
    return types, others[len(unassigned) :]


def symmetrise(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Complete the atoms of a parent, in a random order from inside, to orbits of a random group placed where it suits
    the parent best.
    """
    return completed(rng, parents[0], bonds, core=len(parents[0].types))


def symmetrise_core(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Complete the inner atoms of a parent to orbits, keep the outer ones that have room, and put the others on the
    surface.
    """
    size = len(parents[0].types)
    return completed(rng, parents[0], bonds, core=int(np.ceil(rng.uniform(0.2, 0.8) * size)))


def completed(rng: np.random.Generator, parent: Cluster, bonds: Floats, core: int) -> Cluster:
    """Complete the `core` innermost atoms to orbits. An orbit is of the element of the atom that it came from, as long
    as there are enough atoms of it.
    """
    types, positions, others = clusters.completed(
        rng.bit_generator.capsule,
        parent.types,
        parent.positions,
        bonds,
        point_group(one_of(rng, POINT_GROUPS)),
        core,
        OVERLAP,
    )
    return shaken(rng, with_atoms(rng, Cluster(types, positions), others, bonds), bonds)


def shaken(rng: np.random.Generator, cluster: Cluster, bonds: Floats) -> Cluster:
    """The cluster with a small noise."""
    return Cluster(
        cluster.types, cluster.positions + rng.normal(scale=NOISE * bonds.mean(), size=cluster.positions.shape)
    )
