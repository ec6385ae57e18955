"""Bulk, surfaces, vacancies and liquids. Family functions take the elements and a generator, as in clusters.py."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
from ase import Atoms
from ase.build import add_adsorbate, bulk, fcc100, fcc110, fcc111, fcc211, make_supercell

from .clusters import composition
from .metals import LATTICE, mean_over
from .sampling import bare, dynamics


def cell_of(structure: str, volume: float) -> Atoms:
    """Primitive cell of fcc, bcc, hcp or sc with a volume per atom in A^3; the element is a placeholder."""
    if structure == "hcp":
        a = (volume * 2.0 / (np.sqrt(3.0) / 2.0 * np.sqrt(8.0 / 3.0))) ** (1.0 / 3.0)
        return bulk("Cu", "hcp", a=a, c=np.sqrt(8.0 / 3.0) * a)
    atoms_in_cube = {"fcc": 4, "bcc": 2, "sc": 1}[structure]
    return bulk("Cu", structure, a=(atoms_in_cube * volume) ** (1.0 / 3.0))


def volume_per_atom(symbols: list[str]) -> float:
    """Volume per atom of the reference's fcc metals, averaged over the atoms, A^3."""
    return mean_over(symbols, {e: a**3 / 4.0 for e, a in LATTICE.items()})


def stretched(atoms: Atoms, strain: np.ndarray) -> Atoms:
    """The cell and its atoms under a symmetric strain (3, 3)."""
    moved = atoms.copy()
    moved.set_cell(moved.cell.array @ (np.eye(3) + strain), scale_atoms=True)
    return moved


def symmetric(strain: np.ndarray) -> np.ndarray:
    """The part of a strain that turns nothing."""
    return np.asarray(0.5 * (strain + strain.T))


def deformed(atoms: Atoms, rng: np.random.Generator) -> Atoms:
    """Breathed by -12 to 15 % in volume, often strained, often rattled by up to 0.25 A."""
    volume = rng.normal(1.01, 0.045) if rng.random() < 0.7 else rng.uniform(0.88, 1.15)
    volume = float(np.clip(volume, 0.88, 1.15))
    strain = (volume ** (1.0 / 3.0) - 1.0) * np.eye(3)
    if rng.random() < 0.6:
        strain = strain + symmetric(rng.normal(0.0, rng.uniform(0.005, 0.035), (3, 3)))
    moved = stretched(atoms, strain)
    if len(moved) > 1 and rng.random() < 0.8:
        amplitude = 0.02 + 0.23 * rng.beta(1.0, 2.0)
        moved.positions += rng.normal(0.0, amplitude / np.sqrt(3.0), moved.positions.shape)
    return moved


