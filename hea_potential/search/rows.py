"""Rows of an ASE database, many at a time.

ASE takes longer to write a row than LAMMPS to minimise a small cluster. But all rows of a run are alike: ASE writes the
first, and the others are copies of that with other positions, energies and facts, in whatever columns this version of
ASE has.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
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

OWN = ("id", "unique_id", "ctime", "mtime", "positions", "energy", "key_value_pairs")  # columns that are not copied
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
        connection.execute("PRAGMA cache_size=-65536")  # kB: what a batch touches is not written before it is whole
        columns = table(connection, "SELECT * FROM systems LIMIT 0")[0]
        template, last = table(connection, "SELECT min(id), max(id) FROM systems")[1]
        copied = ", ".join(f":{column}" if column in OWN else column for column in columns)
        moment = now()
        systems = [
            {
                "template": template,
                "id": number,
                "unique_id": identity,
                "ctime": moment,
                "mtime": moment,
                "positions": np.asarray(row.positions, "<f8").tobytes(),
                "energy": row.energy,
                "key_value_pairs": json.dumps(row.facts),
            }
            for number, (row, identity) in enumerate(zip(rows, identities(len(rows)), strict=True), start=last + 1)
        ]
        connection.executemany(f"INSERT INTO systems SELECT {copied} FROM systems WHERE id = :template", systems)
        for query in INDEXING:
            connection.execute(query, {"first": last + 1, "template": template})


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
