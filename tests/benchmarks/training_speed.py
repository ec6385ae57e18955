"""Structures a second of training on one core: hea_training against the stock SchNetPack SchNet, on the same batches.

    python tests/benchmarks/training_speed.py [--data training/hea6/hea6.h5] [--seconds 20]

Both learn energies and forces from the same structures in single precision with the same loss and optimiser.
SchNetPack's SchNet (same features, interactions and cutoff; no angular features) is trained as its own task does:
forces by automatic differentiation with a graph, then a backward pass through that graph.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from hea_training.baseline import stock_gradient, stock_schnet
from hea_training.filters import Filters, first_free_control
from hea_training.fit import Settings, step
from hea_training.graph import Batch, Graphs
from hea_training.network import Architecture
from hea_training.strata import load_network, start
from rich.console import Console
from rich.table import Table

from hea_potential.dataset import read_dataset

ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
DATA = Path(__file__).parents[2] / "training" / "hea6" / "hea6.h5"


def structures_per_second(
    gradient: Callable[[Batch], object], model: torch.nn.Module, batches: list[Batch], seconds: float
) -> float:
    """Return how many structures a second the gradient and an AdamW step take, over about `seconds`."""
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-4, fused=True)
    done, began = 0, 0.0
    for k in range(1_000_000):
        batch = batches[k % len(batches)]
        optimizer.zero_grad(set_to_none=True)
        gradient(batch)
        optimizer.step()
        if k < 2:  # warm up
            done, began = 0, time.perf_counter()
            continue
        done += len(batch.sizes)
        if time.perf_counter() - began > seconds:
            break
    return done / (time.perf_counter() - began)


def main() -> int:
    """Time both on the same batches and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--seconds", type=float, default=20.0)
    parser.add_argument("--batch-size", type=int, default=32)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    settings = Settings(batch_size=arguments.batch_size)
    dataset = read_dataset(arguments.data)
    rng = np.random.default_rng(1)
    small = rng.permutation(len(dataset))[:3000]
    atoms = np.flatnonzero(dataset.kind.astype(str) == "atom")
    chosen = np.zeros(len(dataset), dtype=bool)
    chosen[small] = chosen[atoms] = True
    dataset = dataset.select(chosen)

    atoms_each = len(dataset.numbers) / len(dataset)
    table = Table(title=f"training on one core, batches of {arguments.batch_size}, {atoms_each:.0f} atoms a structure")
    for column in ("model", "structures/s", "against stock SchNetPack"):
        table.add_column(column, justify="left" if column == "model" else "right")
    rows: dict[str, float] = {}
    for name, layers, angular in (("F=64, L=3, A=0", 3, 0), ("F=64, L=2, A=16 (hea6)", 2, 16)):
        arch = Architecture(ELEMENTS, n_interactions=layers, n_angular=angular)
        graphs = Graphs.of(dataset, arch.elements, arch.cutoff)
        tensors = start(arch, graphs, seed=1)
        graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
        order = rng.permutation(len(graphs))
        batches = [graphs.batch(order[k : k + arguments.batch_size]) for k in range(0, 1600, arguments.batch_size)]
        network = load_network(arch, tensors)
        free = first_free_control(arch, tensors["distance.min"])
        filters = Filters(arch, torch.from_numpy(tensors["filters"]), list(range(arch.n_pairs)), free)
        together = torch.nn.ModuleList([network, filters])
        rows[f"hea {name}"] = structures_per_second(
            lambda batch, n=network, f=filters: step(n, f, batch, settings), together, batches, arguments.seconds
        )
        stock = stock_schnet(arch, tensors["e0"])
        stock.do_postprocessing = False
        rows[f"SchNetPack SchNet F=64, L={layers}"] = structures_per_second(
            lambda batch, s=stock: stock_gradient(s, batch, ELEMENTS, settings), stock, batches, arguments.seconds
        )
    for name, speed in rows.items():
        layers_of = "L=3" if "L=3" in name else "L=2"
        table.add_row(name, f"{speed:.0f}", f"{speed / rows[f'SchNetPack SchNet F=64, {layers_of}']:.1f}")
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