def derivative_cell(primitive: Atoms, multiple: int, rng: np.random.Generator) -> Atoms:
    """A random superlattice: one of the Hermite normal forms of determinant `multiple` (Hart & Forcade 2008)."""
    a = int(rng.choice([d for d in range(1, multiple + 1) if multiple % d == 0]))
    c = int(rng.choice([d for d in range(1, multiple // a + 1) if (multiple // a) % d == 0]))
    f = multiple // (a * c)
    form = np.array([[a, 0, 0], [rng.integers(c), c, 0], [rng.integers(f), rng.integers(f), f]])
    return make_supercell(primitive, form)


def solution_family(elements: tuple[str, ...], rng: np.random.Generator) -> list[Atoms]:
    """A random solid solution under two deformations."""
    structure = str(rng.choice(["fcc", "bcc", "hcp"], p=[0.76, 0.12, 0.12]))
    sizes = {"fcc": [4, 6, 8, 8, 9, 12, 12, 16, 18, 27], "bcc": [4, 6, 8, 12, 16], "hcp": [2, 3, 4, 6, 8]}[structure]
    primitive = cell_of(structure, 10.0)
    multiple = int(rng.choice([s for s in sizes if s * len(primitive) >= len(elements)]))
    symbols = composition(elements, multiple * len(primitive), rng)
    if structure == "fcc" and multiple in (8, 12, 18, 27):
        repeats = {8: (2, 2, 2), 12: (3, 2, 2), 18: (3, 3, 2), 27: (3, 3, 3)}[multiple]
        cell = cell_of(structure, volume_per_atom(symbols)) * repeats
    else:
        cell = derivative_cell(cell_of(structure, volume_per_atom(symbols)), multiple, rng)
    cell.set_chemical_symbols(symbols)
    return [deformed(cell, rng), deformed(cell, rng)]


def alloy(name: str, a: str, b: str) -> Atoms:
    """An ordered alloy at the mean volume of its metals: L1_0, B2, L1_1 (AB), L1_2, D0_22 (A3B), C11_b (A2B)."""
    counts = {"L1_0": (1, 1), "L1_2": (3, 1), "B2": (1, 1), "L1_1": (1, 1), "D0_22": (3, 1), "C11_b": (2, 1)}[name]
    volume = volume_per_atom([a] * counts[0] + [b] * counts[1])
    side = (4.0 * volume) ** (1.0 / 3.0)
    root = np.sqrt(0.5)
    if name == "L1_0":
        return Atoms([a, b], scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=[root * side] * 2 + [side], pbc=True)
    if name == "L1_2":
        points = [[0.5, 0.5, 0], [0.5, 0, 0.5], [0, 0.5, 0.5], [0, 0, 0]]
        return Atoms([a] * 3 + [b], scaled_positions=points, cell=[side] * 3, pbc=True)
    if name == "B2":
        cube = (2.0 * volume) ** (1.0 / 3.0)
        return Atoms([a, b], scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=[cube] * 3, pbc=True)
    if name == "L1_1":
        vectors = 0.5 * side * np.array([[2, 1, 1], [1, 2, 1], [1, 1, 2]])
        return Atoms([a, b], scaled_positions=[[0, 0, 0], [0.5, 0.5, 0.5]], cell=vectors, pbc=True)
    if name == "D0_22":
        points = [[0, 0, 0.5], [0.5, 0.5, 0], [0.5, 0, 0.25], [0, 0.5, 0.25], [0.5, 0, 0.75], [0, 0.5, 0.75]]
        points += [[0, 0, 0], [0.5, 0.5, 0.5]]
        return Atoms([a] * 6 + [b] * 2, scaled_positions=points, cell=[side, side, 2 * side], pbc=True)
    cube = (2.0 * volume) ** (1.0 / 3.0)
    third = 1.0 / 3.0
    points = [[0, 0, third], [0, 0, 2 * third], [0.5, 0.5, 0.5 + third], [0.5, 0.5, 0.5 - third]]
    points += [[0, 0, 0], [0.5, 0.5, 0.5]]
    return Atoms([a] * 4 + [b] * 2, scaled_positions=points, cell=[cube, cube, 3 * cube], pbc=True)


def ordered_family(elements: tuple[str, ...], rng: np.random.Generator) -> list[Atoms]:
    """An ordered alloy at rest, and two deformations of it: a named one of two elements, or a small derivative cell."""
    if len(elements) == 2 and rng.random() < 0.6:
        a, b = rng.permutation(elements)
        cell = alloy(str(rng.choice(["L1_0", "L1_2", "L1_2", "B2", "L1_1", "D0_22", "C11_b"])), str(a), str(b))
    else:
        structure = str(rng.choice(["fcc", "bcc"], p=[0.8, 0.2]))
        multiple = int(rng.integers(max(1, len(elements)), max(9, 2 * len(elements) - 1)))
        symbols = composition(elements, multiple, rng)
        cell = derivative_cell(cell_of(structure, volume_per_atom(symbols)), multiple, rng)
        cell.set_chemical_symbols(symbols)
    breathed = stretched(cell, float(rng.uniform(-0.02, 0.025)) * np.eye(3))
    return [breathed, deformed(cell, rng), deformed(cell, rng)]


SLABS: list[tuple[Callable[..., Atoms], list[tuple[int, int, int]]]] = [
    (fcc111, [(1, 1, 7), (2, 1, 5), (2, 2, 3), (2, 2, 4), (2, 2, 5), (3, 2, 3), (3, 2, 4), (3, 3, 3)]),
    (fcc100, [(1, 1, 7), (2, 1, 6), (2, 2, 3), (2, 2, 4), (2, 2, 5), (3, 2, 3), (3, 2, 4), (3, 3, 3)]),
    (fcc110, [(1, 1, 9), (2, 1, 6), (2, 2, 4), (2, 2, 5), (2, 2, 6), (3, 2, 4)]),
    (fcc211, [(3, 1, 4), (3, 1, 5), (3, 2, 3), (3, 2, 4)]),
]


def slab_family(elements: tuple[str, ...], rng: np.random.Generator) -> list[Atoms]:
    """A slab with a 111, 100, 110 or 211 face: at rest or nearly, and rattled; alloyed, layered, or with an adatom."""
    build, sizes = SLABS[rng.choice(4, p=[0.35, 0.25, 0.22, 0.18])]
    size = sizes[rng.integers(len(sizes))]
    slab = build("Cu", size, a=3.6, vacuum=6.0)
    if len(slab) < len(elements) + 1:
        slab = build("Cu", sizes[-1], a=3.6, vacuum=6.0)
    if build is not fcc211 and rng.random() < 0.25:
        add_adsorbate(slab, "Cu", 1.8, "hollow" if build is not fcc111 else str(rng.choice(["fcc", "hcp"])))
    symbols = composition(elements, len(slab), rng)
    if rng.random() < 0.35:
        in_order = sorted(symbols, key=list(rng.permutation(sorted(set(symbols)))).index)
        places = np.argsort(slab.positions[:, 2] + rng.normal(0.0, 0.6, len(slab)), kind="stable")
        for place, symbol in zip(places, in_order, strict=True):
            symbols[place] = symbol
    scale = (4.0 * volume_per_atom(symbols)) ** (1.0 / 3.0) / 3.6
    slab = bare(slab)
    slab.set_cell(slab.cell.array * scale, scale_atoms=True)
    slab.set_chemical_symbols(symbols)
    slab.pbc = (True, True, False)
    members = []
    for rattle in (rng.uniform(0.0, 0.03), rng.uniform(0.03, 0.22)):
        in_plane = np.zeros((3, 3))
        in_plane[:2, :2] = symmetric(rng.normal(0.0, 0.018, (2, 2)))
        member = stretched(slab, in_plane)
        member.positions += rng.normal(0.0, rattle / np.sqrt(3.0) + 1e-9, member.positions.shape)
        members.append(member)
    return members


def vacancy_family(elements: tuple[str, ...], rng: np.random.Generator) -> list[Atoms]:
    """A solid solution with one or two atoms missing, at rest and rattled."""
    repeats = [(2, 2, 2), (3, 2, 2), (3, 3, 2), (3, 3, 3)][rng.choice(4, p=[0.3, 0.3, 0.2, 0.2])]
    count = int(np.prod(repeats))
    missing = 1 if count < 12 or rng.random() < 0.7 else 2
    symbols = composition(elements, count, rng)
    cell = cell_of("fcc", volume_per_atom(symbols)) * repeats
    cell.set_chemical_symbols(symbols)
    del cell[[int(k) for k in rng.choice(count, missing, replace=False)]]
    return [stretched(cell, rng.uniform(-0.02, 0.02) * np.eye(3)), deformed(cell, rng)]


def liquid_family(elements: tuple[str, ...], rng: np.random.Generator) -> list[Atoms]:
    """Four snapshots of a small periodic melt."""
    repeats = [(2, 2, 2), (3, 2, 2), (3, 3, 2), (3, 3, 3)][rng.choice(4, p=[0.15, 0.35, 0.3, 0.2])]
    symbols = composition(elements, int(np.prod(repeats)), rng)
    cell = cell_of("fcc", volume_per_atom(symbols) * rng.uniform(0.98, 1.18)) * repeats
    cell.set_chemical_symbols(symbols)
    cell.positions += rng.normal(0.0, 0.15, cell.positions.shape)
    return dynamics(cell, np.full(4, rng.uniform(1500.0, 3000.0)), 35, rng)


PERIODIC_FAMILIES: dict[str, Callable[[tuple[str, ...], np.random.Generator], list[Atoms]]] = {
    "bulk.solution": solution_family,
    "bulk.ordered": ordered_family,
    "slab": slab_family,
    "vacancy": vacancy_family,
    "liquid": liquid_family,
}


def lattices_of(element: str, rng: np.random.Generator) -> Iterator[tuple[str, Atoms]]:
    """Energy-volume curves of fcc, bcc, hcp and sc, and strained fcc cells, as (family, structure)."""
    volume = LATTICE[element] ** 3 / 4.0
    curves = {
        "fcc": np.concatenate([np.linspace(0.955, 1.05, 17), [0.985, 0.9925, 1.0075, 1.015]]),
        "bcc": np.linspace(0.95, 1.06, 11),
        "hcp": np.linspace(0.95, 1.06, 11),
        "sc": np.linspace(0.97, 1.2, 9),
    }
    for structure, scales in curves.items():
        for scale in scales:
            cell = cell_of(structure, volume * float(scale) ** 3)
            cell.set_chemical_symbols([element] * len(cell))
            yield structure, cell
    cell = cell_of("fcc", volume)
    cell.set_chemical_symbols([element])
    for _ in range(12):
        yield "strained", stretched(cell, symmetric(rng.normal(0.0, 0.025, (3, 3))))


# The ordered alloys whose formation energies the acceptance tests.
TESTED_ALLOYS = (("L1_0", "Cu", "Au"), ("L1_0", "Ni", "Pt"), ("L1_2", "Cu", "Au"), ("B2", "Cu", "Pd"))


def lattices_of_alloys(rng: np.random.Generator) -> Iterator[tuple[str, Atoms]]:
    """Energy-volume curves and strained cells of the tested alloys, as (family, structure)."""
    for name, a, b in TESTED_ALLOYS:
        for scale in np.linspace(0.96, 1.05, 11):
            yield f"{name}{a}{b}", stretched(alloy(name, a, b), (float(scale) - 1.0) * np.eye(3))
        for _ in range(14):
            axial = np.diag([1.0, 1.0, -2.0]) * rng.uniform(-0.04, 0.04)
            shear = symmetric(rng.normal(0.0, 0.012, (3, 3)))
            cell = stretched(alloy(name, a, b), axial + shear + rng.uniform(-0.015, 0.02) * np.eye(3))
            yield f"{name}{a}{b}", cell
