"""Bars that show how far a command is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, ProgressColumn


def progress_bars(
    console: Console, *further: ProgressColumn, time_left: bool = False, transient: bool = False
) -> Progress:
    """Bars with their descriptions, how much of how much is done and the time taken, on request also the time left, and
    further columns; nothing where the console is no terminal. `transient` ones vanish in the end.
    """
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    left = (TimeRemainingColumn(),) if time_left else ()
    return Progress(*columns, *left, *further, console=console, transient=transient, disable=not console.is_terminal)
