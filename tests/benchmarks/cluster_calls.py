"""Milliseconds per force call of clusters in ASE: HEACalculator, SpkCalculator and EMT, in one run on one core.

    python tests/benchmarks/cluster_calls.py [--model hea6]

The SpkCalculator runs a stock SchNetPack SchNet of the same features, interactions and cutoff (random weights: the time
does not depend on them), as SchNetPack evaluates it. Atoms move a little before every call, as in a relaxation.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron
from rich.console import Console
from rich.table import Table

SIZES = (13, 38, 55, 147, 309)
ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")


def cluster(n_atoms: int, rng: np.random.Generator) -> Atoms:
    """Return a six-element cluster of n_atoms: the atoms of an icosahedron nearest to its centre, elements shuffled."""
    shells = next(k for k in range(2, 9) if len(Icosahedron("Pd", k)) >= n_atoms)
    atoms = Icosahedron("Pd", shells)
    nearest = np.argsort(np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1), kind="stable")
    atoms = atoms[nearest[:n_atoms]]
    atoms.symbols = rng.permutation([ELEMENTS[k % len(ELEMENTS)] for k in range(n_atoms)])
    return atoms


def milliseconds_per_call(
    atoms: Atoms, calculator: Calculator, rng: np.random.Generator, seconds: float = 1.0
) -> float:
    """Return the median milliseconds of a force call, over about `seconds` of calls and at least three."""
    atoms = atoms.copy()
    atoms.calc = calculator
    atoms.get_forces()
    durations: list[float] = []
    while len(durations) < 3 or sum(durations) < seconds:
        atoms.positions += rng.normal(scale=0.002, size=atoms.positions.shape)
        start = time.perf_counter()
        atoms.get_forces()
        durations.append(time.perf_counter() - start)
    return float(np.median(durations)) * 1e3


def stock_schnet(folder: Path, n_features: int, n_interactions: int, cutoff: float) -> Calculator:
    """Return SchNetPack's own calculator of a stock SchNet with 25 Gaussians."""
    import schnetpack as spk
    import torch
    from schnetpack.interfaces import SpkCalculator

    torch.set_num_threads(1)
    representation = spk.representation.SchNet(
        n_atom_basis=n_features,
        n_interactions=n_interactions,
        radial_basis=spk.nn.GaussianRBF(n_rbf=25, cutoff=cutoff),
        cutoff_fn=spk.nn.CosineCutoff(cutoff),
    )
    model = spk.model.NeuralNetworkPotential(
        representation=representation,
        input_modules=[spk.atomistic.PairwiseDistances()],
        output_modules=[
            spk.atomistic.Atomwise(n_in=n_features, output_key="energy"),
            spk.atomistic.Forces(energy_key="energy", force_key="forces"),
        ],
    )
    path = folder / "schnet.pt"
    torch.save(model, path)
    return SpkCalculator(
        model_file=str(path),
        neighbor_list=spk.transform.ASENeighborList(cutoff=cutoff),
        energy_unit="eV",
        position_unit="Ang",
    )


def main() -> int:
    """Time every calculator at every size and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="hea6", help="shipped name or path of the model")
    arguments = parser.parse_args()
    from hea_potential import HEACalculator
    from hea_potential.model_file import read_model_file

    rng = np.random.default_rng(1)
    shape = read_model_file(arguments.model).metadata
    table = Table(title="ASE, six-element clusters, one core: milliseconds per force call")
    columns = ("atoms", "hea single", "hea double", "SpkCalculator", "EMT", "Spk / hea single", "EMT / hea single")
    for column in columns:
        table.add_column(column, justify="right")
    with tempfile.TemporaryDirectory() as name:
        calculators = (
            HEACalculator(arguments.model, precision="single"),
            HEACalculator(arguments.model, precision="double"),
            stock_schnet(Path(name), shape["n_features"], shape["n_interactions"], shape["cutoff"]),
            EMT(),
        )
        for size in SIZES:
            atoms = cluster(size, rng)
            single, double, spk_ms, emt_ms = (milliseconds_per_call(atoms, c, rng) for c in calculators)
            row = (f"{single:.3f}", f"{double:.3f}", f"{spk_ms:.2f}", f"{emt_ms:.2f}")
            table.add_row(str(size), *row, f"{spk_ms / single:.1f}", f"{emt_ms / single:.1f}")
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
