"""GOFEE of AGOX for `gofee.py`, its documentation's example with default settings; runs where AGOX is installed.

    python agox_gofee.py FORMULA SEED CALLS TARGET

Each reference call is a line: `call`, CPU seconds since the beginning, energy in eV. It ends after so many calls, or
when an energy is at the target or below. What AGOX prints goes to standard error.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from contextlib import redirect_stdout
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from agox.algorithms import GOFEEConfig, ProblemConfig, RunConfig, create_search
from ase import Atoms
from ase.calculators.emt import EMT

CELL, CONFINEMENT = 20.0, 10.0  # A; those of the example, which has 16 atoms


class Counted(EMT):
    """Effective medium theory that prints every call and ends the program when there were enough."""

    def __init__(self, calls: int, target: float) -> None:
        super().__init__()
        self.calls_left = calls
        self.target = target
        self.began = time.process_time()

    def calculate(self, *arguments: Any, **options: Any) -> None:
        """Calculate, and print the energy."""
        super().calculate(*arguments, **options)
        energy = self.results["energy"]
        print(f"call {time.process_time() - self.began:.3f} {energy:.6f}", file=OUTPUT, flush=True)
        self.calls_left -= 1
        if self.calls_left == 0 or energy <= self.target:
            raise SystemExit(0)


def main(formula: str, seed: int, calls: int, target: float) -> None:
    """Search until there were enough calls."""
    problem = ProblemConfig(
        template=Atoms(cell=np.eye(3) * CELL),
        symbols=formula,
        calculator=Counted(calls, target),
        confinement_cell=np.eye(3) * CONFINEMENT,
        confinement_corner=np.full(3, 0.5 * (CELL - CONFINEMENT)),
    )
    search = create_search(algorithm=GOFEEConfig(), problem=problem, run=RunConfig(seed=seed, cpu_count=1))
    search.run(iterations=10**9)


if __name__ == "__main__":
    OUTPUT = sys.stdout
    with tempfile.TemporaryDirectory() as scratch, redirect_stdout(sys.stderr):
        os.chdir(scratch)
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
