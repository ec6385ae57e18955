"""Tables of results: numbers and hashes are never cut, however narrow the terminal is."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.table import Table


def uncut_table(*titles: str, folds: str) -> Table:
    """A table whose columns keep their width, but that of the title `folds`: it takes what room is left, and as many
    lines as it needs. Titles may have line breaks.
    """
    from rich.table import Table

    table = Table()
    for title in titles:
        table.add_column(title, no_wrap=title != folds, overflow="fold")
    return table
