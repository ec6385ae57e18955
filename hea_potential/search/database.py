"""The minima of a run for people and other programs: an ASE database and extended XYZ files.

The database follows the journal, which alone decides what was found: rows that a killed run did not write any more are
added when it is resumed. One process writes; others may read meanwhile (SQLite's write-ahead log).

ASE's readers and writers take longer to import than all the rest of a search: only the process that writes does so.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import uuid4

import numpy as np
from ase.data import atomic_numbers

from hea_potential.complete_file import complete_file
from hea_potential.errors import OutputError
from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.journal import RunFolderError, quoted
from hea_potential.search.rows import Row, append_copies

if TYPE_CHECKING:
    from ase import Atoms
    from ase.db.row import AtomsRow

NAME = "minima.db"
LOWEST = "lowest.extxyz"
SADDLES = "saddles.extxyz"
# SQLite's codes of a file that is not what was written to it, unlike those of a disk that is full or slow.
DAMAGED = (sqlite3.SQLITE_ERROR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
LOCKED = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
PAGE = 16384  # bytes; not many rows fit into pages of SQLite's own 4096
NUMBERED = (  # JSON of a number that is none, which somebody may add with ASE, has no minimum
    "SELECT id, energy, CASE WHEN json_valid(key_value_pairs) THEN json_extract(key_value_pairs, '$.minimum') END "
    "FROM systems"
)
INTERVAL = 5.0  # seconds between two transactions: each costs more than many rows
BRIEFLY = 0.1  # seconds that a run waits for a database that another program writes to, before it goes on without
PATIENCE = 10.0  # seconds that it waits in the end


class Database:
    """Writer of a run's minima, in batches."""

    def __init__(
        self, folder: Path, composition: Composition, seed: int, kappa: float = 0.0, ours: bool = False
    ) -> None:
        """Open or begin the database of a run, whose energies are E - `kappa` sigma. One that is `ours`, as the journal
        beside it says, is begun again if it is not whole: damaged, or without some of its tables, as a full disk leaves
        it or a kill while they are made.
        """
        self.path = folder / NAME
        self.composition = composition
        self.numbers = np.array([atomic_numbers[name] for name in composition.names(composition.types)], np.int32)
        self.seed = seed
        self.kappa = kappa
        try:
            if ours and not is_whole(self.path):
                for ending in ("", "-wal", "-shm"):
                    Path(f"{self.path}{ending}").unlink(missing_ok=True)
            self.written = self.opened()
        except sqlite3.Error as error:
            raise RunFolderError(f"{self.path}: cannot be used as a database of minima: {error}") from error
        self.pending: list[Minimum] = []
        self.flushed = time.monotonic()

    def opened(self) -> dict[int, tuple[int, float]]:
        """Row and energy of every minimum in the database, by its number."""
        import ase.db

        with closing(sqlite3.connect(self.path)) as connection:
            connection.execute(f"PRAGMA page_size={PAGE}")
            connection.execute("PRAGMA journal_mode=WAL")
        # No indices: where all rows have the same keys and elements they make no selection quicker, but writing slower.
        # Serial: under mpirun ASE would otherwise wait for all ranks at every call.
        self.rows = ase.db.connect(self.path, type="db", create_indices=False, serial=True, use_lock_file=False)
        self.rows.count()  # makes the tables of a new one
        found = {}
        with closing(sqlite3.connect(self.path)) as connection:
            for row, energy, number in connection.execute(NUMBERED):  # in a tenth of the time that ASE takes
                if number is None:
                    raise RunFolderError(
                        f"{self.path}: row {row} is none of the minima of a search; delete it, or the whole database: "
                        f"that is made again from the journal beside it"
                    )
                found[number] = row, energy
        return found

    def add(self, minima: Sequence[Minimum]) -> None:
        """Take new minima; they are written with the next batch, or a later one where another program writes."""
        self.pending += minima
        if time.monotonic() - self.flushed > INTERVAL:
            self.flush(BRIEFLY, must=False)

    def agree(self, minima: Sequence[Minimum]) -> None:
        """Take what a journal holds: write minima that are missing, and drop rows that it does not know, because it
        lost its last lines.
        """
        unknown = {
            number: row
            for number, (row, energy) in self.written.items()
            if number >= len(minima) or minima[number].energy != energy
        }
        try:
            self.rows.delete(list(unknown.values()))
        except sqlite3.Error as error:
            raise self.unwritable(error) from error
        for number in unknown:
            del self.written[number]
        self.pending = [minimum for minimum in minima if minimum.number not in self.written]
        self.flush()

    def flush(self, patience: float = PATIENCE, must: bool = True) -> None:
        """Write what is pending, all or nothing; not at all, unless it `must` be, where another program writes."""
        self.flushed = time.monotonic()
        if not self.pending:
            return
        try:
            if not self.rows.count():
                first = self.pending[0]
                self.rows.write(self.row_of(first), key_value_pairs=json.loads(self.facts(first)))
                self.pending = self.pending[1:]
            rows = [Row(one.cluster.positions, one.energy, self.facts(one)) for one in self.pending]
            append_copies(self.path, rows, patience)
        except sqlite3.Error as error:
            if is_locked(error) and not must:
                return
            raise self.unwritable(error) from error
        self.pending = []

    def unwritable(self, error: sqlite3.Error) -> OutputError:
        """What to say when the disk is full, or another program does not let go of the database."""
        if is_locked(error):
            return OutputError(
                f"{self.path}: another program keeps it locked; the journal beside it keeps what was found: give the "
                f"same command when that program has ended"
            )
        return OutputError(f"{self.path}: cannot be written: {error}; the journal beside it keeps what was found")

    def row_of(self, minimum: Minimum) -> AtomsRow:
        """The row that ASE would make of `atoms_of`."""
        from ase.db.core import now
        from ase.db.row import AtomsRow

        moment = now()
        return AtomsRow(
            {
                "unique_id": uuid4().hex,
                "ctime": moment,
                "mtime": moment,
                "user": os.getenv("USER"),
                "numbers": self.numbers,
                "positions": minimum.cluster.positions,
                "calculator": "lammps",
                "calculator_parameters": {},
                "energy": minimum.energy,
            }
        )

    def facts(self, minimum: Minimum) -> str:
        """What can be selected by, as JSON: its facts, and seed and time of the run."""
        facts = facts_as_json(minimum, self.kappa)
        return f'{facts[:-1]}, "seed": {self.seed}, "found_after": {minimum.found_after!r}}}'


