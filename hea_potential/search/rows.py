"""Rows of an ASE database, many at a time.

ASE takes longer to write a row than LAMMPS to minimise a small cluster. But all rows of a run are alike: ASE writes the
first, and the others are copies of that with other positions, energies and facts, in whatever columns this version of
ASE has.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np

from hea_potential.search.geometry import Floats

Facts = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Row:
    """What differs from one row of a run to another: positions (n, 3), energy, and facts that can be selected by."""

    positions: Floats
    energy: float
    facts: Facts


def append_copies(path: Path, rows: Sequence[Row]) -> None:
    """Add rows to a database that has one or more of the same atoms, all or nothing. Raises sqlite3.Error."""
    from ase.db.core import now

    moment = now()
    with closing(sqlite3.connect(path, timeout=600.0)) as connection, connection:
        columns, *firsts = table(connection, "SELECT * FROM systems ORDER BY id LIMIT 1")
        template = dict(zip(columns, firsts[0], strict=True))
        species = table(connection, "SELECT Z, n FROM species WHERE id = ?", template["id"])[1:]
        last = table(connection, "SELECT max(id) FROM systems")[1][0]
        numbered = list(enumerate(rows, start=last + 1))
        systems = [
            {
                **template,
                "id": number,
                "unique_id": uuid4().hex,
                "ctime": moment,
                "mtime": moment,
                "positions": np.asarray(row.positions, "<f8").tobytes(),
                "energy": row.energy,
                "key_value_pairs": json.dumps(row.facts),
            }
            for number, row in numbered
        ]
        named = ", ".join(f":{column}" for column in columns)
        connection.executemany(f"INSERT INTO systems VALUES ({named})", systems)
        facts = [(key, value, number) for number, row in numbered for key, value in row.facts.items()]
        texts = [fact for fact in facts if isinstance(fact[1], str)]
        numbers = [fact for fact in facts if not isinstance(fact[1], str)]
        connection.executemany("INSERT INTO text_key_values VALUES (?, ?, ?)", texts)
        connection.executemany("INSERT INTO number_key_values VALUES (?, ?, ?)", numbers)
        connection.executemany("INSERT INTO keys VALUES (?, ?)", [(key, number) for key, _, number in facts])
        of_each = [(element, count, number) for number, _ in numbered for element, count in species]
        connection.executemany("INSERT INTO species VALUES (?, ?, ?)", of_each)


def table(connection: sqlite3.Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The names of the columns that a query gives, then its rows."""
    cursor = connection.execute(query, values)
    return [tuple(column[0] for column in cursor.description), *cursor]
