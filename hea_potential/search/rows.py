"""Rows of an ASE database, many at a time.

ASE takes longer to write a row than LAMMPS to minimise a small cluster. But all rows of a run are alike: ASE writes the
first, and the others are copies of that with other positions, energies and facts, in whatever columns this version of
ASE has.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hea_potential.search.geometry import Floats

# What ASE finds rows by, copied from the rows themselves.
INDEXING = (
    "INSERT INTO keys SELECT key, systems.id FROM systems, json_each(key_value_pairs) WHERE systems.id >= :first",
    "INSERT INTO text_key_values SELECT key, value, systems.id FROM systems, json_each(key_value_pairs) "
    "WHERE systems.id >= :first AND type = 'text'",
    "INSERT INTO number_key_values SELECT key, value, systems.id FROM systems, json_each(key_value_pairs) "
    "WHERE systems.id >= :first AND type IN ('integer', 'real')",
    "INSERT INTO species SELECT Z, n, systems.id FROM species CROSS JOIN systems "
    "WHERE species.id = :template AND systems.id >= :first",
)

Facts = Mapping[str, str | int | float]


@dataclass(frozen=True)
class Row:
    """What differs from one row of a run to another: positions (n, 3), energy, and facts that can be selected by."""

    positions: Floats
    energy: float
    facts: Facts


def append_copies(path: Path, rows: Sequence[Row], patience: float) -> None:
    """Add rows to a database that has one or more of the same atoms, all or nothing. Raises sqlite3.Error, also where
    another program keeps the database locked for longer than `patience` seconds.
    """
    from ase.db.core import now

    with closing(sqlite3.connect(path, timeout=patience)) as connection, connection:
        # With the write-ahead log this loses no more than the last batch if the power fails, and the journal has that.
        connection.execute("PRAGMA synchronous=NORMAL")
        columns, *firsts = table(connection, "SELECT * FROM systems ORDER BY id LIMIT 1")
        template = dict(zip(columns, firsts[0], strict=True))
        first = table(connection, "SELECT max(id) FROM systems")[1][0] + 1
        moment = now()
        systems = [
            {
                **template,
                "id": number,
                "unique_id": identity,
                "ctime": moment,
                "mtime": moment,
                "positions": np.asarray(row.positions, "<f8").tobytes(),
                "energy": row.energy,
                "key_value_pairs": json.dumps(row.facts),
            }
            for number, (row, identity) in enumerate(zip(rows, identities(len(rows)), strict=True), start=first)
        ]
        named = ", ".join(f":{column}" for column in columns)
        connection.executemany(f"INSERT INTO systems VALUES ({named})", systems)
        for query in INDEXING:
            connection.execute(query, {"first": first, "template": template["id"]})


def identities(count: int) -> list[str]:
    """Different identities of rows, as ASE makes them: random hexadecimal numbers of 32 digits."""
    digits = os.urandom(16 * count).hex()
    return [digits[start : start + 32] for start in range(0, len(digits), 32)]


def table(connection: sqlite3.Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The names of the columns that a query gives, then its rows."""
    cursor = connection.execute(query, values)
    return [tuple(column[0] for column in cursor.description), *cursor]
