"""Calculations of the reference until the best known minimum: the mode gofee, the plain loop, and AGOX's GOFEE.

    python tests/benchmarks/gofee.py [--formula Cu7Ni2] [--repeats 5] [--calls 200] [--agox PYTHON] [--only NAMES]

The reference is ASE's effective medium theory, and every calculation of it counts (`counted_emt`), those of isolated
atoms, of starts and of relaxations by the reference as well. Reached means that a calculation gave an energy below that
of the second lowest minimum of three long searches of the same surface (`hea_potential.search.emt`): whatever relaxes
from there ends in the best. All programs have the same seeds, 1 to so many. A run that has not reached it after so many
calculations (ten times as many for the plain loop) is given up: in the table its calculations are in brackets, in the
median it counts as longer than all others, and the mean is that of all calculations over the number of runs that
reached it, what a user pays who then starts anew. Programs:

- `hea6`: the mode gofee that begins with the shipped model, which was trained on another reference;
- `borrowed`: the same without what hea6 knows of the cluster's elements, which take the part of its others
  (`start.borrow`): how it goes with elements that no model has;
- `nothing`: the mode gofee that begins with isolated atoms, dimers and four random clusters of one and of two elements;
- `plain`: the plain loop with default settings from nothing, which relaxes what it labels with the reference;
- `search`: no model, our search on the surface itself; each force call of its minimisations counts;
- `agox`: the GOFEE of AGOX (`peers/agox_gofee.py`), if PYTHON is given, the interpreter of an environment with
  `agox==3.11.1`, `ase<3.28` and `numpy<2.3`, which it needs. It takes two calculations a step: the structure that it
  chose, and that after one step of relaxation.
"""

from __future__ import annotations

import argparse
import math
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hea_training.meta_loop import run_loop
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.restricted import restricted
from hea_training.meta_loop.state import Watcher
from rich.console import Console
from rich.table import Table

from hea_potential.model_file import read_model_file, write_model_file
from hea_potential.search import Composition, emt, search
from hea_potential.search.state import Run

HERE = Path(__file__).parent
DISTINCT = 1e-3  # eV: minima of energies nearer than this are one
QUENCHES, SEARCHES = 600, 3  # of the long searches, and how many of them


@dataclass(frozen=True)
class Trace:
    """One run: how many calculations it needed (None: did not reach the minimum), and how many it did."""

    needed: int | None
    done: int


Program = Callable[[str, int, float, int, int], Trace]  # formula, seed, target (eV), most calculations, atoms


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
    hits = [k for k, (_, atoms, energy) in enumerate(lines, start=1) if int(atoms) == size and float(energy) < target]
    return Trace(hits[0] if hits else None, len(lines))


@contextmanager
def counting() -> Iterator[Path]:
    """The file of the calculations from here on, also of processes that are started."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["COUNTED_EMT"] = str(Path(folder) / "calculations")
        yield Path(os.environ["COUNTED_EMT"])


def target_of(formula: str) -> float:
    """Energy of the second lowest minimum that long searches find, eV."""
    composition = Composition.parse(formula)
    energies: list[float] = []
    for seed in range(SEARCHES):
        with tempfile.TemporaryDirectory() as folder:
            archive = search(formula, pair=emt.pair(composition.symbols, Path(folder)), budget=QUENCHES, seed=seed)
        assert archive is not None
        found = [minimum.energy for minimum in archive.lowest(20)]
        second = next(energy for energy in found if energy > found[0] + DISTINCT)
        print(f"{formula}: lowest minima {found[0]:.4f} and {second:.4f} eV", flush=True)
        energies += found
    return min(energy for energy in energies if energy > min(energies) + DISTINCT)


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


def gofee_borrowed(formula: str, seed: int, target: float, calls: int, size: int) -> Trace:
    """The mode gofee that begins with the other elements of the shipped model."""
    shipped = read_model_file("hea6")
    others = [symbol for symbol in shipped.elements if symbol not in Composition.parse(formula).symbols]
    with tempfile.TemporaryDirectory() as folder:
        write_model_file(model := Path(folder) / "others.safetensors", restricted(shipped, others))
        start = {"model": str(model), "borrow": True}
        return loop_run(settings(formula, seed, "gofee", start=start, gofee={"steps": calls}), target, calls, size)


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


def agox(python: str) -> Program:
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


PROGRAMS: dict[str, Program] = {
    "hea6": gofee_from_hea6,
    "borrowed": gofee_borrowed,
    "nothing": gofee_from_nothing,
    "plain": plain_from_nothing,
    "search": searched,
}


def median(traces: list[Trace]) -> str:
    """Of the calculations needed; runs that were given up are longer than all others."""
    needed = sorted(trace.needed or math.inf for trace in traces)
    middle = needed[(len(needed) - 1) // 2]  # the lower one of two
    return f"above {max(trace.done for trace in traces)}" if middle == math.inf else f"{middle:g}"


def mean(traces: list[Trace]) -> float:
    """All calculations over the number of runs that reached the minimum."""
    reached = sum(trace.needed is not None for trace in traces)
    return sum(trace.needed or trace.done for trace in traces) / reached if reached else math.inf


def runs(name: str, program: Program, repeats: int, how: tuple[str, float, int, int]) -> list[Trace]:
    """One run for each seed from 1 on; how: formula, target, most calculations, atoms."""
    formula, target, calls, size = how
    traces = []
    for seed in range(1, repeats + 1):
        traces.append(program(formula, seed, target, calls, size))
        print(f"{name}, seed {seed}: {traces[-1]}", flush=True)
    return traces


def main() -> None:
    """Run all and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--formula", default="Cu7Ni2")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--calls", type=int, default=200, help="most calculations of a run; ten times as many of plain")
    parser.add_argument("--agox", help="python of its environment")
    parser.add_argument("--only", nargs="+", choices=[*PROGRAMS, "agox"], help="programs to run; by default all")
    options = parser.parse_args()
    sys.path.insert(0, str(HERE))
    os.environ["PYTHONPATH"] = os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])  # of label processes
    size = Composition.parse(options.formula).size
    target = target_of(options.formula)
    programs = PROGRAMS | ({"agox": agox(options.agox)} if options.agox else {})
    names = ("program", "reached", "calculations of each run", "median", "mean")
    table = Table(*names, title=f"{options.formula}: calculations to below {target:.4f} eV")
    for name, program in programs.items():
        if name not in (options.only or programs):
            continue
        traces = runs(name, program, options.repeats, (options.formula, target, options.calls, size))
        each = ", ".join(f"{trace.needed}" if trace.needed else f"({trace.done})" for trace in traces)
        reached = f"{sum(trace.needed is not None for trace in traces)} of {len(traces)}"
        table.add_row(name, reached, each, median(traces), f"{mean(traces):.1f}")
    Console().print(table)


if __name__ == "__main__":
    main()
