"""The surface of a cluster: atoms with few contacts taken away, atoms put where they find most.

The number of contacts stands for the energy, so that many arrangements are judged without a force call. It is blurred
by a random share of a contact, which decides between equals and lets the second best win now and then.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hea_potential import clusters
from hea_potential.search.geometry import (
    CONTACT,
    OVERLAP,
    Cluster,
    Floats,
    Integers,
    coordination,
    vacant_sites,
)

BLUR = 1.5  # contacts
LARGEST_SHARE = 0.25  # of the atoms are moved at once


def move_surface(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Take away one to three of the atoms with fewest contacts and put them on the vacant sites that offer most."""
    (parent,) = parents
    cluster = parent
    for _ in range(min(3, rng.geometric(0.6))):
        contacts = coordination(cluster, bonds) + rng.uniform(0.0, BLUR, size=len(cluster.types))
        loose = int(np.argmin(contacts))
        rest = Cluster(np.delete(cluster.types, loose), np.delete(cluster.positions, loose, axis=0))
        kind = cluster.types[loose]
        sites, touched = vacant_sites(rest, bonds, kind)
        offered = touched + rng.uniform(0.0, BLUR, size=len(sites))
        away = np.linalg.norm(sites - cluster.positions[loose], axis=1) > 0.5 * bonds[kind, kind]
        if not away.any():
            break
        site = sites[np.argmax(np.where(away, offered, -1.0))]
        cluster = Cluster(np.append(rest.types, kind), np.concatenate([rest.positions, site[None]]))
    return cluster


def resurface(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Take away many atoms with fewest contacts at once and put them back one by one where they find most."""
    (parent,) = parents
    size = len(parent.types)
    count = int(rng.integers(1, max(2, round(LARGEST_SHARE * size)) + 1))
    contacts = coordination(parent, bonds) + rng.uniform(0.0, BLUR, size=size)
    order = np.argsort(contacts, kind="stable")
    loose, kept = order[:count], order[count:]
    rest = Cluster(parent.types[kept], parent.positions[kept])
    return with_atoms(rng, rest, rng.permutation(parent.types[loose]), bonds)


def with_atoms(rng: np.random.Generator, cluster: Cluster, types: Integers, bonds: Floats) -> Cluster:
    """Add atoms, one after the other, on the vacant sites that offer most contacts; where there is no such site, beside
    a random atom.
    """
    stream = rng.bit_generator.capsule
    return Cluster(*clusters.grown(stream, cluster.types, cluster.positions, bonds, types, CONTACT, OVERLAP, BLUR))
