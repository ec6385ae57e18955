"""How fast searches with default settings are on one core, for clusters of 38 atoms, and their time outside LAMMPS.

    python tests/benchmarks/search_speed.py [--only LJ38,EMT,hea6]

All of it is CPU time of one process, which others on the machine cannot stretch; the first tenth of each search is
left out, and so is what taking the time takes. Searches are long enough for their database to be written several
times. In LAMMPS is what minimisations take, from the candidate's positions to those of the minimum. With hea6 the
engine also calculates energies outside LAMMPS: of orderings on a fixed or slightly relaxed geometry, for moves that
look for the best one. These calls are counted apart, and two shares are printed: of all that is outside LAMMPS, and of
what is no calculation of energies at all. Beside it stands where the latter goes.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hea_potential.search import emt, homotops, loop, search, tasks
from hea_potential.search.minimise import Minimiser
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")


# What is timed; what one part does inside another counts for the inner one alone.
PARTS: tuple[tuple[str, Any, str], ...] = (
    ("LAMMPS", Minimiser, "__call__"),
    ("engine", homotops, "descend"),
    ("engine", homotops, "settled"),
    ("engine", homotops, "learnt"),
    ("candidates", tasks, "made"),
    ("records", loop, "absorb"),
    ("records", loop.Books, "write"),
)


@dataclass
class Watch:
    """An observer that notes how far a run was after a tenth of its budget, and in the end."""

    budget: int
    spent: Counter[str] = field(default_factory=Counter)
    timings: int = 0
    passed: list[Counter[str]] = field(default_factory=list)
    inside: float = 0.0

    def __call__(self, run: Run) -> None:
        """Note CPU seconds, in all and of parts, minimisations and force calls."""
        if len(self.passed) < 2 and run.tally.done >= (self.budget // 10, self.budget)[len(self.passed)]:
            here = Counter({"cpu": time.process_time(), "done": run.tally.done, "calls": run.tally.calls})
            here["timings"] = self.timings
            self.passed.append(here + self.spent)

    def timed(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """A function whose CPU time is added up under a name."""

        def wrapper(*arguments: object, **options: object) -> Any:
            self.timings += 1
            outer, self.inside = self.inside, 0.0
            began = time.process_time()
            try:
                return function(*arguments, **options)
            finally:
                took = time.process_time() - began
                self.spent[name] += took - self.inside
                self.inside = outer + took

        return wrapper

    def between(self) -> Counter[str]:
        """What was added from mark to mark."""
        first, last = self.passed
        return Counter({name: last[name] - first[name] for name in last})


def cost_of_timing(count: int = 100_000) -> float:
    """CPU seconds by which a timed call is longer than what it finds."""

    def nothing() -> None:
        pass

    watch = Watch(0)
    timed = watch.timed("nothing", nothing)
    seconds = []
    for function in (nothing, timed):
        began = time.process_time()
        for _ in range(count):
            function()
        seconds.append(time.process_time() - began)
    without, with_timing = seconds
    return (with_timing - without - watch.spent["nothing"]) / count


def report(name: str, formula: str, budget: int, **options: Any) -> None:
    """Search once and print its lines."""
    watch = Watch(budget)
    originals = [getattr(owner, attribute) for _, owner, attribute in PARTS]
    for (part, owner, attribute), original in zip(PARTS, originals, strict=True):
        setattr(owner, attribute, watch.timed(part, original))
    try:
        with tempfile.TemporaryDirectory() as folder:
            search(formula, budget=budget, seed=1, observers=[watch], out=Path(folder) / "run", **options)
    finally:
        for (_, owner, attribute), original in zip(PARTS, originals, strict=True):
            setattr(owner, attribute, original)
    spent = watch.between()
    cpu, done, calls = spent["cpu"] - spent["timings"] * cost_of_timing(), spent["done"], spent["calls"]
    outside = cpu - spent["LAMMPS"]
    rest = outside - spent["engine"]
    other = rest - spent["candidates"] - spent["records"]
    print(
        f"{name:5s} {formula:22s} {done / cpu:7.1f} minimisations and {calls / cpu:8.0f} force calls a second, "
        f"{calls / done:3.0f} calls each; outside LAMMPS {100 * outside / cpu:4.1f} % of the time, "
        f"{100 * rest / cpu:4.1f} % without the engine's scans"
    )
    print(
        f"      a task: LAMMPS {1e6 * spent['LAMMPS'] / done:.0f} us, engine {1e6 * spent['engine'] / done:.0f}, "
        f"making candidates {1e6 * spent['candidates'] / done:.0f}, archive, journal and database "
        f"{1e6 * spent['records'] / done:.0f}, all else {1e6 * other / done:.0f}",
        flush=True,
    )


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="LJ38,EMT,hea6")
    wanted = parser.parse_args().only.split(",")
    if "LJ38" in wanted:
        report("LJ38", "Ar38", 10000, pair=LENNARD_JONES)
    if "EMT" in wanted:
        with tempfile.TemporaryDirectory() as folder:
            report("EMT", "Cu19Au19", 6000, pair=emt.pair(("Cu", "Au"), Path(folder)))
    if "hea6" in wanted:
        report("hea6", "Cu19Ni19", 200)
        report("hea6", "Ni7Cu7Pd6Ag6Pt6Au6", 200)


if __name__ == "__main__":
    main()
