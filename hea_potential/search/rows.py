"""Rows of an ASE database, many at a time.

ASE takes longer to write a row than LAMMPS to minimise a small cluster. But all rows of a run are alike: ASE writes the
first, and the others are copies of that with other positions, energies and facts, in whatever columns this version of
ASE has.

ASE keeps facts twice: as JSON in the row itself, from which they are read, and each once more in a row of a table by
which it is selected. Here such a table is a view of the JSON, so that a row is one row and not a score of them. ASE
selects from views as from tables; what it writes to them is written to the JSON as well, and dropped.
"""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import numpy as np

from hea_potential.search.geometry import Floats

# What ASE finds rows by. JSON of a number that is none, which somebody may add with ASE, must not be an error for all.
EACH_FACT = "systems, json_each(CASE WHEN json_valid(key_value_pairs) THEN key_value_pairs END)"
VIEWS = {
    "keys": f"SELECT key, systems.id AS id FROM {EACH_FACT}",
    "text_key_values": f"SELECT key, value, systems.id AS id FROM {EACH_FACT} WHERE type = 'text'",
    "number_key_values": f"SELECT key, value, systems.id AS id FROM {EACH_FACT} "
    "WHERE type IN ('integer', 'real', 'true', 'false')",
}

# The row that others are copies of, and the number of the next one. What somebody has added to a row with ASE, such as
# forces or data, is of that structure alone: the first that nobody has changed, or the first of all.
TEMPLATE = (
    "SELECT id, numbers, (SELECT 1 + max(id) FROM systems) FROM systems WHERE id = coalesce("
    "(SELECT id FROM systems WHERE mtime = ctime ORDER BY id LIMIT 1), (SELECT min(id) FROM systems))"
)

# All rows have the species of one of them.
SPECIES = (
    "INSERT INTO species SELECT Z, n, systems.id FROM "
    "(SELECT Z, n FROM species WHERE id = :template LIMIT :elements) CROSS JOIN systems WHERE systems.id >= :first"
)

# Columns that are not copied.
OWN = ("id", "unique_id", "ctime", "mtime", "positions", "energy", "key_value_pairs")


class Row(NamedTuple):
    """What differs from one row of a run to another: positions (n, 3), energy, and facts that can be selected by, a
    JSON object of words and numbers.
    """

    positions: Floats
    energy: float
    facts: str


def append_copies(path: Path, rows: Sequence[Row], patience: float) -> None:
    """Add rows to a database that has one or more of the same atoms, all or nothing. Raises sqlite3.Error, also where
    another program keeps the database locked for longer than `patience` seconds.
    """
    from ase.db.core import now

    if not rows:
        return
    with closing(sqlite3.connect(path, timeout=patience)) as connection, connection:
        # With the write-ahead log this loses no more than the last batch if the power fails, and the journal has that.
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA cache_size=-65536")  # kB: what a batch touches is not written before it is whole
        connection.execute("BEGIN IMMEDIATE")  # from here on nobody else adds rows
        make_views(connection)
        template, numbers, first = connection.execute(TEMPLATE).fetchone()
        copied = [name for _, name, *_ in connection.execute("PRAGMA table_info(systems)") if name not in OWN]
        # In the words of the statement itself: in half the time that it takes to hand them over with every row.
        quoted = ", ".join(f"quote({name})" for name in copied)
        values = connection.execute(f"SELECT {quoted} FROM systems WHERE id = ?", (template,)).fetchone()
        moment = now()
        connection.executemany(
            f"INSERT INTO systems ({', '.join((*OWN, *copied))}) "
            f"VALUES (?, ?, {moment!r}, {moment!r}, ?, ?, ?, {', '.join(values)})",
            (
                (number, identity, row.positions.astype("<f8", copy=False).tobytes(), row.energy, row.facts)
                for number, (row, identity) in enumerate(zip(rows, identities(len(rows)), strict=True), start=first)
            ),
        )
        elements = np.unique(np.frombuffer(numbers, "<i4")).size
        connection.execute(SPECIES, {"template": template, "first": first, "elements": elements})


def make_views(connection: sqlite3.Connection) -> None:
    """Put views in the place of the tables that ASE has made, and an older version of this program filled."""
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    for name, facts in VIEWS.items():
        if name in tables:
            connection.execute(f"DROP TABLE {name}")
            connection.execute(f"CREATE VIEW {name} AS {facts}")
            for change in ("INSERT", "DELETE"):
                connection.execute(
                    f"CREATE TRIGGER {change.lower()}_{name} INSTEAD OF {change} ON {name} "
                    f"BEGIN SELECT RAISE(IGNORE); END"
                )


def identities(count: int) -> list[str]:
    """Different identities of rows, hexadecimal numbers of 32 digits as ASE makes them; half of them are the time (ns),
    not random, because their index takes in sooner what comes in order.
    """
    moment, digits = time.time_ns(), os.urandom(8 * count).hex()
    return [f"{moment + k:016x}{digits[16 * k : 16 * k + 16]}" for k in range(count)]
