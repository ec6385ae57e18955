"""Clusters as arrays, and what their geometry says: distances, overlaps, fragments, contacts.

Lengths are in the length unit of the pair style. What counts as near is measured by `bonds[a, b]`, the length of a
bond between atoms of types a and b, which `minimise.probe_bonds` reads off the pair style itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Atoms nearer than this many bonds touch: it lies between the neighbours of a close packing, at 1 and 1.41.
CONTACT = 1.3
FRAGMENT = 1.7  # atoms farther than this from all others have left the cluster


@dataclass(frozen=True, eq=False)
class Cluster:
    """Types (n,), indices into the composition's symbols, and positions (n, 3). Arrays are not changed in place."""

    types: Integers
    positions: Floats

    def ordered(self) -> Cluster:
        """The same cluster with its centre at the origin and its atoms in order of their types, as all others of its
        composition.
        """
        order = np.argsort(self.types, kind="stable")
        return Cluster(self.types[order], self.positions[order] - self.positions.mean(axis=0))


def distances(positions: Floats) -> Floats:
    """Distance of every two atoms, shape (n, n), infinite on the diagonal."""
    gaps = positions[:, None, :] - positions[None, :, :]
    squares = np.einsum("ijk,ijk->ij", gaps, gaps)
    np.fill_diagonal(squares, np.inf)
    return np.asarray(np.sqrt(squares))


def reduced_distances(cluster: Cluster, bonds: Floats) -> Floats:
    """Distances of every two atoms in units of their bond, shape (n, n), infinite on the diagonal."""
    return distances(cluster.positions) / bonds[np.ix_(cluster.types, cluster.types)]


def coordination(cluster: Cluster, bonds: Floats) -> Integers:
    """Number of atoms in contact with each, shape (n,)."""
    return np.asarray(np.count_nonzero(reduced_distances(cluster, bonds) < CONTACT, axis=1))


def is_connected(cluster: Cluster, bonds: Floats) -> bool:
    """Whether every atom is reached from every other over gaps below FRAGMENT bonds."""
    near = reduced_distances(cluster, bonds) < FRAGMENT
    reached = np.zeros(len(near), bool)
    reached[0] = True
    frontier = reached
    while frontier.any():
        frontier = near[frontier].any(axis=0) & ~reached
        reached = reached | frontier
    return bool(reached.all())


def separate(cluster: Cluster, bonds: Floats, least: float = 0.8, rounds: int = 30) -> Cluster:
    """Push atoms apart until no two are nearer than `least` bonds; certain, because the whole is inflated if rounds do
    not suffice.
    """
    size = len(cluster.positions)
    first, second = np.triu_indices(size, 1)
    lengths = least * bonds[cluster.types[first], cluster.types[second]]
    positions = cluster.positions.copy()
    for _ in range(rounds):
        gaps = positions[first] - positions[second]
        apart = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
        near = np.flatnonzero(apart < lengths)
        if len(near) == 0:
            return Cluster(cluster.types, positions)
        for pair in near[apart[near] < 1e-9 * lengths[near]]:
            # Coinciding atoms have no direction to part in: give each pair one by its numbers, so that the result
            # stays reproducible.
            gaps[pair] = np.array([1.0, 0.1 * first[pair], 0.1 * second[pair]])
            apart[pair] = np.linalg.norm(gaps[pair])
        # A little more than half of what is missing each, so that pushed pairs end apart instead of approaching the
        # limit.
        push = (0.6 * np.maximum(lengths[near] / apart[near] - 1.0, 0.1))[:, None] * gaps[near]
        np.add.at(positions, first[near], push)
        np.subtract.at(positions, second[near], push)
    nearest = np.min(distances(positions)[first, second] / lengths, initial=np.inf)
    return Cluster(cluster.types, positions * max(1.0, 1.000001 / nearest))


def random_rotation(rng: np.random.Generator) -> Floats:
    """A rotation matrix uniform over all rotations: a random unit quaternion (Shoemake 1992)."""
    w, x, y, z = (quaternion := rng.normal(size=4)) / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
