"""Tables of minima for a terminal, in which numbers stay whole: where there is little room, long words fold instead."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.box import SIMPLE_HEAD
from rich.table import Table

WORDS = ("composition", "motif", "group", "shells", "found")  # how headings of columns of words begin
LONG = ("composition", "shells")  # of those, columns that may need more room than there is
WIDE = 120  # columns of a terminal from which on headings need not break, and columns can be further apart
LEAST = 76  # columns of a terminal with which all but the long words fit; with fewer, everything folds


def result_table(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], width: int) -> Table:
    """A table for a terminal of `width` columns."""
    is_wide = width >= WIDE
    padding = (0, 1, 0, 0) if is_wide else 0
    table = Table(title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=padding)
    for heading in headings:
        table.add_column(
            heading if is_wide else heading.replace(" ", "\n"),
            justify="left" if heading.startswith(WORDS) else "right",
            no_wrap=width >= LEAST and not heading.startswith(LONG),
            overflow="fold",
        )
    for row in rows:
        table.add_row(*row)
    return table
