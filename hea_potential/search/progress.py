"""What a person sees while a search runs: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from types import TracebackType
from typing import Protocol, runtime_checkable

from rich.live import Live
from rich.table import Table

from hea_potential.console import console
from hea_potential.search.bandit import Record
from hea_potential.search.saddles import Check
from hea_potential.search.state import Run

REFRESH = 0.5  # seconds between two drawings of the table
LINES = 5.0  # seconds between two lines where there is no terminal


@runtime_checkable
class Recorded(Protocol):
    """A method of search that keeps a record of its moves and starts by their names."""

    records: Mapping[str, Record]


@runtime_checkable
class Choosing(Protocol):
    """A method of search that chooses the kind of quench by what each has brought."""

    quenches: Recorded


class LiveProgress:
    """An observer that shows runs; a context, because a live table must be left in order."""

    def __init__(self) -> None:
        self.console = console(stderr=True)
        self.live: Live | None = None
        self.interval = REFRESH if self.console.is_terminal else LINES
        self.shown = time.monotonic()

    def __enter__(self) -> LiveProgress:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.live:
            self.live.stop()

    def __call__(self, run: Run) -> None:
        """Show the run if the last time is long enough ago, and of several runs each that has ended."""
        if run.ended is not None and run.place[1] > 1:
            self.console.print(f"{name_of(run)}: {ending_of(run)}", highlight=False, soft_wrap=True)
        if time.monotonic() - self.shown < self.interval:
            return
        self.shown = time.monotonic()
        if not self.console.is_terminal:
            if run.ended is None and run.seconds > self.interval:
                self.console.print(f"{name_of(run)}: {line_of(run)}", highlight=False, soft_wrap=True)
            return
        if self.live is None:  # not before: of the ranks of mpirun only the one that is told of the run shows it
            self.live = Live(console=self.console, auto_refresh=False)
            self.live.start()
        self.live.update(table_of(run), refresh=True)


def name_of(run: Run) -> str:
    """Which search it is."""
    number, of = run.place
    return f"{run.archive.composition.formula}" + (f" ({number} of {of})" if of > 1 else "")


def table_of(run: Run) -> Table:
    """The state of a run as a table."""
    tally = run.tally
    table = Table(title=f"{name_of(run)}, seed {run.setup.seed}", show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(min_width=40)
    table.add_row("best energy", best_of(run))
    table.add_row("distinct minima", f"{len(run.archive)}")
    again = f", {run.resumed} of them in earlier calls" if run.resumed else ""
    table.add_row("minimisations", f"{out_of(tally.done, run.stop.budget)}{again}")
    table.add_row("force calls", out_of(tally.calls, run.stop.calls))
    table.add_row("a second", f"{rate(run):.1f} minimisations, {call_rate(run):.0f} force calls")
    table.add_row("not a minimum", tally.failures)
    if isinstance(run.method, Recorded):
        used = {name: record for name, record in run.method.records.items() if record.uses}
        entries = [f"{name} {record.successes}/{record.uses}" for name, record in used.items()]
        table.add_row("successes of moves", ", ".join(entries))
    table.add_row("quenches", quenches_of(run))
    table.add_row("time left", time_left(run))
    if run.check is not None:
        table.add_row("checked for saddles", checked(run.check))
    return table


def checked(check: Check) -> str:
    """How many of the lowest minima are looked at."""
    return f"{check.shown + len(check.left_out)} of the lowest, {len(check.left_out)} left out"


def quenches_of(run: Run) -> str:
    """How often each kind of quench was used, its force calls and, where the method chooses by them, its successes."""
    words = []
    for kind, number in sorted(run.tally.quenches.items()):
        calls = f"{kind} {run.tally.calls_of_quench[kind] / number:.0f} calls"
        record = run.method.quenches.records.get(kind) if isinstance(run.method, Choosing) else None
        words.append(f"{calls}, {record.successes}/{record.uses}" if record else f"{calls}, {number} times")
    return "; ".join(words)


def best_of(run: Run) -> str:
    """The lowest energy, and where it comes from."""
    best, unit = run.archive.best, run.archive.energy_unit
    return "none yet" if best is None else f"{best.energy:.6f} {unit}, by {best.operator} in task {best.task}"


def out_of(done: int, limit: int | None) -> str:
    """A number, and the limit that it has."""
    return f"{done}" if limit is None else f"{done} of {limit}"


def ending_of(run: Run) -> str:
    """How a run has ended, as a line."""
    if run.failure:
        return run.failure
    return (
        f"best {best_of(run)}; {len(run.archive)} distinct minima, {run.tally.done} minimisations, "
        f"{run.tally.calls} force calls, {run.seconds:.1f} s"
    )


def line_of(run: Run) -> str:
    """The state of a run as a line."""
    best = "none yet" if run.archive.best is None else f"{run.archive.best.energy:.6f} {run.archive.energy_unit}"
    if run.check is not None:
        return f"{run.seconds:.0f} s, looking for saddles: {checked(run.check)}"
    return (
        f"{run.seconds:.0f} s, best {best}, {len(run.archive)} distinct minima, "
        f"{out_of(run.tally.done, run.stop.budget)} minimisations, {rate(run):.1f} a second, time left {time_left(run)}"
    )


def rate(run: Run) -> float:
    """Minimisations a second in this call."""
    seconds = run.seconds_of_search
    return (run.tally.done - run.resumed) / seconds if seconds > 0.0 else 0.0


def call_rate(run: Run) -> float:
    """Force calls a second in this call."""
    return rate(run) * run.tally.calls / max(run.tally.done, 1)


def time_left(run: Run) -> str:
    """What budget, force calls and time leave of this composition, and of all of them."""
    left = []
    if math.isfinite(run.seconds_left):
        left.append((run.seconds + run.seconds_left, run.seconds_left))
    if run.stop.budget is not None and rate(run) > 0.0:
        left.append((run.stop.budget / rate(run), (run.stop.budget - run.tally.done) / rate(run)))
    if run.stop.calls is not None and call_rate(run) > 0.0:
        left.append((run.stop.calls / call_rate(run), (run.stop.calls - run.tally.calls) / call_rate(run)))
    if not left:
        return "unknown"
    number, of = run.place
    whole, rest = min(left, key=lambda each: each[1])
    if of == 1:
        return clock(rest)
    return f"{clock(rest)}, of all {of} compositions {clock(rest + (of - number) * whole)} at most"


def clock(seconds: float) -> str:
    """Hours, minutes and seconds."""
    minutes, seconds = divmod(max(0, round(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"
