"""What a search writes of its minima: rows as ASE itself would write them, and extended XYZ."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pytest
from ase.calculators.singlepoint import SinglePointCalculator

from hea_potential.errors import OutputError
from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.database import Database, atoms_of, facts_of, write_structures
from hea_potential.search.journal import RunFolderError
from hea_potential.search.similarity import fingerprint
from hea_potential.search.starts import random_packing
from hea_potential.search.tasks import Result

COMPOSITION = Composition.parse("Cu4Au3")
BONDS = np.array([[2.5, 2.65], [2.65, 2.8]])


def archive_of(count: int) -> Archive:
    rng = np.random.default_rng(1)
    archive = Archive(COMPOSITION, BONDS)
    for number in range(count):
        cluster = random_packing(rng, COMPOSITION, BONDS).ordered()
        parents = () if number < 2 else (0, 1)
        result = Result(number, "splice", parents, "minimum", -10.0 - number, cluster, fingerprint(cluster, BONDS))
        archive.enter(result, 0.5 * number)
    return archive


def written(folder: Path, *batches: list[Minimum]) -> Path:
    for batch in batches:
        database = Database(folder, COMPOSITION, seed=7)
        database.add(batch)
        database.flush()
    return folder / "minima.db"


def test_rows_are_what_ase_would_write(tmp_path: Path) -> None:
    minima = archive_of(6).minima
    path = written(tmp_path, minima[:1], minima[1:4], [], minima[4:])
    with ase.db.connect(tmp_path / "plain.db") as plain:
        for minimum in minima:
            plain.write(
                atoms_of(minimum, COMPOSITION),
                key_value_pairs={**facts_of(minimum), "seed": 7, "found_after": minimum.found_after},
            )
    rows, expected = (list(ase.db.connect(name, serial=True).select()) for name in (path, tmp_path / "plain.db"))
    assert len(rows) == len(expected) == 6
    for row, other in zip(rows, expected, strict=True):
        assert (row.id, row.energy, row.formula) == (other.id, other.energy, other.formula)
        assert row.key_value_pairs == other.key_value_pairs
        assert row.mass == pytest.approx(other.mass)
        assert row.data == other.data == {}
        assert row.toatoms() == other.toatoms()
    assert len({row.unique_id for row in rows}) == 6


def test_ase_changes_rows_as_its_own(tmp_path: Path) -> None:
    path = written(tmp_path, archive_of(6).minima)
    rows = ase.db.connect(path, serial=True)
    rows.update(3, is_nice=True, colour="red", height=float("nan"))
    rows.update(4, is_nice=True, colour="blue", task=40)
    rows.delete([2])
    added = rows.write(rows.get_atoms(5), colour="red")

    def found(query: str) -> list[int]:
        return [row.id for row in rows.select(query)]

    assert found("colour=blue") == found("is_nice=1") == found("task>5") == [4]
    assert found("colour=red") == [added]  # JSON knows no NaN: what has one is found by no fact
    assert found("colour") == [4, added]
    assert found("minimum") == [1, 4, 5, 6]
    rows.update(4, delete_keys=["colour"])
    assert found("colour") == [added]
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_what_is_added_to_a_row_is_not_copied_to_others(tmp_path: Path) -> None:
    minima = archive_of(6).minima
    path = written(tmp_path, minima[:3])
    rows = ase.db.connect(path, serial=True)
    atoms = rows.get_atoms(1)
    atoms.calc = SinglePointCalculator(atoms, energy=rows.get(1).energy, forces=np.ones((len(atoms), 3)))
    rows.update(1, atoms=atoms, data={"note": "of this one"})
    written(tmp_path, minima[3:])
    assert "forces" in rows.get(1)
    assert [("forces" in row, row.data) for row in rows.select("minimum>2")] == [(False, {})] * 3


def test_a_row_that_is_not_json_any_more_is_named(tmp_path: Path) -> None:
    rows = ase.db.connect(written(tmp_path, archive_of(3).minima), serial=True)
    rows.update(2, height=float("nan"))
    with pytest.raises(RunFolderError, match="row 2 is none of the minima of a search; delete it"):
        written(tmp_path, [])


def test_rows_are_added_to_a_database_with_tables_of_facts(tmp_path: Path) -> None:
    minima = archive_of(4).minima
    with ase.db.connect(tmp_path / "minima.db", create_indices=False) as older:
        for minimum in minima[:3]:
            facts = {**facts_of(minimum), "seed": 7, "found_after": minimum.found_after}
            older.write(atoms_of(minimum, COMPOSITION), key_value_pairs=facts)
    path = written(tmp_path, minima[3:])
    rows = ase.db.connect(path, serial=True)
    for minimum in minima:
        (row,) = rows.select(minimum=minimum.number, parents="from 0 1" if minimum.parents else "none")
        assert (row.id, row.energy) == (minimum.number + 1, minimum.energy)


def test_a_locked_database_does_not_stop_a_run_but_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = archive_of(5).minima
    path = written(tmp_path, [first])
    monkeypatch.setattr("hea_potential.search.database.INTERVAL", 0.0)
    database = Database(tmp_path, COMPOSITION, seed=7)
    with closing(sqlite3.connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        for minimum in others:
            database.add([minimum])
        with pytest.raises(OutputError, match=r"another program keeps it locked; .* give the same command"):
            database.flush(patience=0.3)
    database.flush()
    assert [row.minimum for row in ase.db.connect(path, serial=True).select()] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("minimum=3", [3]),
        ("energy<-13", [4, 5]),
        ("parents=none", [0, 1]),
        ("Cu=4,task>3", [4, 5]),
        ("seed=7,found_after<1", [0, 1]),
    ],
)
def test_rows_are_found_by_their_facts(tmp_path: Path, query: str, expected: list[int]) -> None:
    path = written(tmp_path, archive_of(6).minima)
    assert [row.minimum for row in ase.db.connect(path, serial=True).select(query)] == expected


def test_structure_is_a_fact(tmp_path: Path) -> None:
    minima = archive_of(3).minima
    path = written(tmp_path, minima)
    for row in ase.db.connect(path, serial=True).select():
        assert (row.motif, row.point_group) == (minima[row.minimum].motif, minima[row.minimum].point_group)
        assert (row.motif, row.point_group) == ("coreless", "C1")


def test_structures_carry_their_facts(tmp_path: Path) -> None:
    archive = archive_of(3)
    archive.minima[2].hits = 4
    write_structures(tmp_path / "lowest.extxyz", archive.lowest(2), archive)
    frames = ase.io.read(tmp_path / "lowest.extxyz", ":")
    assert [frame.get_potential_energy() for frame in frames] == [-12.0, -11.0]
    assert frames[0].info == {**facts_of(archive.minima[2]), "hits": 4}
