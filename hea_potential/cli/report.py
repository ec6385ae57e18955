"""`hea report`: figures and a page of a meta loop or a search."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Folder of a meta loop, of a search or of several.")],
) -> None:
    """Make the report of a meta loop or of a search, finished or not: RUN/report.html and RUN/figures.

    The page needs no network: charts, tables that sort, clusters to turn, and what is needed to rerun any number in it.

    Example:
        hea report runs/loop
        hea report runs/Cu19Ni19
    """
    from rich.console import Console
    from rich.progress import TaskID

    from hea_potential.cli.bars import progress_bars
    from hea_potential.report import write_report

    messages = Console(stderr=True)
    with progress_bars(messages, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def show(what: str, done: int, total: int) -> None:
            """Move the bar of what is being done."""
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done)

        page = write_report(run, show)
    typer.echo(page)
