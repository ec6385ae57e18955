"""`hea loop`: the meta loop of search, selection, labels and training, alone or under mpirun."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from hea_training.meta_loop.config import LoopConfig
    from hea_training.meta_loop.state import Watcher

LOG_SECONDS = 30.0


def loop(
    configuration: Annotated[Path, typer.Argument(help="TOML file: elements, reference, compositions, ...")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the run, continued if it holds one; runs/NAME by default."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan with its estimated costs, and end.")
    ] = False,
    report: Annotated[bool, typer.Option(help="Make the report, RUN/report.html and RUN/figures, in the end.")] = True,
) -> None:
    """Search, select, label, train, again: a potential that improves itself while it explores compositions.

    The configuration is checked whole before anything starts. Every finished step is in the ledger of the run's folder:
    stopped or killed, the same command goes on where it was. Under mpirun all ranks minimise and label. In the end the
    report says how good the model became and what was found; `hea report` makes it of an unfinished run as well.

    Example:
      hea loop loop.toml --dry-run
      mpirun -n 2 hea loop loop.toml --out runs/loop
    """
    from hea_potential.cli import is_other_rank
    from hea_potential.cli.loading import loading_torch, needing_training
    from hea_potential.loop_files import DATA
    from hea_potential.torch_library import load_torch

    with needing_training("hea loop"):
        from hea_training.meta_loop import loop_ranks, read_config, run_loop
    if dry_run:
        if not is_other_rank():
            config = read_config(configuration)
            show_plan(config, folder_of(config, out))
        return
    with loop_ranks() as rank_0:
        if rank_0 is None:  # the work of another rank is over
            return
        config = read_config(configuration)
        folder = folder_of(config, out)
        with loading_torch("hea loop"):
            load_torch()
        try:
            with loop_progress() as watcher:
                model = run_loop(config, folder, watcher, executor=rank_0[0], workers=rank_0[1])
        except KeyboardInterrupt:
            typer.echo(f"hea: interrupted; the same command goes on with what is in {folder}", err=True)
            raise typer.Exit(130) from None
    typer.echo(f"model {model}")
    typer.echo(f"data {folder / DATA}")
    if report:
        from hea_potential.cli.report import report as make_report

        make_report(folder)
    else:
        typer.echo(f"figures and report: hea report {folder}")


def folder_of(config: LoopConfig, out: Path | None) -> Path:
    """The folder of a run: what the user says, or one of the loop's name."""
    return out or Path("runs") / config.name


def show_plan(config: LoopConfig, folder: Path) -> None:
    """Print what will be searched, how many steps there are and what they are likely to cost."""
    from hea_training.meta_loop.costs import costs_of, in_all
    from hea_training.meta_loop.ledger import lines_of
    from hea_training.meta_loop.plan import steps_of
    from rich.console import Console
    from rich.table import Table

    from hea_potential.loop_files import LEDGER

    steps = steps_of(config)
    console = Console()
    for loop_number in range(1, config.loops + 1):
        for n in config.n_elements:
            those = [step.composition for step in steps if (step.loop, step.n_elements) == (loop_number, n)]
            formulas = list(dict.fromkeys(formula for formula in those if formula))
            console.print(f"loop {loop_number}, {n} elements: {' '.join(formulas)}", highlight=False, soft_wrap=True)
    table = Table("step", "times", "in all", "", "seconds of a core")
    for column in table.columns[1:]:
        column.justify = "right"
    costs = costs_of(config, steps)
    for cost in costs:
        table.add_row(cost.kind, str(cost.steps), f"{cost.amount:.3g}", cost.unit, words_of(cost.seconds))
    table.add_row("together", str(len(steps)), "", "", words_of(in_all([cost.seconds for cost in costs])))
    console.print(table)
    ledger = folder / LEDGER
    done = lines_of(ledger, ledger.read_bytes()) if ledger.exists() else {}
    console.print(
        f"{sum(step.name in done for step in steps)} of {len(steps)} steps are done in {folder}", soft_wrap=True
    )


def words_of(seconds: float | None) -> str:
    """Estimated seconds."""
    return "not known" if seconds is None else f"about {seconds:.2g}" if seconds < 100 else f"about {seconds:.0f}"


@contextmanager
def loop_progress() -> Iterator[Watcher]:
    """What shows how a loop goes: a line for each step, and a bar for the present one."""
    from hea_training.meta_loop.plan import Step
    from hea_training.meta_loop.state import Watcher
    from hea_training.meta_loop.words import said
    from rich.console import Console

    from hea_potential.cli.bars import progress_bars

    console = Console(stderr=True)

    class Shown(Watcher):
        """Shows it."""

        def begins(self, step: Step, number: int, total: int) -> None:
            """A bar without a length yet."""
            self.name = f"{number}/{total} {step.name}"
            self.task = bars.add_task(self.name, total=None)
            self.spoke = time.monotonic()

        def goes_on(self, what: str, done: int, total: int) -> None:
            """The bar grows; in a log a line now and then."""
            bars.update(self.task, description=f"{self.name}: {what}", completed=done, total=total)
            if not console.is_terminal and time.monotonic() - self.spoke > LOG_SECONDS:
                console.print(f"{self.name}: {done} of {total} {what}", highlight=False, soft_wrap=True)
                self.spoke = time.monotonic()

        def ends(self, line: dict[str, Any]) -> None:
            """A line stays."""
            for task in bars.task_ids:
                bars.remove_task(task)
            console.print(f"{line['step']} {line['seconds']:.1f} s: {said(line)}", highlight=False, soft_wrap=True)

    with progress_bars(console, transient=True) as bars:
        yield Shown()
