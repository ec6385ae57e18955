"""Clusters as arrays, and what their geometry says: distances, overlaps, fragments, contacts.

Lengths are in the length unit of the pair style. What counts as near is measured by `bonds[a, b]`, the length of a
bond between atoms of types a and b, which `bonds.probe_bonds` reads off the pair style itself. The work is done by the
compiled `hea_potential.clusters`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hea_potential import clusters

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

# Atoms nearer than this many bonds touch: it lies between the neighbours of a close packing, at 1 and 1.41.
CONTACT = 1.3
FRAGMENT = 1.7  # atoms farther than this from all others have left the cluster
OVERLAP = 0.8  # atoms nearer than this have no room beside each other


@dataclass(frozen=True, eq=False)
class Cluster:
    """Types (n,), indices into the composition's symbols, and positions (n, 3). Arrays are not changed in place."""

    types: Integers
    positions: Floats

    def ordered(self) -> Cluster:
        """The same cluster with its centre at the origin and its atoms in order of their types, as all others of its
        composition.
        """
        return Cluster(*clusters.ordered(self.types, self.positions))


def reduced_distances(cluster: Cluster, bonds: Floats) -> Floats:
    """Distances of every two atoms in units of their bond, shape (n, n), infinite on the diagonal."""
    return clusters.reduced_distances(cluster.types, cluster.positions, bonds)


def coordination(cluster: Cluster, bonds: Floats) -> Integers:
    """Number of atoms in contact with each, shape (n,)."""
    return clusters.coordination(cluster.types, cluster.positions, bonds, CONTACT)


def is_connected(cluster: Cluster, bonds: Floats) -> bool:
    """Whether every atom is reached from every other over gaps below FRAGMENT bonds."""
    return clusters.is_connected(cluster.types, cluster.positions, bonds, FRAGMENT)


def separate(cluster: Cluster, bonds: Floats, least: float) -> Cluster:
    """Push atoms apart until no two are nearer than `least` bonds; certain, because the whole is inflated if that does
    not suffice.
    """
    return Cluster(cluster.types, clusters.separated(cluster.types, cluster.positions, bonds, least))


def vacant_sites(cluster: Cluster, bonds: Floats, kind: int) -> tuple[Floats, Integers]:
    """Places at one bond from three atoms that touch each other, or from three corners of a square, where an atom of
    type `kind` overlaps none.

    Returns positions (sites, 3) and how many atoms each touches (sites,).
    """
    return clusters.vacant_sites(cluster.types, cluster.positions, bonds, kind, CONTACT, OVERLAP)


def random_rotation(rng: np.random.Generator) -> Floats:
    """A rotation matrix uniform over all rotations: a random unit quaternion (Shoemake 1992)."""
    w, x, y, z = rng.normal(size=4).tolist()  # plain numbers are quicker than numpy's
    length = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / length, x / length, y / length, z / length
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )
