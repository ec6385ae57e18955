"""Tables of results: numbers and hashes are never cut, however narrow the terminal is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

PAGE = 150  # columns where there is no terminal


def output_console() -> Console:
    """The console of standard output, a wide page where that is no terminal."""
    from rich.console import Console

    return Console(width=None if sys.stdout.isatty() else PAGE)


def uncut_table(*titles: str, folds: str) -> Table:
    """A table whose columns keep their width, but that of the title `folds`: it takes what room is left, and as many
    lines as it needs. Titles may have line breaks.
    """
    from rich.table import Table

    table = Table()
    for title in titles:
        table.add_column(title, no_wrap=title != folds, overflow="fold")
    return table
