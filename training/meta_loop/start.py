"""Structures to begin with where there is no model: atoms, pairs of atoms, and random clusters that relax a little."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii
from hea_training.meta_loop.config import Start
from numpy.typing import NDArray

from hea_potential.search.composition import Composition
from hea_potential.search.starts import random_packing

__all__ = ["lone_atoms", "start_structures"]

SHORTEST = 0.63  # of the sum of two covalent radii, the distance of a pair's nearest atoms: below, ZBL alone repels
LONGEST = 2.0
SCALES = (0.87, 1.1)  # of the distances in clusters that are squeezed or stretched


def start_structures(
    elements: Sequence[str], sizes: Sequence[int], most_elements: int, settings: Start, rng: np.random.Generator
) -> list[Atoms]:
    """Named structures to label: `info` says kind, group, steps of relaxation and the largest force that is accepted.

    Clusters have 1 to `most_elements` of the elements and one of the `sizes`. No two atoms of a cluster are nearer
    than SHORTEST of the sum of their covalent radii, so that labels begin where the repulsion of ZBL ends.
    """
    structures = lone_atoms(elements)
    for number, first in enumerate(elements):
        for second in elements[number:]:
            for k, atoms in enumerate(dimers(first, second, settings.dimers)):
                structures.append(named(atoms, f"start-{first}{second}-{k:03d}", "start.dimer", settings))
    for n in range(1, most_elements + 1):
        for k in range(settings.clusters):
            atoms = random_cluster(elements, n, sizes, k, rng)
            structures.append(named(atoms, f"start-n{n}-{k:04d}", "start.cluster", settings, settings.relax))
    return structures


def lone_atoms(elements: Sequence[str]) -> list[Atoms]:
    """An isolated atom of every element."""
    infos = [{"name": f"start-{symbol}", "kind": "atom", "group": f"start-{symbol}", "relax": 0} for symbol in elements]
    return [Atoms([symbol], info=info) for symbol, info in zip(elements, infos, strict=True)]


def named(atoms: Atoms, name: str, kind: str, settings: Start, relax: int = 0) -> Atoms:
    """The structure with what labelling needs to know; each is a family of its own."""
    atoms.info = {"name": name, "kind": kind, "group": name, "relax": relax, "max_force": settings.max_force}
    return atoms


def dimers(first: str, second: str, count: int) -> list[Atoms]:
    """Two atoms at distances evenly spaced on a logarithmic scale."""
    bond = bond_lengths([first, second])[0, 1]
    distances = bond * np.geomspace(SHORTEST, LONGEST, count)
    return [Atoms([first, second], positions=[[0.0, 0.0, 0.0], [0.0, 0.0, d]]) for d in distances]


def random_cluster(
    elements: Sequence[str], n: int, sizes: Sequence[int], number: int, rng: np.random.Generator
) -> Atoms:
    """A random packing of n elements, the pure ones in turn; shares of the elements are random. One of three is
    squeezed or stretched: a model has to know that atoms repel inside a cluster, too, or searches find where it does
    not.
    """
    size = int(rng.choice([size for size in sizes if size >= n] or [n]))
    chosen = [number % len(elements)] if n == 1 else rng.choice(len(elements), n, replace=False).tolist()
    symbols = tuple(elements[k] for k in sorted(chosen))
    counts = 1 + rng.multinomial(size - n, rng.dirichlet(np.ones(n)))
    whole = Composition(symbols, tuple(counts.tolist()))
    cluster = random_packing(rng, whole, bond_lengths(symbols))
    scale = rng.uniform(*SCALES) if number % 3 == 0 else 1.0
    return Atoms(whole.names(cluster.types), positions=scale * cluster.positions)


def bond_lengths(symbols: Sequence[str]) -> NDArray[np.float64]:
    """Sums of covalent radii (S, S), A: Cordero et al., Dalton Trans. 2832 (2008), as ASE has them."""
    radii = covalent_radii[[atomic_numbers[symbol] for symbol in symbols]]
    return radii[:, None] + radii[None, :]