def is_whole(path: Path) -> bool:
    """Whether a database is empty, or undamaged with all its tables: ASE writes the version when it has made them.
    Raises sqlite3.Error where a disk is full or slow.
    """
    with closing(sqlite3.connect(path)) as connection:
        try:
            if connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                return False
            is_begun = connection.execute("SELECT count(*) FROM sqlite_master").fetchone() != (0,)
            made = connection.execute("SELECT value FROM information WHERE name = 'version'") if is_begun else None
            return made is None or made.fetchone() is not None
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", None) in DAMAGED:
                return False
            raise


def is_locked(error: sqlite3.Error) -> bool:
    """Whether another program was writing to the database."""
    return getattr(error, "sqlite_errorcode", None) in LOCKED


def facts_of(minimum: Minimum, kappa: float = 0.0) -> dict[str, str | int | float]:
    """Identity, structure and lineage of a minimum, and kappa where its energy is E - `kappa` sigma; its parents are
    "none" or, say, "from 3 8".
    """
    return json.loads(facts_as_json(minimum, kappa))


def facts_as_json(minimum: Minimum, kappa: float) -> str:
    """The same as JSON. Written out, because a general encoder takes three times as long, which counts where a task
    takes a millisecond.
    """
    parents = "from " + " ".join(map(str, minimum.parents)) if minimum.parents else "none"
    return (
        f'{{"minimum": {minimum.number}, "motif": {quoted(minimum.motif)}, '
        f'"point_group": {quoted(minimum.point_group)}, "task": {minimum.task}, '
        f'"operator": {quoted(minimum.operator)}, "quench": {quoted(minimum.quench)}, "parents": "{parents}"'
        + (f', "kappa": {float(kappa)!r}}}' if kappa else "}")
    )


def atoms_of(minimum: Minimum, composition: Composition) -> Atoms:
    """The minimum as ASE atoms without a cell, its energy in a SinglePointCalculator."""
    from ase import Atoms
    from ase.calculators.singlepoint import SinglePointCalculator

    atoms = Atoms(composition.names(minimum.cluster.types), positions=minimum.cluster.positions)
    atoms.calc = SinglePointCalculator(atoms, energy=minimum.energy)
    return atoms


def write_structures(path: Path, minima: Sequence[Minimum], archive: Archive, kappa: float = 0.0) -> None:
    """Write minima, whose energies are E - `kappa` sigma, as extended XYZ, complete or not at all. A saddle has the
    energy that it `falls_to`. No times: the file is a function of seed and window.
    """
    from ase.io import write

    frames = []
    for minimum in minima:
        atoms = atoms_of(minimum, archive.composition)
        atoms.info.update(facts_of(minimum, kappa), hits=minimum.hits)
        if minimum.falls_to is not None:
            atoms.info["falls_to"] = minimum.falls_to
        frames.append(atoms)
    with complete_file(path) as temporary:
        write(temporary, frames, format="extxyz", parallel=False)
