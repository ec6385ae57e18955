"""Our search against ase-ga and AGOX on the same energy surface, ASE's effective medium theory, one core each.

    python tests/benchmarks/search_peers.py --ase-ga PYTHON --agox PYTHON [--formula Cu19Au19] [--repeats 3]
        [--quenches 3000] [--seconds 300]

PYTHON is the interpreter of an environment with `ase-ga==1.0.3`, or with `agox==3.11.1` and `ase<3.28`, which it needs.
They run with the settings of their own documentation, see peers/. Ours minimises on the same surface as a table, see
`hea_potential.search.emt`, with default settings. Times are CPU seconds of one process each, imports left out. Reached
means within 0.02 eV of the lowest energy that any run found, which is wide enough for how far peers relax. The mean
time to it is the time of all runs over the number that reached it: a lower bound where none did.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from hea_potential.search import emt, search
from hea_potential.search.composition import Composition
from hea_potential.search.state import Run

WITHIN = 0.02  # eV
PEERS = Path(__file__).parent / "peers"


@dataclass(frozen=True)
class Trace:
    """One run: CPU seconds and energy of each candidate, and CPU seconds in all."""

    candidates: list[tuple[float, float]]

    @property
    def seconds(self) -> float:
        """How long it ran."""
        return self.candidates[-1][0]

    def time_to(self, energy: float) -> float | None:
        """CPU seconds until an energy was reached."""
        return next((seconds for seconds, found in self.candidates if found <= energy + WITHIN), None)


def ours(formula: str, seed: int, quenches: int) -> Trace:
    """A search with default settings, its files written to a folder as theirs are."""
    candidates: list[tuple[float, float]] = []
    began = time.process_time()
    done = 0

    def watch(run: Run) -> None:
        nonlocal done
        best = run.archive.best
        lowest = best.energy if best is not None else float("inf")
        candidates.extend([(time.process_time() - began, lowest)] * (run.tally.done - done))
        done = run.tally.done

    with tempfile.TemporaryDirectory() as folder:
        pair = emt.pair(Composition.parse(formula).symbols, Path(folder))
        search(formula, pair=pair, budget=quenches, seed=seed, out=Path(folder) / "run", observers=[watch])
    return Trace(candidates)


def peer(python: str, script: str, formula: str, seed: int, seconds: float) -> Trace:
    """A search by another program."""
    command = [python, str(PEERS / script), formula, str(seed), str(seconds)]
    run = subprocess.run(command, capture_output=True, text=True, check=False)
    lines = [line.split()[1:] for line in run.stdout.splitlines() if line.startswith("candidate ")]
    if run.returncode != 0 or not lines:
        sys.exit(f"{script} failed: {run.stderr[-2000:]}")
    trace = Trace([(float(spent), float(energy)) for spent, energy in lines])
    print(f"{script} seed {seed}: {len(lines)} candidates in {trace.seconds:.1f} s", flush=True)
    return trace


def report(name: str, traces: list[Trace], best: float, reference: float | None) -> float:
    """Print a program's line; returns its mean time to the best energy."""
    seconds = sum(trace.seconds for trace in traces)
    number = sum(len(trace.candidates) for trace in traces)
    times = [trace.time_to(best) for trace in traces]
    hits = sum(spent is not None for spent in times)
    used = sum(trace.seconds if spent is None else spent for trace, spent in zip(traces, times, strict=True))
    mean = used / max(hits, 1)
    lowest = min(energy for trace in traces for _, energy in trace.candidates)
    ratio = "" if reference is None else f", {mean / reference:.0f} times ours"
    print(
        f"{name:8s} {number:6d} candidates, {number / seconds:7.2f} a second; lowest {lowest:.4f} eV; best reached in "
        f"{hits} of {len(traces)} runs, mean time {'' if hits else 'above '}{mean:.1f} s{ratio}",
        flush=True,
    )
    return mean


def main() -> None:
    """Run all and print the comparison."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ase-ga", help="python of its environment")
    parser.add_argument("--agox", help="python of its environment")
    parser.add_argument("--formula", default="Cu19Au19")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--quenches", type=int, default=3000, help="of each of our runs")
    parser.add_argument("--seconds", type=float, default=300.0, help="CPU seconds of each of the others' runs")
    options = parser.parse_args()
    traces = {"ours": [ours(options.formula, seed, options.quenches) for seed in range(options.repeats)]}
    for name, python, script in (
        ("ase-ga", options.ase_ga, "ase_ga_search.py"),
        ("AGOX", options.agox, "agox_search.py"),
    ):
        if python:
            runs = range(options.repeats)
            traces[name] = [peer(python, script, options.formula, seed, options.seconds) for seed in runs]
    best = min(energy for runs in traces.values() for trace in runs for _, energy in trace.candidates)
    print(f"{options.formula}, EMT, best {best:.4f} eV, {options.repeats} runs each")
    reference = None
    for name, runs in traces.items():
        mean = report(name, runs, best, reference)
        reference = reference or mean


if __name__ == "__main__":
    main()
