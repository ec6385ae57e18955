"""Tables of a report: values as they are, which are sorted by, and how they are written."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

Value = str | int | float | bool | None
LONG = 40  # letters


@dataclass(frozen=True)
class Column:
    """A heading, the unit below it, and how many digits follow the point of its numbers."""

    heading: str
    unit: str = ""
    digits: int = 3


@dataclass(frozen=True)
class Table:
    """Rows of values; None and NaN are shown as a dash and come last when sorted."""

    title: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Value]]
    caption: str = ""
    open: bool = True  # False: folded up at first

    @property
    def is_empty(self) -> bool:
        """Whether it has no row."""
        return not self.rows


def written(value: Value, digits: int) -> str:
    """A value as a person reads it."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return "\u2013"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}".replace(",", "\u202f")
    return f"{value:.{digits}f}" if isinstance(value, float) else value


def sorted_by(value: Value) -> str:
    """What the page sorts a cell by: a number as it is, nothing where there is none."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(int(value)) if isinstance(value, bool) else str(value)


def table_html(table: Table) -> str:
    """The table as HTML; its headings are buttons that sort."""
    numeric = [is_numeric([row[k] for row in table.rows]) for k in range(len(table.columns))]
    heads = "".join(
        f'<th scope="col"{" class=number" if is_number else ""}><button type="button">{escape(column.heading)}'
        f"{f'<small>{escape(column.unit)}</small>' if column.unit else ''}</button></th>"
        for column, is_number in zip(table.columns, numeric, strict=True)
    )
    body = "".join(
        "<tr>"
        + "".join(
            f'<td{cell_class(value, is_number)} data-value="{escape(sorted_by(value))}">'
            f"{escape(written(value, column.digits))}</td>"
            for value, column, is_number in zip(row, table.columns, numeric, strict=True)
        )
        + "</tr>"
        for row in table.rows
    )
    caption = f"<p class=caption>{escape(table.caption)}</p>" if table.caption else ""
    opened = " open" if table.open else ""
    count = "1 row" if len(table.rows) == 1 else f"{len(table.rows):,} rows"
    return (
        f"<details class=table{opened}><summary>{escape(table.title)} <small>{count}</small></summary>{caption}"
        f"<div class=scroll><table class=sortable><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table></div>"
        "</details>"
    )


def cell_class(value: Value, is_number: bool) -> str:
    """Numbers stand to the right; long texts may be broken into lines."""
    is_long = isinstance(value, str) and len(value) > LONG
    return " class=number" if is_number else " class=long" if is_long else ""


def is_numeric(values: Sequence[Value]) -> bool:
    """Whether a column is of numbers, and so aligned to the right."""
    known = [value for value in values if value is not None]
    return bool(known) and all(isinstance(value, int | float) and not isinstance(value, bool) for value in known)
