"""How searches scale with the ranks of mpirun: real ones on the cores of this machine, and sleeping ones beyond them.

    python tests/benchmarks/search_scale.py [--ranks 1,2,3,4] [--asleep 64] [--formula Ni25Cu25Pd25Ag24Pt24Au24]

First a real search with hea6 on one rank measures how long its tasks take. Then searches run on the given numbers of
ranks: real ones with Lennard-Jones on as many as this machine has cores, and sleeping ones, which take the same way
through proposals, messages, archive, journal and database, but where a minimisation would be, a worker sleeps for one
of the measured times, and every candidate counts as a new minimum, which is the most that can happen. As many of them
as in the measured search are slow moves, with the times of those. Rank 0 works as well, as it does where cores are
enough. So that a few ranks can do many tasks they sleep an eighth as long. Printed is the throughput over that of the
first of these numbers.

Last, `--asleep` ranks sleep, of which rank 0 manages alone. Printed: the share of time in which workers slept, and the
CPU time of the manager for a candidate, part by part.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from sleeping_tasks import Lengths, measured_lengths

from hea_potential.search import loop, run, search, tasks
from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run
from hea_potential.search.workers import Crew

MPIRUN = str(Path(sysconfig.get_path("scripts")) / "mpirun")
# A model would be asked by moves as well, which then are work and not sleep.
LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
NEVER_ASKED = Pair(("pair_style lj/cut 10.0", "pair_coeff * * 0.4 2.4"), units="metal")
HASTE = 8.0  # how many times as short a few ranks sleep
FEW = 8  # ranks up to which rank 0 works as well
Collect = Callable[[Crew, float], list[tasks.Result]]
PARTS = {
    "proposals": (GeneticAlgorithm, "propose"),
    "archive, journal's lines, population": (loop, "absorb"),
    "journal and database": (loop.Books, "write"),
    "handing out": (Crew, "hand_out"),
    "collecting": (Crew, "collect"),
}


@dataclass
class Watch:
    """An observer that notes how far a run was when a tenth and when nine tenths of its results were in: what it takes
    to begin and to end is left out.
    """

    budget: int
    spent: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)  # by the thread that passes them
    passed: list[Counter[str]] = field(default_factory=list)
    came: list[tuple[float, float, float]] = field(default_factory=list)  # when, its seconds, those of minimisation

    def __call__(self, state: Run) -> None:
        """Note time, results, seconds in minimisations, and CPU time: of this thread, of all threads and of parts."""
        if len(self.passed) < 2 and state.tally.done >= self.budget * (1, 9)[len(self.passed)] // 10:
            here: Counter[str] = Counter()
            here["seconds"], here["results"] = time.monotonic(), state.tally.done
            here["loop"] = time.thread_time()
            self.passed.append(here + self.spent + self.messages)

    def noting(self, collect: Collect) -> Collect:
        """A way to collect results that notes when they came; slow ones count in the run much later."""

        def collecting(crew: Crew, patience: float) -> list[tasks.Result]:
            results = collect(crew, patience)
            now = time.monotonic()
            self.came += [(now, result.seconds, result.quench_seconds) for result in results]
            return results

        return collecting

    def between(self) -> Counter[str]:
        """What was added from mark to mark, with the results that came, and the seconds of their tasks and of the
        minimisations in them.
        """
        first, last = self.passed
        added = Counter({name: last[name] - first[name] for name in last})
        begin, end = first["seconds"], last["seconds"]
        for when, seconds, quench_seconds in self.came:
            added["came"] += begin <= when < end
            added["working"] += max(0.0, min(when, end) - max(when - seconds, begin))
            added["quenching"] += max(0.0, min(when, end) - max(when - quench_seconds, begin))
        return added


def timed(spent: Counter[str], name: str, function: Callable[..., Any]) -> Callable[..., Any]:
    """A function whose CPU time in this thread is added up; that of parts inside it counts for them alone."""

    def wrapper(*arguments: object, **options: object) -> Any:
        began, inside = time.thread_time(), spent.total()
        try:
            return function(*arguments, **options)
        finally:
            spent[name] += time.thread_time() - began - (spent.total() - inside)

    return wrapper


def watch_messages(spent: Counter[str]) -> None:
    """Add up the CPU time of the thread of mpi4py that passes messages, apart for its rounds in which there was none:
    the more idle the manager is, the more there are of them.
    """
    from mpi4py.futures._core import Backoff

    passed_one = False
    began: float | None = None
    pause, forget = Backoff.sleep, Backoff.reset

    def reset(self: Backoff) -> None:
        nonlocal passed_one
        passed_one = True
        forget(self)

    def sleep(self: Backoff) -> None:
        nonlocal passed_one, began
        now = time.thread_time()
        if began is not None:
            spent["messages" if passed_one else "looking for messages in vain"] += now - began
        passed_one, began = False, now
        pause(self)

    Backoff.sleep, Backoff.reset = sleep, reset


def real(budget: int) -> dict[str, Any]:
    """A search with a cheap pair style on the ranks of this mpirun; empty on ranks other than 0."""
    from mpi4py import MPI

    watch = Watch(budget)
    Crew.collect = watch.noting(Crew.collect)  # type: ignore[assignment, method-assign]
    if search("Ar75", pair=LENNARD_JONES, budget=budget, seed=1, window=32, observers=[watch]) is None:
        return {}
    passed = watch.between()
    at_work = passed["working"] / passed["seconds"] / MPI.COMM_WORLD.Get_size()
    return {"rate": passed["came"] / passed["seconds"], "at work": at_work}


def first_come() -> None:
    """Put this process before others, as if it had a core to itself, which a manager of so many ranks would have.

    Where the kernel shares cores between sessions (autogroup), that takes a session of its own; and it takes root.
    """
    with suppress(OSError):
        os.setsid()
    with suppress(OSError):
        os.nice(-15)
        Path("/proc/self/autogroup").write_text("-15")


def asleep(formula: str, budget: int, lengths: Lengths) -> dict[str, Any]:
    """A search whose minimisations are slept through; empty on ranks other than 0."""
    from mpi4py import MPI

    tasks.minimiser_of = lambda setup: None  # type: ignore[assignment]
    tasks.minimise = lengths.sleep  # type: ignore[assignment]
    run.manager_should_help = lambda workers: workers < FEW
    if MPI.COMM_WORLD.Get_rank() == 0:
        first_come()
    watch = Watch(budget)
    Crew.collect = watch.noting(Crew.collect)  # type: ignore[assignment, method-assign]
    watch_messages(watch.messages)
    for name, (owner, attribute) in PARTS.items():
        setattr(owner, attribute, timed(watch.spent, name, getattr(owner, attribute)))
    if lengths.slow:
        GeneticAlgorithm.propose = lengths.with_slow(GeneticAlgorithm.propose)  # type: ignore[assignment, method-assign]
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "run"
        options = {"pair": NEVER_ASKED, "moves": lengths.moves, "observers": [watch], "confirm": 0}
        if search(formula, budget=budget, seed=1, out=out, **options) is None:
            return {}
    passed = watch.between()
    seconds, results, ranks = passed["seconds"], passed["results"], MPI.COMM_WORLD.Get_size()
    workers = ranks if ranks <= FEW else ranks - 1
    parts = {name: passed[name] for name in PARTS}
    parts["the rest of the loop"] = passed["loop"] - sum(parts.values())
    parts["messages"] = passed["messages"]
    return {
        "busy": passed["quenching"] / seconds / workers,
        "working": passed["working"] / seconds / workers,
        "rate": passed["came"] / seconds,
        "length": passed["quenching"] / passed["came"],
        "parts": {name: 1e6 * part / results for name, part in parts.items()},
        "idle": passed["looking for messages in vain"] / seconds,
    }


def under_mpirun(ranks: int, *words: object) -> dict[str, Any]:
    """Call this program on so many ranks; returns what rank 0 prints."""
    command = [MPIRUN, "-n", str(ranks), sys.executable, __file__, *map(str, words)]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)
    if ended.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{ended.stderr[-2000:]}")
    return json.loads(ended.stdout.splitlines()[-1])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--ranks", default="1,2,3,4", help="numbers of ranks of real searches")
    parser.add_argument("--asleep", type=int, default=64, help="ranks of the search that sleeps")
    parser.add_argument("--formula", default="Ni25Cu25Pd25Ag24Pt24Au24")
    parser.add_argument("--real", type=int, default=1500, help="minimisations of a real search")
    parser.add_argument("--budget", type=int, default=100, help="tasks that are measured")
    parser.add_argument("--each", type=int, default=50, help="minimisations of each worker that sleeps")
    parser.add_argument("--role", choices=("real", "asleep"), help=argparse.SUPPRESS)
    parser.add_argument("--lengths", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.role:
        if options.role == "real":
            outcome = real(options.real)
        else:
            outcome = asleep(options.formula, options.budget, Lengths(**json.loads(options.lengths)))
        if outcome:
            print(json.dumps(outcome))
        return
    lengths = measured_lengths(options.formula, options.budget)
    every = lengths.slow + lengths.others
    print(f"{options.formula} with hea6: a task takes {np.mean(every):.3f} s, the longest {max(every):.3f} s")
    if lengths.slow:
        print(
            f"{len(lengths.slow)} of {len(every)} are slow moves, {np.mean(lengths.slow):.3f} s each, with results "
            f"{lengths.lag} windows late; the longest other task takes {max(lengths.others):.3f} s",
            flush=True,
        )

    def sleeping(ranks: int, haste: float = 1.0) -> dict[str, Any]:
        budget, shorter = round(options.each * ranks * haste), json.dumps(asdict(lengths.shorter(haste)))
        words = ("--formula", options.formula, "--role", "asleep", "--lengths", shorter)
        return under_mpirun(ranks, *words, "--budget", budget)

    alone: dict[str, float] = {}
    for ranks in (int(word) for word in options.ranks.split(",") if word):
        slept = sleeping(ranks, HASTE)
        rates = {"asleep": slept["rate"] * slept["length"]}  # whatever lengths were drawn
        if ranks <= (os.cpu_count() or 1):
            measured = under_mpirun(ranks, "--role", "real", "--real", options.real)
            rates["LJ75"] = measured["rate"]
        alone = alone or rates
        shown = [f"{name} {rate / alone[name]:.2f}" for name, rate in rates.items()]
        if "LJ75" in rates:
            shown[-1] += f" (its ranks are in tasks for {measured['at work']:.0%} of the time)"
        print(f"{ranks} ranks, throughput over that of the first: {', '.join(shown)}", flush=True)
    measured = sleeping(options.asleep)
    print(
        f"{options.asleep} ranks asleep: workers spend {100 * measured['working']:.1f} % of the time in tasks, "
        f"{100 * measured['busy']:.1f} % asleep; {measured['rate']:.0f} of them a second, each "
        f"{measured['length']:.3f} s; the manager's CPU time for a candidate, microseconds:"
    )
    for name, part in measured["parts"].items():
        print(f"  {part:7.1f}  {name}")
    print(f"  {sum(measured['parts'].values()):7.1f}  in all")
    print(f"besides it looked for messages in vain for {100 * measured['idle']:.0f} % of the time", flush=True)


if __name__ == "__main__":
    main()
