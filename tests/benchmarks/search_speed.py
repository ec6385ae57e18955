"""How fast searches with default settings are on one core, for clusters of 38 atoms, and their time outside LAMMPS.

    python tests/benchmarks/search_speed.py [--only LJ38,EMT,hea6]

The first tenth of each search is left out. CPU seconds; a share of time is that of the seconds on the clock, which
others on the machine stretch alike. Beside it stands what a task takes outside its minimisation, and what the loop
takes around it.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any

from hea_potential.search import emt, search
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")


class Watch:
    """An observer that notes how far a run was after a tenth of its budget, and in the end."""

    def __init__(self, budget: int) -> None:
        self.marks = [budget // 10, budget]
        self.passed: list[tuple[float, ...]] = []

    def __call__(self, run: Run) -> None:
        """Note CPU time, time, minimisations, force calls, seconds of tasks and those of their minimisations."""
        if len(self.passed) < 2 and run.tally.done >= self.marks[len(self.passed)]:
            tally, now = run.tally, (time.process_time(), time.perf_counter())
            self.passed.append((*now, tally.done, tally.calls, tally.seconds, tally.quench_seconds))


def report(name: str, formula: str, budget: int, **options: Any) -> None:
    """Search once and print its line."""
    watch = Watch(budget)
    with tempfile.TemporaryDirectory() as folder:
        search(formula, budget=budget, seed=1, observers=[watch], out=Path(folder) / "run", **options)
    cpu, clock, done, calls, tasks, quenches = (b - a for a, b in zip(*watch.passed, strict=True))
    print(
        f"{name:5s} {formula:22s} {done / cpu:8.1f} minimisations and {calls / cpu:8.0f} force calls a second; "
        f"{calls / done:5.0f} calls each; outside LAMMPS {100 * (1 - quenches / clock):4.1f} % of the time: "
        f"{1e6 * (tasks - quenches) / done:6.0f} us of a task, {1e6 * (clock - tasks) / done:6.0f} us of the loop",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="LJ38,EMT,hea6")
    wanted = parser.parse_args().only.split(",")
    if "LJ38" in wanted:
        report("LJ38", "Ar38", 2000, pair=LENNARD_JONES)
    if "EMT" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            report("EMT", "Cu19Au19", 1000, pair=emt.pair(("Cu", "Au"), Path(folder)))
    if "hea6" in wanted:
        report("hea6", "Cu19Ni19", 200)
        report("hea6", "Ni7Cu7Pd6Ag6Pt6Au6", 200)


if __name__ == "__main__":
    main()
