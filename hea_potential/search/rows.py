"""Rows of an ASE database, many at a time.

ASE takes longer to write a row than LAMMPS to minimise a small cluster. But all rows of a run are alike: ASE writes the
first, and the others are copies of that with other positions, energies and facts, in whatever columns this version of
ASE has.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Mapping, Sequence
from contextlib import closing
from json import dumps
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from hea_potential.search.geometry import Floats

# What ASE finds rows by, copied from the rows themselves. They all have the same keys and the same species: what their
# tables have of these is not read again for every row.
INDEXING = (
    "INSERT INTO keys SELECT key, systems.id FROM json_each(:facts) CROSS JOIN systems WHERE systems.id >= :first",
    "INSERT INTO text_key_values SELECT key, value, systems.id FROM systems, json_each(key_value_pairs) "
    "WHERE systems.id >= :first AND type = 'text'",
    "INSERT INTO number_key_values SELECT key, value, systems.id FROM systems, json_each(key_value_pairs) "
    "WHERE systems.id >= :first AND type IN ('integer', 'real')",
    "INSERT INTO species SELECT Z, n, systems.id FROM "
    "(SELECT Z, n FROM species WHERE id = :template LIMIT :elements) CROSS JOIN systems WHERE systems.id >= :first",
)

# Columns that are not copied.
OWN = ("id", "unique_id", "ctime", "mtime", "positions", "energy", "key_value_pairs")
Facts = Mapping[str, str | int | float]


class Row(NamedTuple):
    """What differs from one row of a run to another: positions (n, 3), energy, and facts that can be selected by."""

    positions: Floats
    energy: float
    facts: Facts


def append_copies(path: Path, rows: Sequence[Row], patience: float) -> None:
    """Add rows, with facts of the same names, to a database that has one or more of the same atoms, all or nothing.
    Raises sqlite3.Error, also where another program keeps the database locked for longer than `patience` seconds.
    """
    from ase.db.core import now

    if not rows:
        return
    with closing(sqlite3.connect(path, timeout=patience)) as connection, connection:
        # With the write-ahead log this loses no more than the last batch if the power fails, and the journal has that.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-65536")  # kB: what a batch touches is not written before it is whole
        connection.execute("BEGIN IMMEDIATE")  # from here on nobody else adds rows
        template, first = table(connection, "SELECT min(id), 1 + max(id) FROM systems")[1]
        columns, values = table(connection, "SELECT * FROM systems WHERE id = ?", template)
        copied = {name: value for name, value in zip(columns, values, strict=True) if value is not None}
        elements = np.unique(np.frombuffer(copied["numbers"], "<i4")).size
        for name in OWN:
            del copied[name]
        names, moment = (*OWN, *copied), now()
        systems = (
            (
                number,
                identity,
                moment,
                moment,
                row.positions.astype("<f8", copy=False).tobytes(),
                row.energy,
                dumps(row.facts),
                *copied.values(),
            )
            for number, (row, identity) in enumerate(zip(rows, identities(len(rows)), strict=True), start=first)
        )
        connection.executemany(
            f"INSERT INTO systems ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})", systems
        )
        shared = {"template": template, "first": first, "facts": dumps(rows[0].facts), "elements": elements}
        for query in INDEXING:
            connection.execute(query, shared)


def identities(count: int) -> list[str]:
    """Different identities of rows, hexadecimal numbers of 32 digits as ASE makes them; half of them are the time (ns),
    not random, because their index takes in sooner what comes in order.
    """
    moment, digits = time.time_ns(), os.urandom(8 * count).hex()
    return [f"{moment + k:016x}{digits[16 * k : 16 * k + 16]}" for k in range(count)]


def table(connection: sqlite3.Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    """The names of the columns that a query gives, then its rows."""
    cursor = connection.execute(query, values)
    return [tuple(column[0] for column in cursor.description), *cursor]
