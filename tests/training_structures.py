"""Small labelled structures and data sets for the tests of training: EMT labels of Ni, Cu and Pd."""

from pathlib import Path

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT

from hea_potential.dataset import empty_dataset, write_dataset
from hea_potential.frame import Frame

ELEMENTS = ("Ni", "Cu", "Pd")
_NUMBERS = {"Ni": 28, "Cu": 29, "Pd": 46}


def labelled_structures(rng: np.random.Generator) -> tuple[list[Atoms], list[float], list[np.ndarray]]:
    """Clusters of mixed elements, a cell smaller than the cutoff, a dimer out of reach and a single atom, with EMT
    energies and forces."""
    structures = [cluster(rng, n, list(ELEMENTS)) for n in (2, 4, 9)]
    cell = bulk("Pd")
    cell.rattle(0.05, seed=3)
    structures += [cell, Atoms("CuNi", positions=[[0, 0, 0], [9, 0, 0]]), Atoms("Cu")]
    energies, forces = [], []
    for atoms in structures:
        atoms.calc = EMT()
        energies.append(float(atoms.get_potential_energy()))
        forces.append(atoms.get_forces())
    return structures, energies, forces


def cluster(rng: np.random.Generator, n: int, symbols: list[str]) -> Atoms:
    """n rattled atoms of an fcc lattice; every symbol occurs when n allows."""
    atoms = bulk("Cu", cubic=True).repeat(3)
    atoms.rattle(0.12, rng=rng)
    order = np.argsort(np.linalg.norm(atoms.positions - atoms.positions.mean(0), axis=1))
    atoms = atoms[order[:n]]
    atoms.pbc = False
    atoms.cell = None
    chosen = [symbols[k % len(symbols)] for k in range(n)]
    atoms.numbers = [_NUMBERS[s] for s in rng.permutation(chosen)]
    return atoms


def write_small_dataset(path: Path, rng: np.random.Generator, per_set: int = 8) -> None:
    """An EMT data set of single atoms, dimers of all pairs, and clusters of every set of the three elements."""
    frames = []

    def add(atoms: Atoms, name: str, kind: str) -> None:
        atoms.positions = np.round(atoms.positions, 6)
        atoms.calc = EMT()
        results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
        frames.append(Frame.from_results(atoms, name, kind, name, results))

    sets = [["Ni"], ["Cu"], ["Pd"], ["Ni", "Cu"], ["Ni", "Pd"], ["Cu", "Pd"], ["Ni", "Cu", "Pd"]]
    for symbol in ELEMENTS:
        add(Atoms(symbol), f"atom-{symbol}", "atom")
    for k, a in enumerate(ELEMENTS):
        for b in ELEMENTS[k:]:
            add(Atoms([a, b], positions=[[0, 0, 0], [2.1, 0, 0]]), f"lattice-{a}{b}", "lattice")
    for symbols in sets:
        for k in range(per_set):
            add(cluster(rng, 5 + k % 4, symbols), f"{''.join(symbols)}-{k}", "cluster.random")
    write_dataset(path, empty_dataset({"reference": "emt"}).append(frames))
