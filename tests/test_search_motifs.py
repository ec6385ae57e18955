"""Motifs of clusters that are known, as they are, turned, shaken and renumbered."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from ase.build import bulk
from ase.cluster import Decahedron, Icosahedron, Octahedron

from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, random_rotation
from hea_potential.search.minimise import Minimiser
from hea_potential.search.motif import motif
from hea_potential.search.pair import Pair
from hea_potential.search.point_group import point_group
from hea_potential.search.starts import random_packing

LATTICE = np.sqrt(2.0)  # of fcc with a bond of 1
BONDS = np.ones((1, 1))
NOISE = 0.0125  # on each coordinate, in bonds
LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")


def cluster_of(positions: Floats) -> Cluster:
    return Cluster(np.zeros(len(positions), int), positions)


def relaxed(positions: Floats) -> Cluster:
    """The Lennard-Jones minimum next to positions in bonds."""
    minimise = Minimiser(Composition(("Ar",), (len(positions),)), LENNARD_JONES, np.array([[1.12]]))
    quench = minimise(cluster_of(1.1 * positions))
    minimise.close()
    assert quench.outcome == "minimum"
    return cluster_of(quench.cluster.positions / 1.1)


def ball(points: Floats, size: int) -> Cluster:
    """The points nearest to one beside the middle of all."""
    middle = points.mean(axis=0)
    nearest = points[np.argmin(np.linalg.norm(points - middle, axis=1))] + [0.011, 0.007, 0.003]
    return cluster_of(points[np.argsort(np.linalg.norm(points - nearest, axis=1))[:size]])


def twin() -> Cluster:
    """Two pieces of fcc on either side of a plane that mirrors them."""
    sheet = np.array([[i + 0.5 * j, np.sqrt(0.75) * j, 0.0] for i in range(-6, 7) for j in range(-6, 7)])
    shift, height = np.array([0.5, np.sqrt(1 / 12), 0.0]), np.array([0.0, 0.0, np.sqrt(2 / 3)])
    return ball(np.concatenate([sheet + abs(layer) * shift + layer * height for layer in range(-4, 5)]), 79)


def double_icosahedron() -> Cluster:
    """19 atoms: two icosahedra that share half of their atoms."""
    steps = 0.4 * np.pi * np.arange(5)
    rings = [
        np.column_stack([0.85 * np.cos(steps + turn), 0.85 * np.sin(steps + turn), np.full(5, height)])
        for turn, height in ((0.0, -1.0), (0.2 * np.pi, 0.0), (0.0, 1.0))
    ]
    axis = np.array([[0.0, 0.0, height] for height in (-1.5, -0.5, 0.5, 1.5)])
    return relaxed(np.concatenate([*rings, axis]))


def stellated_tetrahedron() -> Cluster:
    """98 atoms: an fcc tetrahedron of 20, its mirror images in its faces without their tips, and a patch of seven over
    each of its edges (Leary and Doye, Phys. Rev. E 60, R6320 (1999)).
    """
    corners = 3.0 * np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(8.0)
    shares = np.array([share for share in itertools.product(range(4), repeat=4) if sum(share) == 3])
    places = [share @ corners / 3.0 for share in shares]
    for tip, corner in enumerate(corners):
        normal = corner / np.linalg.norm(corner)
        # A share of the tip of 1 or 2 thirds lies one or two layers above the face without the tip.
        above = shares[(shares[:, tip] > 0) & (shares[:, tip] < 3)]
        places += [share @ corners / 3.0 - share[tip] * np.sqrt(8.0 / 3.0) * normal for share in above]
    for one, other in itertools.combinations(corners, 2):
        middle = 0.5 * (one + other)
        outwards, along = middle / np.linalg.norm(middle), (one - other) / np.linalg.norm(one - other)
        across = 0.9 * np.cross(outwards, along)
        places += [middle + 0.87 * outwards + step * along for step in (-1.0, 0.0, 1.0)]
        places += [
            middle + 0.7 * outwards + step * along + side * across for step in (-0.5, 0.5) for side in (-1.0, 1.0)
        ]
    assert len(places) == 98
    return relaxed(np.array(places))


KNOWN: dict[str, tuple[Callable[[], Cluster], str, str]] = {
    "icosahedron of 13": (lambda: cluster_of(Icosahedron("Cu", 2, LATTICE).positions), "icosahedral", "Ih"),
    "icosahedron of 55": (lambda: cluster_of(Icosahedron("Cu", 3, LATTICE).positions), "icosahedral", "Ih"),
    "icosahedron of 147": (lambda: cluster_of(Icosahedron("Cu", 4, LATTICE).positions), "icosahedral", "Ih"),
    "Marks decahedron of 75": (lambda: cluster_of(Decahedron("Cu", 2, 2, 1, LATTICE).positions), "decahedral", "D5h"),
    "Ino decahedron of 54": (lambda: cluster_of(Decahedron("Cu", 4, 1, 0, LATTICE).positions), "decahedral", "D5h"),
    "truncated octahedron of 38": (lambda: cluster_of(Octahedron("Cu", 4, 1, LATTICE).positions), "fcc", "Oh"),
    "octahedron of 44": (lambda: cluster_of(Octahedron("Cu", 4, 0, LATTICE).positions), "fcc", "Oh"),
    "octahedron of 6": (lambda: cluster_of(Octahedron("Cu", 2, 0, LATTICE).positions), "coreless", "Oh"),
    "ball of fcc": (lambda: ball(bulk("Cu", "fcc", LATTICE).repeat(12).positions, 79), "fcc", "Oh"),
    "ball of hcp": (lambda: ball(bulk("Cu", "hcp", 1.0).repeat(12).positions, 57), "hcp", "D3h"),
    "twin": (twin, "twinned", "D3h"),
    "double icosahedron": (double_icosahedron, "polyicosahedral", "D5h"),
    "Leary's tetrahedron": (stellated_tetrahedron, "tetrahedral", "Td"),
}


@pytest.mark.parametrize("name", KNOWN)
def test_known_structures(name: str) -> None:
    make, expected_motif, expected_group = KNOWN[name]
    cluster = make()
    rng = np.random.default_rng(len(cluster.types))
    for _ in range(3):
        order = rng.permutation(len(cluster.types))
        turned = cluster.positions @ random_rotation(rng).T + rng.uniform(-NOISE, NOISE, cluster.positions.shape)
        moved = cluster_of(turned[order] + rng.normal(size=3))
        assert (motif(moved, BONDS), point_group(moved, BONDS)) == (expected_motif, expected_group)


def test_atoms_of_different_size_are_compared_by_their_bonds() -> None:
    positions = Icosahedron("Cu", 2, LATTICE).positions
    middle = int(np.argmin(np.linalg.norm(positions - positions.mean(axis=0), axis=1)))
    types = np.ones(13, int)
    types[middle] = 0
    # A smaller atom draws its neighbours in, until those touch each other.
    assert motif(Cluster(types, positions), np.array([[1.7, 1.9], [1.9, 2.0]]) / 2.0) == "icosahedral"


def test_a_minimum_next_to_a_random_packing_is_amorphous() -> None:
    packing = random_packing(np.random.default_rng(4), Composition(("Ar",), (120,)), BONDS)
    assert motif(relaxed(packing.positions), BONDS) == "amorphous"


def test_the_smallest_clusters_have_no_core() -> None:
    for size in (1, 2, 3, 12):
        assert motif(cluster_of(np.arange(3.0 * size).reshape(size, 3)), BONDS) == "coreless"
