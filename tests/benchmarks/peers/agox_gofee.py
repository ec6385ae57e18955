"""GOFEE of AGOX for `gofee.py`, its documentation's example with default settings; runs where AGOX is installed.

    python agox_gofee.py FORMULA SEED CALLS TARGET

It ends after so many reference calls, which are written to the file that COUNTED_EMT names (see `counted_emt`, whose
folder must be on PYTHONPATH), or when an energy is below the target.
"""

from __future__ import annotations

import os
import sys
import tempfile
from typing import Any

import matplotlib as mpl

mpl.use("Agg")

import numpy as np
from agox.algorithms import GOFEEConfig, ProblemConfig, RunConfig, create_search
from ase import Atoms
from counted_emt import CountedEMT

CELL, CONFINEMENT, EXAMPLE = 20.0, 10.0, 16  # A and atoms, of the example


class Ending(CountedEMT):
    """Ends the program when there were enough calculations, or the target is reached."""

    def __init__(self, calls: int, target: float) -> None:
        super().__init__()
        self.calls_left = calls
        self.target = target

    def calculate(self, *arguments: Any, **options: Any) -> None:
        """Calculate, and see whether it is over."""
        super().calculate(*arguments, **options)
        self.calls_left -= 1
        if self.calls_left == 0 or self.results["energy"] < self.target:
            raise SystemExit(0)


def main(formula: str, seed: int, calls: int, target: float) -> None:
    """Search until there were enough calls; the box has as much room for an atom as the example's."""
    side = CONFINEMENT * (len(Atoms(formula)) / EXAMPLE) ** (1 / 3)
    problem = ProblemConfig(
        template=Atoms(cell=np.eye(3) * CELL),
        symbols=formula,
        calculator=Ending(calls, target),
        confinement_cell=np.eye(3) * side,
        confinement_corner=np.full(3, 0.5 * (CELL - side)),
    )
    search = create_search(algorithm=GOFEEConfig(), problem=problem, run=RunConfig(seed=seed, cpu_count=1))
    search.run(iterations=10**9)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        os.chdir(scratch)
        main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
