"""Symmetric starts, and moves that make a cluster or its core symmetric.

What is symmetric is packed or completed orbit by orbit; atoms that fill no orbit go to the surface. A small noise lets
a minimisation leave the symmetry where keeping it would lead to a saddle. See `symmetry` for groups and for why.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hea_potential.search.composition import Composition
from hea_potential.search.geometry import OVERLAP, Cluster, Floats, Integers, separate
from hea_potential.search.surface import with_atoms
from hea_potential.search.symmetry import POINT_GROUPS, orbit, point_group, projections, squares

NOISE = 0.005  # bonds
DENSEST, LOOSEST = 1.0, 1.3  # radius of the ball that is packed, in radii of a close packing
WIDEST, NARROWEST = 0.95, 0.6  # distance in bonds at which packing begins, and where it gives up
NARROWER = 0.92  # factor of that distance after a batch of points without room
BATCH = 32  # points that are tried at a time
SPECIAL = 0.1  # share of them that lies on a symmetry element from the beginning
FRAMES = 16  # placements of the symmetry elements that are tried on a parent
JUDGED = 32  # inner atoms by which they are judged


def symmetric_packing(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """Random orbits under a random point group; each orbit is of one element where the numbers of atoms allow."""
    orbits = packed_orbits(rng, str(rng.choice(POINT_GROUPS)), composition.size, bonds.mean())
    types, others = by_orbit(rng, [len(points) for points in orbits], composition)
    positions = np.concatenate([np.zeros((0, 3)), *orbits])
    cluster = with_atoms(rng, Cluster(types, positions), others, bonds)
    return separate(shaken(rng, cluster, bonds), bonds, OVERLAP)


def packed_orbits(rng: np.random.Generator, name: str, size: int, bond: float) -> list[Floats]:
    """Orbits of random points in a ball that keep clear of each other, `size` points in all or a few less."""
    operations, onto_elements = point_group(name), projections(name)
    # A close packing of spheres of diameter b fills b^3 / sqrt(2) an atom.
    radius = rng.uniform(DENSEST, LOOSEST) * bond * (3.0 * size / (4.0 * np.pi * np.sqrt(2.0))) ** (1.0 / 3.0)
    merging = OVERLAP * bond
    spacing = WIDEST * bond
    orbits: list[Floats] = []
    placed = np.full((1, 3), np.inf)
    left = size
    while left > 0 and spacing > NARROWEST * bond:
        directions = rng.normal(size=(BATCH, 3))
        distances = radius * rng.uniform(size=BATCH) ** (1.0 / 3.0)
        points = directions * (distances / np.sqrt(squares(directions)))[:, None]
        element = np.where(rng.uniform(size=BATCH) < SPECIAL, rng.integers(len(operations), size=BATCH), 0)
        points = np.einsum("kij,kj->ki", onto_elements[element], points)
        images = np.einsum("gij,kj->kgi", operations, points)
        merged = np.count_nonzero(squares(images - points[:, None]) < merging**2, axis=1)
        # Points that merge may still move by half the merging distance; the others are where they are.
        room = spacing - np.where(merged > 1, 0.5 * merging, 0.0)
        promising = (len(operations) <= left * merged) & (squares(points[:, None] - placed).min(axis=1) > room**2)
        for point in points[promising]:
            found = orbit(point, operations, merging)
            # What keeps one point of an orbit clear of whole orbits keeps all clear.
            if len(found) <= left and squares(placed - found[0]).min() > spacing**2:
                orbits.append(found)
                placed = np.concatenate([placed, found])
                left -= len(found)
                break
        else:
            spacing *= NARROWER
    return orbits


def by_orbit(rng: np.random.Generator, sizes: Sequence[int], composition: Composition) -> tuple[Integers, Integers]:
    """Types of the points of orbits, one type an orbit as long as there are enough atoms of any; and the types of the
    atoms that are left over.
    """
    left = np.array(composition.counts)
    kinds = np.full(len(sizes), -1)
    for place in rng.permutation(len(sizes)):
        fitting = np.flatnonzero(left >= sizes[place])
        if len(fitting):
            kinds[place] = rng.choice(fitting, p=left[fitting] / left[fitting].sum())
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
    bond = bonds.mean()
    operations = point_group(str(rng.choice(POINT_GROUPS)))
    centred = parent.positions - parent.positions.mean(axis=0)
    outwards = np.argsort(squares(centred), kind="stable")
    # The core has a centre of its own: the middle of what lies inside.
    centred = centred - centred[outwards[:core]].mean(axis=0)
    positions = centred @ best_frame(rng, centred[outwards[: min(core, JUDGED)]], operations)
    inwards_first = np.sqrt(squares(positions)) + rng.uniform(0.0, rng.choice([0.1, 1.0]) * bond, size=len(positions))
    left = np.bincount(parent.types, minlength=len(bonds))
    placed, types = np.full((1, 3), np.inf), np.zeros(1, np.int64)
    for rank, atom in enumerate(np.argsort(inwards_first, kind="stable")):
        points = orbit(positions[atom], operations, OVERLAP * bond) if rank < core else positions[atom][None]
        if len(points) > left.sum() or squares(placed - points[0]).min() < (OVERLAP * bond) ** 2:
            continue
        kind = parent.types[atom]
        own = min(len(points), left[kind])
        left[kind] -= own
        # An orbit of more atoms than there are left of its element takes the rest at random from the others.
        rest = rng.permutation(np.repeat(np.arange(len(left)), left))[: len(points) - own]
        left -= np.bincount(rest, minlength=len(left))
        placed = np.concatenate([placed, points])
        types = np.concatenate([types, np.full(own, kind), rest])
    others = rng.permutation(np.repeat(np.arange(len(left)), left))
    return shaken(rng, with_atoms(rng, Cluster(types[1:], placed[1:]), others, bonds), bonds)


def best_frame(rng: np.random.Generator, points: Floats, operations: Floats) -> Floats:
    """The axes, as columns (3, 3), in which points about their centre are most nearly invariant: of random frames along
    directions to points and between two of them.
    """
    chosen = points[rng.integers(len(points), size=(FRAMES, 3))]
    along = np.where(rng.uniform(size=(FRAMES, 1)) < 0.5, chosen[:, 0], chosen[:, 0] + chosen[:, 1])
    # A point at the centre has no direction; the noise gives it one.
    along = along + rng.normal(scale=1e-6, size=along.shape)
    aside = np.cross(along, chosen[:, 2] + rng.normal(scale=1e-6, size=along.shape))
    third = along / np.linalg.norm(along, axis=1, keepdims=True)
    second = aside / np.linalg.norm(aside, axis=1, keepdims=True)
    frames = np.stack([np.cross(second, third), second, third], axis=2)
    tried = operations[rng.integers(len(operations), size=3)]
    local = points @ frames  # (FRAMES, n, 3)
    images = np.einsum("gij,fnj->fgni", tried, local)
    # Distances by the products of vectors: the same points are compared FRAMES x 3 times.
    gaps = squares(images)[..., None] + squares(local)[:, None, None] - 2.0 * images @ local.transpose(0, 2, 1)[:, None]
    return np.asarray(frames[np.argmin(gaps.min(axis=3).mean(axis=(1, 2)))])


def shaken(rng: np.random.Generator, cluster: Cluster, bonds: Floats) -> Cluster:
    """The cluster with a small noise."""
    return Cluster(
        cluster.types, cluster.positions + rng.normal(scale=NOISE * bonds.mean(), size=cluster.positions.shape)
    )
