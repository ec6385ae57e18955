"""What the exchange scan costs, and how well cheaper estimates rank swaps, on relaxed alloy clusters.

    python tests/benchmarks/exchange_scan.py [--model hea6]

Times are microseconds of processor time on one core, in single precision: an energy call and a force call of the
engine, a swap of the complete scan, and all substitutions, which rank swaps (one for each atom and other element). Rank
correlations (Spearman) are with the energies of all swaps: of the sums of two substitutions, and of the gradient of the
energy by the embeddings, dE/da_i . (a_B - a_A) + dE/da_j . (a_A - a_B), in torch's double precision (extra `train`).
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from ase import Atoms
from ase.cluster import Icosahedron
from ase.optimize import LBFGS
from numpy.typing import NDArray
from rich.console import Console
from rich.table import Table
from scipy.stats import spearmanr

from hea_potential import HEACalculator, clusters
from hea_potential.engine import ExchangeScan, Model, Potential
from hea_potential.model_file import find_model, read_model_file

Floats = NDArray[np.float64]
CLUSTERS = (
    ("Cu", "Ni", 38),
    ("Ag", "Cu", 38),
    ("Au", "Pd", 55),
    ("Ni", "Pt", 55),
    ("Ag", "Pd", 147),
    ("Ni", "Cu", "Pd", "Ag", "Pt", "Au", 38),
    ("Ni", "Cu", "Pd", "Ag", "Pt", "Au", 55),
)


def relaxed_cluster(symbols: tuple[str, ...], size: int, calculator: HEACalculator) -> Atoms:
    """A piece of an icosahedron with equal shares of the elements in random places, relaxed."""
    shells = next(k for k in range(2, 9) if len(Icosahedron("Cu", k)) >= size)
    atoms = Icosahedron("Cu", shells)
    outwards = np.argsort(np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1), kind="stable")
    atoms = atoms[outwards[:size]]
    atoms.symbols = np.random.default_rng(1).permutation([symbols[k % len(symbols)] for k in range(size)])
    atoms.calc = calculator
    LBFGS(atoms, logfile=None).run(fmax=0.02, steps=500)
    return atoms


def microseconds(work: Callable[[], object], seconds: float = 0.3) -> float:
    """The least processor time of a call, over about `seconds` of calls and at least three."""
    durations: list[float] = []
    while len(durations) < 3 or sum(durations) < seconds:
        began = time.process_time()
        work()
        durations.append(time.process_time() - began)
    return 1e6 * min(durations)


class OfAtoms:
    """Rows of atoms in place of a table by element."""

    def __init__(self, rows: Any) -> None:
        self.rows = rows

    def __getitem__(self, species: Any) -> Any:
        return self.rows


def embedding_gradient(atoms: Atoms, model: str) -> Floats:
    """The slope of the energy towards each element's embedding, all else of an atom kept as it is; shape (n, S)."""
    import torch
    from hea_training.graph import Graphs
    from hea_training.model import TorchModel

    oracle = TorchModel(read_model_file(find_model(model)))
    network = oracle.network
    graphs = Graphs.build(oracle.arch.elements, oracle.arch.cutoff, [atoms], [0.0], [np.zeros((len(atoms), 3))])
    graphs.set_offsets(oracle.tensors["e0"], oracle.tensors["zbl.inner"], oracle.tensors["zbl.outer"])
    batch = graphs.batch(np.zeros(1, dtype=np.int64), dtype=torch.float64)
    # Every atom gets an embedding of its own; lone atoms keep theirs.
    by_element, isolated = network.embedding.detach(), network.isolated()
    own = by_element[batch.species].requires_grad_(True)
    del network.embedding
    network.embedding = OfAtoms(own)
    network.isolated = lambda: isolated
    features = network.features(batch, oracle.filters)[0]
    (gradient,) = torch.autograd.grad((features * network.head_out[batch.species]).sum(), own)
    towards = torch.einsum("if,isf->is", gradient, by_element[None] - own.detach()[:, None])
    slopes = np.empty(towards.shape)
    slopes[np.argsort(graphs.species, kind="stable")] = towards.numpy()
    return slopes


def row_of(symbols: tuple[str, ...], size: int, name: str, calculator: HEACalculator) -> list[str]:
    """Measure one cluster."""
    atoms = relaxed_cluster(symbols, size, calculator)
    model = Model(find_model(name))
    elements = [model.elements.index(symbol) for symbol in symbols]
    types = np.array([symbols.index(symbol) for symbol in atoms.symbols], dtype=np.int32)
    edges = clusters.half_edges(atoms.positions, model.cutoff)
    potential, scan = (engine(model, elements, "single") for engine in (Potential, ExchangeScan))
    energy_call = microseconds(lambda: potential.evaluate(types, *edges, forces=False))
    force_call = microseconds(lambda: potential.evaluate(types, *edges))

    scan.place(*edges)
    energy = scan.order(types)
    pairs = scan.unlike_pairs()

    def all_swaps() -> Floats:
        scan.order(types)  # forgets what earlier calls computed
        return scan.exchanges(pairs)

    def all_substitutions() -> Floats:
        scan.order(types)
        return scan.substitutions()

    swaps, substitutions = all_swaps() - energy, all_substitutions() - energy
    swap = microseconds(all_swaps) / len(pairs)
    ranking = microseconds(all_substitutions)
    slopes = embedding_gradient(atoms, name)[:, elements]
    i, j = pairs.T
    estimates = [of[i, types[j]] + of[j, types[i]] for of in (substitutions, slopes)]
    correlations = [f"{spearmanr(swaps, estimate)[0]:.3f}" for estimate in estimates]
    times = [f"{x:.0f}" for x in (energy_call, force_call)]
    return [
        f"{atoms.symbols.formula:metal}",
        *times,
        f"{len(pairs)}",
        f"{swap:.1f}",
        f"{energy_call / swap:.1f}",
        f"{ranking:.0f}",
        f"{swap * len(pairs) / ranking:.1f}",
        *correlations,
    ]


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="hea6")
    arguments = parser.parse_args()
    calculator = HEACalculator(arguments.model)
    table = Table(title="Exchange scan of relaxed clusters: microseconds, and rank correlations with swap energies")
    headings = ("", "energy", "forces", "swaps", "a swap", "energy / swap", "ranking", "all swaps / ranking")
    for heading in (*headings, "rho, substitutions", "rho, embeddings"):
        table.add_column(heading, justify="right" if heading else "left")
    for *symbols, size in CLUSTERS:
        table.add_row(*row_of(tuple(symbols), size, arguments.model, calculator))
    Console(width=140).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
