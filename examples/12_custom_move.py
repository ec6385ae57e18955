"""A search from Python with a move of one's own, on a pool of processes: shells that turn against each other.

A move is a function of a random generator, its parents and the bond lengths of the pair style. It returns a cluster of
the same composition, which is minimised like any other. It must be importable, because it travels to the workers.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np

from hea_potential.search import search
from hea_potential.search.geometry import Cluster, Floats, random_rotation
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.shells import onion, shells_of
from hea_potential.search.state import Run


def turn_shell(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    (parent,) = parents
    outermost = shells_of(parent, bonds) == 0
    turned = parent.positions @ random_rotation(rng)
    return Cluster(parent.types, np.where(outermost[:, None], turned, parent.positions))


def follow(run: Run) -> None:
    if run.ended is None:  # it is called after every change
        return
    record = run.method.records["turn_shell"]
    print(
        f"{run.archive.composition.formula}: {record.successes} of {record.uses} turned shells entered the population"
    )
    for minimum in run.archive.lowest(3):
        print(f"  {minimum.energy:.4f} eV  {onion(minimum.cluster, run.setup.bond_lengths, run.archive.composition)}")


if __name__ == "__main__":
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        archives = search(
            ["Ni6Pd7", "Ni7Pd12"],
            budget=120,
            seed=1,
            moves={**MOVES, "turn_shell": Move(turn_shell)},
            executor=pool,
            workers=2,
            observers=[follow],
        )
    print(f"{sum(map(len, archives.values()))} distinct minima in all")
