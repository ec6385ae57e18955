"""A search by AGOX for `search_peers.py`, its example of basin hopping of a cluster; runs where AGOX is installed.

    python agox_search.py FORMULA SEED SECONDS

Each relaxed candidate is a line: `candidate`, CPU seconds since the beginning, energy in eV. What AGOX
prints goes to standard error.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from agox import AGOX
from agox.databases import Database
from agox.environments import Environment
from agox.evaluators import LocalOptimizationEvaluator
from agox.generators import RattleGenerator
from agox.samplers import MetropolisSampler
from ase import Atoms
from ase.calculators.emt import EMT

TEMPERATURE = 0.25  # eV
FMAX, STEPS = 0.05, 100  # the example says: 5 steps are for a demonstration, use 100 or more
CELL = 20.0  # A
CONFINEMENT = 12.0  # A; the example's 6 A are for 16 atoms


class Reporting(LocalOptimizationEvaluator):
    """Prints each candidate when it is relaxed, and ends the program when the time is up."""

    def __init__(self, *arguments: object, seconds: float, **options: object) -> None:
        super().__init__(*arguments, **options)
        self.seconds = seconds
        self.began = time.process_time()

    def evaluate_candidate(self, candidate: Atoms) -> bool:
        """Relax one candidate."""
        done = super().evaluate_candidate(candidate)
        spent = time.process_time() - self.began
        if done:
            print(
                f"candidate {spent:.3f} {candidate.get_potential_energy(apply_constraint=False):.6f}",
                file=OUTPUT,
                flush=True,
            )
        if spent > self.seconds:
            raise SystemExit(0)
        return done


def main(formula: str, seed: int, seconds: float, folder: Path) -> None:
    """Hop between basins until the time is up."""
    environment = Environment(
        template=Atoms("", cell=np.eye(3) * CELL),
        symbols=formula,
        confinement_cell=np.eye(3) * CONFINEMENT,
        confinement_corner=np.full(3, 0.5 * (CELL - CONFINEMENT)),
    )
    sampler = MetropolisSampler(temperature=TEMPERATURE, order=3)
    evaluator = Reporting(
        EMT(),
        gets={"get_key": "candidates"},
        store_trajectory=False,
        optimizer_run_kwargs={"fmax": FMAX, "steps": STEPS},
        order=2,
        constraints=environment.get_constraints(),
        seconds=seconds,
    )
    generator = RattleGenerator(**environment.get_confinement(), environment=environment, sampler=sampler, order=1)
    database = Database(filename=str(folder / "agox.db"), order=4)
    AGOX(generator, database, sampler, evaluator, seed=seed).run(N_iterations=10**9)


if __name__ == "__main__":
    OUTPUT = sys.stdout
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(sys.stderr):
        os.chdir(scratch)  # AGOX leaves pictures where it runs
        main(sys.argv[1], int(sys.argv[2]), float(sys.argv[3]), Path(scratch))
