"""Processor microseconds per atom and force call of the engine alone, by pass and size of model, on one core.

    python tests/benchmarks/engine_speed.py [--elements 6] [--cells 10] [--precision single] [--repeat 10]

4000 atoms of fcc (10 x 10 x 10 cells), cutoff 5 Angstrom, 43 neighbours, random weights.
Prints a table; asserts nothing.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from ase.build import bulk
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table

from hea_potential.engine import Model, Potential, simd_name
from hea_potential.neighbours import NeighbourList

sys.path.insert(0, str(Path(__file__).parents[1]))
from random_model import model_bytes, random_model

ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
# F, A, L, D, rank_pair, rank_many
SIZES = [
    (64, 16, 2, 64, 8, 16),
    (64, 0, 3, 64, 0, 0),
    (64, 16, 2, 64, 0, 0),
    (128, 32, 2, 64, 8, 16),
    (32, 8, 2, 32, 4, 8),
]


def crystal(
    rng: np.random.Generator, cells: int, n_elements: int
) -> tuple[NDArray[np.int32], NeighbourList, NDArray[np.float64]]:
    """Random alloy on a rattled fcc lattice: types, half neighbour list, distance vectors."""
    atoms = bulk("Cu", "fcc", a=3.61, cubic=True) * (cells, cells, cells)
    atoms.positions += rng.normal(scale=0.03, size=(len(atoms), 3))
    types = rng.integers(n_elements, size=len(atoms)).astype(np.int32)
    neighbours = NeighbourList(5.0, 0.0)
    return types, neighbours, neighbours.vectors(atoms.positions, atoms.cell.array, atoms.pbc)


def seconds_by_pass(
    potential: Potential, rng: np.random.Generator, cells: int, n_elements: int, repeat: int
) -> dict[str, float]:
    """The least time of each pass over the calls, in microseconds per atom: what other programs disturb least."""
    types, neighbours, vectors = crystal(rng, cells, n_elements)
    least: dict[str, float] = {}
    for _ in range(repeat):
        potential.evaluate(types, neighbours.first, neighbours.neighbour, vectors, time_passes=True)
        for name, seconds in potential.seconds_by_pass():
            least[name] = min(seconds, least.get(name, np.inf))
    return {name: 1e6 * seconds / len(types) for name, seconds in least.items()}


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--elements", type=int, default=6, choices=range(1, 7))
    parser.add_argument("--cells", type=int, default=10)
    parser.add_argument("--precision", choices=["single", "double"], default="single")
    parser.add_argument("--repeat", type=int, default=10)
    arguments = parser.parse_args()

    rows = []
    for size in SIZES:
        f, a, layers, d, rank_pair, rank_many = size
        rng = np.random.default_rng(1)
        model = random_model(rng, elements=ELEMENTS, n_features=f, n_angular=a, n_interactions=layers, n_hidden=d,
                             n_intervals=64, rank_pair=rank_pair, rank_many=rank_many, sigma=False)  # fmt: skip
        potential = Potential(
            Model(model_bytes(*model, fp32=True)), list(range(arguments.elements)), arguments.precision
        )
        rows.append(seconds_by_pass(potential, rng, arguments.cells, arguments.elements, arguments.repeat))

    title = (
        f"us/atom, {simd_name()}, {arguments.precision}, {arguments.elements} elements, {4 * arguments.cells**3} atoms"
    )
    table = Table("F, A, L, D, ranks", *rows[0], "total", title=title)
    for size, row in zip(SIZES, rows, strict=True):
        cells = [f"{row.get(name, 0.0):.2f}" for name in rows[0]]
        table.add_row(", ".join(map(str, size)), *cells, f"{sum(row.values()):.2f}")
    Console(width=160).print(table)


if __name__ == "__main__":
    main()
