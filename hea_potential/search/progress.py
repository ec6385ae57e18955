"""What a person sees while a search runs: a live table on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import os
import time
from pathlib import Path
from types import TracebackType

from rich.console import Console
from rich.live import Live
from rich.table import Table

from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.state import Run

REFRESH = 0.5  # seconds between two drawings of the table
PAGE = 120  # columns where there is no terminal
LINES = 5.0  # seconds between two lines where there is no terminal


class LiveProgress:
    """An observer that shows a run; a context, because a live table must be left in order."""

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
        """Show the run if the last time is long enough ago."""
        if time.monotonic() - self.shown < self.interval:
            return
        self.shown = time.monotonic()
        if not self.console.is_terminal:
            self.console.print(line_of(run), highlight=False, soft_wrap=True)
            return
        if self.live is None:  # not before: of the ranks of mpirun only the one that is told of the run shows it
            self.live = Live(console=self.console, auto_refresh=False)
            self.live.start()
        self.live.update(table_of(run), refresh=True)


def table_of(run: Run) -> Table:
    """The state of a run as a table."""
    tally, best, unit = run.tally, run.archive.best, run.archive.energy_unit
    table = Table(
        title=f"{run.archive.composition.formula}, seed {run.setup.seed}", show_header=False, title_justify="left"
    )
    table.add_column(style="bold")
    table.add_column(min_width=40)
    table.add_row(
        "best energy",
        "none yet" if best is None else f"{best.energy:.6f} {unit}, by {best.operator} in task {best.task}",
    )
    table.add_row("distinct minima", f"{len(run.archive)}")
    of_budget = f" of {run.stop.budget}" if run.stop.budget else ""
    again = f", {run.resumed} of them in earlier calls" if run.resumed else ""
    table.add_row("minimisations", f"{tally.done}{of_budget}{again}")
    table.add_row(
        "a second", f"{rate(run):.1f} minimisations, {rate(run) * tally.calls / max(tally.done, 1):.0f} force calls"
    )
    failures = ", ".join(
        f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()) if outcome != "minimum"
    )
    table.add_row("not a minimum", failures or "none")
    if isinstance(run.method, GeneticAlgorithm):
        used = {name: record for name, record in run.method.records.items() if record.uses}
        entries = [f"{name} {record.successes}/{record.uses}" for name, record in used.items()]
        table.add_row("into the population", ", ".join(entries))
        table.add_row("restarts", f"{run.method.restarts}")
    table.add_row("time left", time_left(run))
    return table


def line_of(run: Run) -> str:
    """The state of a run as a line."""
    best = "none yet" if run.archive.best is None else f"{run.archive.best.energy:.6f} {run.archive.energy_unit}"
    done = f"{run.tally.done}" + (f"/{run.stop.budget}" if run.stop.budget else "")
    return (
        f"{run.seconds:6.0f} s: best {best}, {len(run.archive)} distinct minima, {done} minimisations, "
        f"{rate(run):.1f} a second, time left {time_left(run)}"
    )


def rate(run: Run) -> float:
    """Minimisations a second in this call."""
    return (run.tally.done - run.resumed) / run.seconds if run.seconds > 0.0 else 0.0


def time_left(run: Run) -> str:
    """What the budget and the time leave, as minutes and seconds."""
    left = []
    if run.stop.seconds is not None:
        left.append(run.stop.seconds - run.seconds)
    if run.stop.budget is not None and rate(run) > 0.0:
        left.append((run.stop.budget - run.tally.done) / rate(run))
    if not left:
        return "unknown"
    minutes, seconds = divmod(max(0, round(min(left))), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{seconds:02}"


def console(stderr: bool = False) -> Console:
    """A console for the terminal at the end of mpirun's pipes, or for a wide page where there is none."""
    descriptor = 2 if stderr else 1
    terminal, width = terminal_of_launcher(descriptor)
    if terminal:
        return Console(stderr=stderr, force_terminal=True, width=width)
    return Console(stderr=stderr, width=None if os.isatty(descriptor) else PAGE)


def terminal_of_launcher(descriptor: int) -> tuple[bool, int | None]:
    """Whether mpirun, which passes on what ranks print through pipes, writes to a terminal, and how wide that is
    (Linux).
    """
    process = os.getppid()
    while process > 1:
        try:
            name = Path(f"/proc/{process}/comm").read_text().strip()
            if name.startswith(("mpiexec", "mpirun")):
                with Path(f"/proc/{process}/fd/{descriptor}").open("a") as stream:
                    return (True, os.get_terminal_size(stream.fileno()).columns) if stream.isatty() else (False, None)
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
    return False, None
