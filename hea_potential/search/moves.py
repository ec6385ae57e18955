"""How new clusters come from old ones. A move is a function (rng, parents, bonds) -> Cluster with the parents'
composition.

What it returns is not relaxed, and its atoms may overlap: `tasks.execute` separates and minimises it. The two-parent
move is that of Deaven and Ho, Phys. Rev. Lett. 75, 288 (1995).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from hea_potential import clusters
from hea_potential.search.geometry import Cluster, Floats, Integers
from hea_potential.search.surface import anneal, move_surface, resurface
from hea_potential.search.symmetrise import shaken, symmetrise, symmetrise_core

Apply = Callable[[np.random.Generator, Sequence[Cluster], Floats], Cluster]


@dataclass(frozen=True)
class Move:
    """A move and what it needs: number of parents, least number of atoms, least number of elements; and what it costs,
    in force calls, besides the minimisation of what it makes.

    Moves of one parent that are never chosen: one that `follows` improves what others make (see `improvement`), one
    that `refines` improves the lowest minima as far as it can (see `refinement`). One that draws `evenly` is of one
    parent as well, of any motif whatever its energy: for moves whose outcome does not depend on how low the parent is.
    """

    apply: Apply
    parents: int = 1
    atoms: int = 2
    elements: int = 1
    follows: bool = False
    refines: bool = False
    cost: int = 0
    evenly: bool = False


def splice(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Turn both parents at random, take the top of one and the bottom of the other, and mend the composition."""
    first, second = (turned(rng, parent) for parent in parents)
    size = len(first.types)
    top = int(np.clip(round(size * rng.uniform(0.2, 0.8)), 1, size - 1))
    high = np.argsort(-first.positions[:, 2], kind="stable")
    low = np.argsort(second.positions[:, 2], kind="stable")
    upper = first.positions[high[:top]]
    lower = second.positions[low[: size - top]]
    # Both planes become z = 0: each lies midway between the last atom kept and the first one left out.
    upper = upper - [0.0, 0.0, first.positions[high[top - 1 : top + 1], 2].mean()]
    lower = lower - [0.0, 0.0, second.positions[low[size - top - 1 : size - top + 1], 2].mean()]
    types = np.concatenate([first.types[high[:top]], second.types[low[: size - top]]])
    positions = np.concatenate([upper, lower])
    wanted = np.bincount(first.types, minlength=len(bonds))
    return Cluster(mended(rng, types, np.abs(positions[:, 2]), wanted), positions)


def turned(rng: np.random.Generator, cluster: Cluster) -> Cluster:
    """A cluster centred and turned at random."""
    return Cluster(cluster.types, clusters.turned(cluster.positions, rng.normal(size=4)))


def mended(rng: np.random.Generator, types: Integers, depth: Floats, wanted: Integers) -> Integers:
    """Give atoms of elements that are too many the elements that are missing, first those nearest to the cut (least
    depth).
    """
    types = types.copy()
    surplus = np.bincount(types, minlength=len(wanted)) - wanted
    missing = rng.permutation(np.repeat(np.arange(len(wanted)), np.maximum(-surplus, 0)))
    changed = []
    for kind in np.flatnonzero(surplus > 0):
        of_kind = np.flatnonzero(types == kind)
        changed += list(of_kind[np.argsort(depth[of_kind], kind="stable")[: surplus[kind]]])
    types[changed] = missing
    return types


def rattle(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Displace a random share of the atoms by Gaussian noise of a random width."""
    (parent,) = parents
    width = rng.uniform(0.1, 0.45) * bonds.mean()
    moved = rng.uniform(size=len(parent.types)) < rng.choice([0.3, 1.0])
    noise = rng.normal(scale=width, size=parent.positions.shape)
    return Cluster(parent.types, parent.positions + noise * moved[:, None])


def twist(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Turn the part above a random plane through the middle about the plane's normal."""
    cluster = turned(rng, parents[0])
    angle = rng.uniform(np.pi / 6.0, np.pi)
    cosine, sine = np.cos(angle), np.sin(angle)
    above = cluster.positions[:, 2] > rng.normal(scale=0.3) * bonds.mean()
    spun = cluster.positions @ np.array([[cosine, sine, 0.0], [-sine, cosine, 0.0], [0.0, 0.0, 1.0]])
    return Cluster(cluster.types, np.where(above[:, None], spun, cluster.positions))


def mirror(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Replace the lower half by the reflection, or the inversion, of the upper one, and mend the composition. A small
    noise lets the minimisation leave the symmetry.
    """
    cluster = turned(rng, parents[0])
    size = len(cluster.types)
    order = np.argsort(-cluster.positions[:, 2], kind="stable")
    kept = order[: (size + 1) // 2]
    plane = cluster.positions[order[size // 2 - 1 : size // 2 + 1], 2].mean()
    upper = cluster.positions[kept] - [0.0, 0.0, plane]
    images = upper[: size - len(kept)] * (np.array([1.0, 1.0, -1.0]) if rng.uniform() < 0.5 else -1.0)
    types = np.concatenate([cluster.types[kept], cluster.types[kept[: size - len(kept)]]])
    positions = np.concatenate([upper, images])
    wanted = np.bincount(cluster.types, minlength=len(bonds))
    return shaken(rng, Cluster(mended(rng, types, np.abs(positions[:, 2]), wanted), positions), bonds)


def exchange(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Exchange the elements of one to four pairs of unlike atoms."""
    (parent,) = parents
    types = parent.types.copy()
    for _ in range(min(4, rng.geometric(0.5))):
        first = rng.integers(len(types))
        second = rng.choice(np.flatnonzero(types != types[first]))
        types[[first, second]] = types[[second, first]]
    return Cluster(types, parent.positions)


def exchange_shells(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Exchange the elements of an inner and an outer atom, so that elements find their way to the core and to the
    surface.
    """
    (parent,) = parents
    types = parent.types.copy()
    outwards = np.argsort(np.argsort(np.linalg.norm(parent.positions - parent.positions.mean(axis=0), axis=1)))
    first = rng.integers(len(types))
    others = np.flatnonzero(types != types[first])
    # The chance of a partner grows with its difference in rank from the centre.
    difference = np.abs(outwards[others] - outwards[first]).astype(float)
    second = rng.choice(others, p=difference / difference.sum())
    types[[first, second]] = types[[second, first]]
    return Cluster(types, parent.positions)


MOVES: dict[str, Move] = {
    "splice": Move(splice, parents=2),
    "rattle": Move(rattle),
    "twist": Move(twist, atoms=3),
    "mirror": Move(mirror, atoms=4),
    "surface": Move(move_surface, atoms=5),
    "resurface": Move(resurface, atoms=5),
    "anneal": Move(anneal, atoms=5, evenly=True),
    "symmetrise": Move(symmetrise, atoms=4),
    "core": Move(symmetrise_core, atoms=5),
    "exchange": Move(exchange, elements=2),
    "shells": Move(exchange_shells, atoms=3, elements=2),
}
