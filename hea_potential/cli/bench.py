"""`hea bench search`: what a search costs until it finds a known energy."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from hea_potential.search.bench import Progress

HELP = """Measure what the package does, against what is known.

\b
Example:
    hea bench search Ar13 --pair lennard_jones.lmp --target -44.326801"""
SEARCH_HELP = """Repeat a search from random starts to a known energy: success, quenches and force calls.

Repeats that spend their budget without success are counted as such, in the means and in the medians. The folder
keeps every finished repeat (bench.json) and a plot (bench.png); the same command goes on where it was. Under mpirun
all ranks work on one repeat after the other.

\b
Example:
    hea bench search Ar38 --pair lennard_jones.lmp --target -173.928427 --repeats 50 --budget 20000"""

bench = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode="rich")


@bench.callback(help=HELP)
def of_what() -> None:
    """Keep `search` a command of its own, beside others to come."""


@bench.command(help=SEARCH_HELP)
def search(
    composition: Annotated[str, typer.Argument(help="Elements and numbers of atoms, such as Cu10Ni10Pd5.")],
    *,
    target: Annotated[float, typer.Option(help="Energy to find, in the pair style's unit.")],
    repeats: Annotated[int, typer.Option("--repeats", "-n", help="Searches in all, finished ones included.")] = 20,
    budget: Annotated[int, typer.Option("--budget", "-b", help="Most minimisations of a search.")] = 5000,
    seed: Annotated[int, typer.Option(help="Seed of the first search; the others follow.")] = 1,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the results; runs/bench-COMPOSITION-METHOD by default."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="Shipped model or model file; hea6 by default.")
    ] = None,
    pair: Annotated[Path | None, typer.Option(help="LAMMPS lines of any other pair style.")] = None,
    method: Annotated[str, typer.Option(help="ga: genetic algorithm; bh: basin hopping.")] = "ga",
    starts: Annotated[str, typer.Option(help="Comma-separated, as in hea search.")] = "random,symmetric",
    fmax: Annotated[float | None, typer.Option(min=1e-9, help="Largest force of a minimum, as in hea search.")] = None,
    window: Annotated[int, typer.Option(min=1, help="Minimisations under way at once, at least one a rank.")] = 16,
) -> None:
    """Repeat a search until it reaches its target."""
    from hea_potential.cli.search import names_of_starts
    from hea_potential.console import console
    from hea_potential.search.bench import PLOT, RECORD, bench_search, table_of
    from hea_potential.search.minimise import Limits

    folder = out or Path("runs") / f"bench-{composition}-{method}"
    with bench_progress(repeats) as progress:
        done = bench_search(
            composition,
            target=target,
            repeats=repeats,
            budget=budget,
            seed=seed,
            method=method,
            window=window,
            out=folder,
            model=model,
            pair=pair,
            starts=names_of_starts(starts),
            limits=None if fmax is None else Limits(fmax),
            progress=progress,
        )
    if done is None:  # a rank of mpirun whose work is over
        return
    page = console()
    page.print(table_of([done], title=f"{done.budget} minimisations at most, seeds from {seed}"))
    page.print(f"repeats {folder / RECORD}\nplot {folder / PLOT}", highlight=False, soft_wrap=True)


@contextmanager
def bench_progress(repeats: int) -> Iterator[Progress]:
    """A function that shows how many repeats are finished and how far the present one is: a bar, or lines in a log."""
    import time

    from hea_potential.cli.bars import progress_bars
    from hea_potential.console import console
    from hea_potential.search.bench import Bench
    from hea_potential.search.progress import LINES
    from hea_potential.search.state import Run

    page = console(stderr=True)
    bar = progress_bars(page, time_left=True)
    shown = time.monotonic()

    def show(bench: Bench, run: Run | None) -> None:
        nonlocal shown
        pause = 0.2 if page.is_terminal else LINES
        if time.monotonic() - shown < pause:
            return
        shown = time.monotonic()
        hits = sum(trial.reached for trial in bench.trials)
        now = f", {run.tally.done} minimisations of the next" if run else ""
        if page.is_terminal:
            if not bar.live.is_started:  # not before: of the ranks of mpirun only one is told anything
                bar.start()
            bar.update(task, completed=len(bench.trials), description=f"{hits} successes{now}")
        else:
            done = f"{len(bench.trials)} of {repeats} searches, {hits} successes{now}"
            page.print(done, highlight=False, soft_wrap=True)

    task = bar.add_task("", total=repeats)
    try:
        yield show
    finally:
        bar.stop()
