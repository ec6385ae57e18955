"""Calculations of the reference until the best known minimum: the mode gofee, the plain loop, and AGOX's GOFEE.

    python tests/benchmarks/gofee.py [--formula Cu10Ni5] [--repeats 5] [--calls 200] [--agox PYTHON] [--plain 1]
        [--nothing 3]

The reference is ASE's effective medium theory, and every calculation of it counts (`counted_emt`), those of isolated
atoms, of starts and of relaxations by the reference as well. Reached means that a calculation gave an energy within
0.02 eV of the best minimum that a long search of the same surface finds (`hea_potential.search.emt`). The mean is that
of all calculations over the number of runs that reached it: a lower bound where none did. PYTHON is the interpreter of
an environment with `agox==3.11.1`, `ase<3.28` and `numpy<2.3`, which it needs. Runs:

- `gofee, hea6`: begins with the shipped model, which was trained on another reference, and two isolated atoms;
- `gofee, nothing`: begins with isolated atoms, dimers and four random clusters of one and of two elements;
- `plain, nothing`: the plain loop with default settings, which relaxes what it labels with the reference;
- `AGOX`: the GOFEE of its documentation with default settings, `peers/agox_gofee.py`;
- `search`: no model, our search on the surface itself; each force call of its minimisations counts.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ase import Atoms
from ase.calculators.emt import EMT
from ase.optimize import BFGS
from hea_training.meta_loop import run_loop
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.state import Watcher

from hea_potential.search import Composition, emt, search
from hea_potential.search.state import Run

HERE = Path(__file__).parent
WITHIN = 0.02  # eV
QUENCHES = 2000  # of the long search


@dataclass(frozen=True)
class Trace:
    """One run: how many calculations it needed (None: did not reach the minimum), and how many it did."""

    needed: int | None
    done: int


class EnoughError(Exception):
    """Ends a loop."""


class Ending(Watcher):
    """Ends a loop when the target is reached, or there were enough calculations."""

    def __init__(self, log: Path, target: float, calls: int, size: int) -> None:
        self.log, self.target, self.calls, self.size = log, target, calls, size

    def ends(self, line: dict[str, Any]) -> None:
        """After every step."""
        trace = trace_of(self.log, self.target, self.size)
        if trace.needed is not None or trace.done >= self.calls:
            raise EnoughError


def trace_of(log: Path, target: float, size: int) -> Trace:
    """What `counted_emt` wrote down."""
    lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
    hits = [k for k, (_, atoms, energy) in enumerate(lines, start=1) if int(atoms) == size and float(energy) <= target]
    return Trace(hits[0] if hits else None, len(lines))


@contextmanager
def counting() -> Iterator[Path]:
    """The file of the calculations from here on, also of processes that are started."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COUNTED_EMT"] = str(Path(folder) / "calculations")
        yield Path(os.environ["COUNTED_EMT"])


def best_of(formula: str) -> float:
    """Energy of the best minimum of a long search, relaxed by ASE."""
    composition = Composition.parse(formula)
    with tempfile.TemporaryDirectory() as folder:
        archive = search(formula, pair=emt.pair(composition.symbols, Path(folder)), budget=QUENCHES, seed=0)
    assert archive is not None
    first, second = archive.lowest(2)
    print(f"{formula}: best {first.energy:.4f} eV, found {first.hits} times; the next is {second.energy:.4f} eV")
    atoms = Atoms(composition.names(first.cluster.types), positions=first.cluster.positions, calculator=EMT())
    BFGS(atoms, logfile=None).run(fmax=0.005)
    return float(atoms.get_potential_energy())


def loop_run(document: dict[str, Any], target: float, calls: int, size: int) -> Trace:
    """A meta loop until the target or the calls."""
    with counting() as log, tempfile.TemporaryDirectory() as folder:
        config = config_of({"reference": "counted_emt:calculator", "loops": 1} | document, "benchmark", Path(folder))
        with suppress(EnoughError):
            run_loop(config, Path(folder) / "run", Ending(log, target, calls, size))
        return trace_of(log, target, size)


