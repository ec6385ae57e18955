"""Point groups of clusters made to have them, turned and shaken, and with orderings that lower them."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from ase.cluster import Icosahedron

from hea_potential import clusters
from hea_potential.search.geometry import Cluster, Floats, random_rotation
from hea_potential.search.point_group import TOLERANCE, point_group

BONDS = np.ones((2, 2))
NOISE = 0.25 * TOLERANCE  # on each coordinate
GOLDEN = 0.5 * (1.0 + np.sqrt(5.0))


def cluster_of(positions: Sequence[Sequence[float]] | Floats, types: np.ndarray | None = None) -> Cluster:
    places = np.array(positions, float)
    return Cluster(np.zeros(len(places), int) if types is None else types, places)


def ring(count: int, height: float = 0.0, turn: float = 0.0, radius: float = 1.5) -> Floats:
    """Points on a circle about the z axis, `turn` in steps from one to the next."""
    angles = 2.0 * np.pi * (np.arange(count) + turn) / count
    return np.column_stack([radius * np.cos(angles), radius * np.sin(angles), np.full(count, height)])


def images(point: Sequence[float], *generators: Floats) -> Floats:
    """All images of a point under the group that some matrices generate."""
    found = [np.array(point)]
    for place in found:  # which grows until nothing is new
        for generator in generators:
            image = generator @ place
            if min(np.linalg.norm(image - other) for other in found) > 1e-6:
                found.append(image)
    return np.array(found)


def turn_about(axis: Sequence[float], angle: float) -> Floats:
    x, y, z = np.array(axis) / np.linalg.norm(axis)
    cross = np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1.0 - np.cos(angle)) * cross @ cross)


POINT = (0.5, 1.3, 2.2)  # on no element of symmetry
THIRD = turn_about((1, 1, 1), 2.0 * np.pi / 3.0)
HALF = turn_about((0, 0, 1), np.pi)
QUARTER = turn_about((0, 0, 1), 0.5 * np.pi)
FIFTH = turn_about((0, 1, GOLDEN), 0.4 * np.pi)
DIAGONAL = np.array([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])  # a mirror through an axis of three

POLYHEDRAL = {
    "T": images(POINT, THIRD, HALF),
    "Th": images(POINT, THIRD, HALF, -np.eye(3)),
    "Td": images(POINT, THIRD, HALF, DIAGONAL),
    "O": images(POINT, THIRD, QUARTER),
    "Oh": images(POINT, THIRD, QUARTER, -np.eye(3)),
    "I": images(POINT, THIRD, FIFTH),
    "Ih": images(POINT, THIRD, FIFTH, -np.eye(3)),
}
AXIAL = {
    name: positions
    for n in range(2, 9)
    for name, positions in {
        f"C{n}": np.concatenate([ring(n), ring(n, 0.9, 0.15, 1.8), ring(n, 1.7, 0.55, 2.2)]),
        f"C{n}v": np.concatenate([ring(n), [[0.0, 0.0, 1.1]]]),
        f"C{n}h": np.concatenate([ring(n, side, turn, 1.5 + turn) for side in (-0.8, 0.8) for turn in (0.0, 0.2)]),
        f"D{n}": np.concatenate([ring(n, side, 0.12 * side) for side in (-1, 1)]),
        f"D{n}h": np.concatenate([ring(n, side) for side in (-0.8, 0.8)] + [[[0.0, 0.0, 2.0], [0.0, 0.0, -2.0]]]),
        f"D{n}d": np.concatenate([ring(n, side, 0.25 * side) for side in (-1, 1)]),
        f"S{2 * n}": np.concatenate(
            [
                ring(n, side * height, 0.25 * side + 0.1 * height, 1.5 * height)
                for side in (-1, 1)
                for height in (1, 1.7)
            ]
        ),
    }.items()
}
FEW = {
    "C1": [[0, 0, 0], [1, 0, 0], [0, 1.3, 0], [0, 0, 1.7]],
    "Cs": [[0, 0, 0], [1, 0, 0], [0, 1.3, 0]],
    "Ci": [[1, 0, 0], [0.3, 1.3, 0], [0.2, 0.4, 1.7], [-1, 0, 0], [-0.3, -1.3, 0], [-0.2, -0.4, -1.7]],
    "Dinfh": [[-1, 0, 0], [0, 0, 0], [1, 0, 0]],
    "Cinfv": [[-1, 0, 0], [0, 0, 0], [1.4, 0, 0]],
    "Kh": [[1, 2, 3]],
}
PLATONIC = {
    "tetrahedron": (images((1, 1, 1), THIRD, HALF), "Td"),
    "octahedron": (images((0, 0, 1), THIRD, QUARTER), "Oh"),
    "cube": (images((1, 1, 1), THIRD, QUARTER), "Oh"),
    "icosahedron": (images((0, 1, GOLDEN), THIRD, FIFTH), "Ih"),
    "dodecahedron": (images((1, 1, 1), THIRD, FIFTH), "Ih"),
    "hexagon": (ring(6), "D6h"),
    "pentagonal bipyramid": (np.concatenate([ring(5), [[0, 0, 1], [0, 0, -1]]]), "D5h"),
}


def check(positions: Sequence[Sequence[float]] | Floats, expected: str) -> None:
    cluster = cluster_of(positions)
    rng = np.random.default_rng(len(cluster.types))
    for _ in range(5):
        noise = rng.uniform(-NOISE, NOISE, cluster.positions.shape)
        moved = cluster_of(cluster.positions @ random_rotation(rng).T + noise + rng.normal(size=3))
        assert point_group(moved, BONDS) == expected


@pytest.mark.parametrize("symbol", [*POLYHEDRAL, *AXIAL, *FEW])
def test_every_point_group(symbol: str) -> None:
    check((POLYHEDRAL | AXIAL | FEW)[symbol], symbol)


@pytest.mark.parametrize("name", PLATONIC)
def test_platonic_and_flat_bodies(name: str) -> None:
    check(*PLATONIC[name])


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        (("middle",), "Ih"),
        (("first",), "C5v"),
        (("first", "opposite"), "D5d"),
        (("first", "neighbour"), "C2v"),
        (("first", "neighbour", "opposite"), "Cs"),
    ],
)
def test_orderings_lower_the_symmetry_of_an_icosahedron(others: tuple[str, ...], expected: str) -> None:
    positions = Icosahedron("Cu", 2, np.sqrt(2.0)).positions
    from_middle = np.linalg.norm(positions - positions.mean(axis=0), axis=1)
    first = int(np.argmax(from_middle))
    outwards = np.argsort(np.linalg.norm(positions - positions[first], axis=1))
    atoms = {"middle": np.argmin(from_middle), "first": first, "neighbour": outwards[1], "opposite": outwards[-1]}
    if atoms["neighbour"] == atoms["middle"]:
        atoms["neighbour"] = outwards[2]
    types = np.zeros(13, int)
    types[[atoms[name] for name in others]] = 1
    assert point_group(cluster_of(positions, types), BONDS) == expected


def test_a_distortion_counts_when_it_exceeds_the_tolerance() -> None:
    octahedron = images((0, 0, 1), THIRD, QUARTER) / np.sqrt(2.0)
    for stretch, expected in ((1.02, "Oh"), (1.3, "D4h")):
        assert point_group(cluster_of(octahedron * [1.0, 1.0, stretch]), BONDS) == expected
    assert point_group(cluster_of(octahedron * [1.0, 1.0, 1.3]), BONDS, tolerance=0.3) == "Oh"


def test_random_clusters_have_no_symmetry() -> None:
    rng = np.random.default_rng(3)
    for size in itertools.chain(range(5, 30), [100]):
        places = rng.uniform(0.0, 1.2 * size ** (1.0 / 3.0), size=(size, 3))
        assert point_group(cluster_of(places), BONDS) == "C1"


def test_what_has_no_point_group_is_refused() -> None:
    with pytest.raises(ValueError, match="a cluster of 0 atoms"):
        clusters.point_group(np.zeros(0, int), np.zeros((0, 3)), BONDS, TOLERANCE)
    with pytest.raises(ValueError, match="positions are not finite"):
        clusters.point_group(np.zeros(1, int), np.full((1, 3), np.nan), BONDS, TOLERANCE)
