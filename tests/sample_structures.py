"""Structures for tests: random, but with no two atoms much nearer than bonds are."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase import Atoms
from ase.build import bulk, fcc111
from ase.neighborlist import neighbor_list

ELEMENTS = ("Ni", "Cu", "Pd")  # of the random models


def cluster(rng: np.random.Generator, size: int, elements: Sequence[str] = ELEMENTS, least: float = 1.9) -> Atoms:
    """Atoms at random in a ball, each at least `least` Angstrom from the others."""
    radius = 1.6 * size ** (1 / 3) + 0.5
    positions = np.zeros((0, 3))
    while len(positions) < size:
        point = rng.uniform(-radius, radius, size=3)
        if np.linalg.norm(point) < radius and (np.linalg.norm(positions - point, axis=1) > least).all():
            positions = np.vstack([positions, point])
        radius *= 1.001
    return Atoms(rng.choice(elements, size=size), positions)


def alloy(
    rng: np.random.Generator, repeat: Sequence[int] = (2, 2, 2), elements: Sequence[str] = ELEMENTS, a: float = 3.7
) -> Atoms:
    """Face-centred cubic solid solution in a sheared cell, atoms rattled, some outside the cell."""
    atoms = bulk("Cu", a=a, cubic=False).repeat(repeat)
    atoms.symbols = rng.choice(elements, size=len(atoms))
    atoms.set_cell(atoms.cell.array @ (np.eye(3) + rng.uniform(-0.03, 0.03, size=(3, 3))), scale_atoms=True)
    atoms.positions += rng.normal(scale=0.08, size=(len(atoms), 3))
    atoms.positions += rng.integers(-1, 2, size=(len(atoms), 3)) @ atoms.cell.array
    return atoms


def slab(rng: np.random.Generator, elements: Sequence[str] = ELEMENTS) -> Atoms:
    """Three layers, periodic in two directions, without a third cell vector."""
    atoms = fcc111("Cu", (2, 2, 3), a=3.7)
    atoms.symbols = rng.choice(elements, size=len(atoms))
    atoms.positions += rng.normal(scale=0.08, size=(len(atoms), 3))
    return atoms


def shortest_distance(atoms: Atoms) -> float:
    """Return the shortest distance between two atoms, in Angstrom; infinity if none is below 6."""
    return float(np.min(neighbor_list("d", atoms, 6.0), initial=np.inf))