def settings(formula: str, seed: int, mode: str, **tables: dict[str, Any]) -> dict[str, Any]:
    """A loop's configuration."""
    elements = list(Composition.parse(formula).symbols)
    return {"elements": elements, "mode": mode, "seed": seed, "compositions": {"listed": [formula]}, **tables}


def gofee_from_hea6(formula: str, seed: int, target: float, calls: int, size: int) -> Trace:
    """The mode gofee that begins with the shipped model."""
    document = settings(formula, seed, "gofee", start={"model": "hea6"}, gofee={"steps": calls})
    return loop_run(document, target, calls, size)


def gofee_from_nothing(formula: str, seed: int, target: float, calls: int, size: int) -> Trace:
    """The mode gofee that begins with few labels alone."""
    start = {"dimers": 4, "clusters": 4, "relax": 0}
    document = settings(formula, seed, "gofee", start=start, gofee={"steps": calls})
    return loop_run(document, target, calls, size)


def plain_from_nothing(formula: str, seed: int, target: float, calls: int, size: int) -> Trace:
    """The plain loop."""
    return loop_run(settings(formula, seed, "plain") | {"loops": 10}, target, 10 * calls, size)


def searched(formula: str, seed: int, target: float, calls: int, size: int) -> Trace:
    """Our search on the reference itself."""
    runs: list[Run] = []
    composition = Composition.parse(formula)
    with tempfile.TemporaryDirectory() as folder:
        pair = emt.pair(composition.symbols, Path(folder))
        search(formula, pair=pair, force_calls=1000 * calls, target=target, seed=seed, observers=[runs.append])
    run = runs[-1]
    return Trace(run.tally.calls if run.target_reached else None, run.tally.calls)


def agox(python: str) -> Callable[[str, int, float, int, int], Trace]:
    """AGOX's GOFEE by the interpreter of its environment."""

    def run(formula: str, seed: int, target: float, calls: int, size: int) -> Trace:
        with counting() as log:
            command = [python, str(HERE / "peers" / "agox_gofee.py"), formula, str(seed), str(calls), str(target)]
            environment = {**os.environ, "PYTHONPATH": str(HERE)}
            ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
            trace = trace_of(log, target, size)
        if trace.needed is None and trace.done < calls:
            sys.exit(f"AGOX failed after {trace.done} calculations: {ended.stderr[-2000:]}")
        return trace

    return run


def report(name: str, traces: list[Trace], reference: float | None) -> float:
    """Print a program's line; returns its mean."""
    needed = [trace.needed for trace in traces if trace.needed is not None]
    mean = sum(trace.needed or trace.done for trace in traces) / max(len(needed), 1)
    each = f", each {', '.join(map(str, sorted(needed)))}" if needed else ""
    middle = f"median {statistics.median(needed):g}, " if needed else ""
    ratio = "" if reference is None else f", {mean / reference:.1f} times that of gofee from hea6"
    bound = "" if needed else "above "
    print(
        f"{name:16s} reached in {len(needed)} of {len(traces)} runs{each}; {middle}mean {bound}{mean:.1f}{ratio}",
        flush=True,
    )
    return mean


def main() -> None:
    """Run all and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formula", default="Cu10Ni5")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--calls", type=int, default=200, help="most calculations of a run; ten times as many of plain")
    parser.add_argument("--agox", help="python of its environment")
    parser.add_argument("--plain", type=int, default=1, help="runs of the plain loop")
    parser.add_argument("--nothing", type=int, default=3, help="runs of the mode gofee from nothing")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])  # of label processes
    size = Composition.parse(options.formula).size
    target = best_of(options.formula) + WITHIN
    programs: list[tuple[str, Callable[[str, int, float, int, int], Trace], int]] = [
        ("gofee, hea6", gofee_from_hea6, options.repeats),
        ("search", searched, options.repeats),
        ("gofee, nothing", gofee_from_nothing, options.nothing),
        ("plain, nothing", plain_from_nothing, options.plain),
    ]
    if options.agox:
        programs.append(("AGOX", agox(options.agox), options.repeats))
    reference = None
    for name, program, repeats in programs:
        traces = [program(options.formula, seed, target, options.calls, size) for seed in range(1, repeats + 1)]
        mean = report(name, traces, reference) if traces else None
        reference = reference or mean


if __name__ == "__main__":
    main()
