"""Whether independent searches of alloy clusters agree: lowest energies of several seeds, minimisations and seconds.

    python tests/benchmarks/search_alloys.py [FORMULA ...] [--budget 5000] [--seeds 5] [--out runs/alloys]

The budget is reached in steps, each twice the one before: a table is printed after each, and runs in `--out` go on when
the script is started again with a larger budget. A seed is a hit if its lowest energy is within 5 meV of the lowest of
all; seconds are processor seconds of this call. One core; several calls with other formulas share the work.
"""

import argparse
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

from rich.console import Console
from rich.table import Table

from hea_potential.search import Archive, search
from hea_potential.search.state import Run

FORMULAS = (
    "Cu19Ni19",
    "Ag32Cu6",
    "Au43Pd12",
    "Au42Pd13",
    "Au30Pd25",
    "Ni7Cu7Pd6Ag6Pt6Au6",
    "Ni4Cu10Pd6Ag4Pt8Au6",
)
CLOSE = 0.005  # eV
FIRST_STEP = 125


class Trial:
    """The search of one composition with one seed, as far as it has come."""

    def __init__(self, formula: str, seed: int, model: str, out: Path) -> None:
        self.formula = formula
        self.seed = seed
        self.model = model
        self.folder = out / formula / str(seed)
        self.seconds = 0.0
        self.archive: Archive | None = None
        self.run: Run | None = None

    def go_on(self, budget: int) -> None:
        """Bring the search to a number of minimisations in all."""
        began = time.process_time()
        self.archive = search(
            self.formula, budget=budget, seed=self.seed, model=self.model, out=self.folder, observers=[self.watch]
        )
        self.seconds += time.process_time() - began

    def watch(self, run: Run) -> None:
        """Keep the state of the run."""
        self.run = run

    @property
    def energy(self) -> float:
        """The lowest energy that was found, eV."""
        assert self.archive is not None
        assert self.archive.best is not None
        return self.archive.best.energy

    @property
    def quenches(self) -> int:
        """Minimisations done."""
        assert self.run is not None
        return self.run.tally.done

    @property
    def found_at(self) -> int:
        """The minimisation that found the lowest energy."""
        assert self.archive is not None
        assert self.archive.best is not None
        return self.archive.best.task + 1


def table_of(trials: list[Trial], budget: int) -> Table:
    """One row for each composition."""
    table = Table(title=f"{budget} minimisations a seed")
    for heading in ("composition", "lowest, eV", "hits", "above it, meV, by seed", "found at", "minimisations", "s"):
        table.add_column(heading, justify="left" if heading == "composition" else "right")
    for formula in dict.fromkeys(trial.formula for trial in trials):
        same = [trial for trial in trials if trial.formula == formula]
        lowest = min(trial.energy for trial in same)
        above = [1000.0 * (trial.energy - lowest) for trial in same]
        hits = sum(gap <= 1000.0 * CLOSE for gap in above)
        table.add_row(
            formula,
            f"{lowest:.4f}",
            f"{hits}/{len(same)}",
            " ".join(f"{gap:.0f}" for gap in above),
            " ".join(str(trial.found_at) for trial in same),
            f"{sum(trial.quenches for trial in same)}",
            f"{sum(trial.seconds for trial in same):.0f}",
        )
    return table


def main() -> int:
    """Search, step by step, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("formulas", nargs="*", default=FORMULAS, metavar="FORMULA")
    parser.add_argument("--budget", type=int, default=5000, help="minimisations a seed")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--model", default="hea6")
    parser.add_argument("--out", type=Path, default=Path("runs/alloys"))
    arguments = parser.parse_args()
    seeds = range(1, arguments.seeds + 1)
    trials = [Trial(formula, seed, arguments.model, arguments.out) for formula in arguments.formulas for seed in seeds]
    budget = min(FIRST_STEP, arguments.budget)
    while True:
        for trial in trials:
            trial.go_on(budget)
        Console(width=150).print(table_of(trials, budget))
        if budget == arguments.budget:
            return 0
        budget = min(2 * budget, arguments.budget)


if __name__ == "__main__":
    sys.exit(main())
