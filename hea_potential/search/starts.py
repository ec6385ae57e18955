"""Where a search begins: random packings, and pieces of common packings with random orderings.

A start is a function (rng, composition, bonds) -> Cluster. It fixes no target: the motifs are cut around a random
centre to whatever number of atoms is asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

from hea_potential import clusters
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, separate
from hea_potential.search.symmetrise import symmetric_packing

Start = Callable[[np.random.Generator, Composition, Floats], Cluster]

LEAST = 0.8  # no two atoms of a start are nearer than this many bonds


def random_packing(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """Atoms uniformly in a ball, in one start of two flattened or stretched, then pushed apart."""
    return Cluster(*clusters.random_packing(rng.bit_generator.capsule, composition.types, bonds, LEAST))


def close_packed(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """A piece of a close packing of layers: fcc, hcp or with faults."""
    reach = int(np.ceil(composition.size ** (1.0 / 3.0))) + 2
    layers = np.arange(-reach, reach + 1)
    kind = rng.choice(["fcc", "hcp", "faulted"], p=[0.5, 0.2, 0.3])
    if kind == "fcc":
        places = layers % 3
    elif kind == "hcp":
        places = layers % 2
    else:
        places = np.cumsum(rng.choice([1, 2], size=len(layers))) % 3
    columns, rows = (axis.ravel() for axis in np.meshgrid(layers, layers))
    sheet = np.column_stack([columns + 0.5 * rows, np.sqrt(0.75) * rows, np.zeros(len(rows))])
    shift = np.array([0.5, np.sqrt(1.0 / 12.0), 0.0])
    height = np.array([0.0, 0.0, np.sqrt(2.0 / 3.0)])
    points = np.concatenate(
        [sheet + place * shift + layer * height for layer, place in zip(layers, places, strict=True)]
    )
    return cut(rng, points, composition, bonds)


def icosahedral(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """The innermost sites of Mackay's shells around a vertex of twenty tetrahedra, or around a random point near it."""
    shells = 2
    while (10 * shells**3 - 15 * shells**2 + 11 * shells - 3) // 3 < 1.5 * composition.size:
        shells += 1
    return cut(rng, mackay_sites(shells + 1), composition, bonds, off_centre=0.3 * rng.integers(2))


def decahedral(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """A piece of five fcc wedges around a common axis."""
    reach = int(np.ceil(composition.size ** (1.0 / 3.0))) + 2
    return cut(rng, decahedral_sites(reach), composition, bonds, off_centre=0.5)


@lru_cache(maxsize=16)
def mackay_sites(shells: int) -> Floats:
    """The sites of an icosahedron about its centre, (sites, 3)."""
    from ase.cluster import Icosahedron

    points = Icosahedron("Cu", shells, np.sqrt(2.0)).positions
    return np.asarray(points - points.mean(axis=0))


@lru_cache(maxsize=16)
def decahedral_sites(reach: int) -> Floats:
    """The sites of a decahedron with edges and a column of `reach` atoms about its centre, (sites, 3)."""
    from ase.cluster import Decahedron

    points = Decahedron("Cu", reach, reach, 0, np.sqrt(2.0)).positions
    return np.asarray(points - points.mean(axis=0))


def cut(
    rng: np.random.Generator, points: Floats, composition: Composition, bonds: Floats, off_centre: float = 1.0
) -> Cluster:
    """Keep the sites nearest to a random centre in a norm between a ball and a random set of planes; order the atoms
    at random.
    """
    sites = points - rng.uniform(-0.7, 0.7, size=3) * off_centre
    normals = rng.normal(size=(rng.integers(4, 12), 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    facets = np.abs(sites @ normals.T).max(axis=1)
    flatness = rng.uniform(0.0, 0.5)
    order = np.argsort((1.0 - flatness) * np.linalg.norm(sites, axis=1) + flatness * facets, kind="stable")
    kept = sites[order[: composition.size]]
    # The nearest sites of the motifs of ase.cluster are not exactly 1 apart: measure it.
    if composition.size > 1:
        near = np.linalg.norm(kept[1:] - kept[0], axis=1).min()
        kept = kept / near
    types = rng.permutation(composition.types)
    return separate(Cluster(types, kept * bonds.mean()), bonds, LEAST)


STARTS: dict[str, Start] = {
    "random": random_packing,
    "symmetric": symmetric_packing,
    "close-packed": close_packed,
    "icosahedral": icosahedral,
    "decahedral": decahedral,
}
