"""Several compositions in one call: equal to those searched alone, limits of each, tables and files, resuming."""

from __future__ import annotations

import csv
import re
import sys
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import ase.io
import numpy as np
import pytest
from search_runs import entries, hea

from hea_potential.cli import main
from hea_potential.errors import InputError
from hea_potential.search import search
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import RunFolderError
from hea_potential.search.loop import SeriesError
from hea_potential.search.pair import PairError
from hea_potential.search.starts import random_packing
from hea_potential.search.state import Run


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.lmp"
    path.write_text("units lj\npair_style lj/cut 10.0\npair_coeff * * 1.0 1.0\n")
    return path


def test_a_range_under_mpirun_finds_what_each_composition_finds_alone(tmp_path: Path, pair: Path) -> None:
    words = ("--size", 6, "--elements", "Ar,Kr", "--all-ratios", "--ratio-step", 3, "--pair", pair, "--seed", 5)
    result = hea(*words, "--budget", 24, "--out", tmp_path / "range", ranks=2)
    assert result.returncode == 0, result.stderr
    archives = search(["Ar6", "Ar3Kr3", "Kr6"], pair=pair, seed=5, budget=24, out=tmp_path / "alone")
    assert archives is not None
    assert list(archives) == ["Ar6", "Ar3Kr3", "Kr6"]
    for formula in archives:
        assert entries(tmp_path / "range" / formula) == entries(tmp_path / "alone" / formula)
        assert (tmp_path / "range" / formula / "view.html").exists()
        assert f"{formula} (" in result.stderr
    with (tmp_path / "range" / "compositions.csv").open() as stream:
        rows = list(csv.DictReader(stream))
    assert [row["composition"] for row in rows] == list(archives)
    # All three are the same octahedron: the elements do not differ.
    assert [float(row["energy (epsilon)"]) for row in rows] == pytest.approx([-12.712] * 3, abs=2e-3)
    assert [float(row["excess (epsilon per atom)"]) for row in rows] == pytest.approx([0.0] * 3, abs=1e-3)
    frames = ase.io.read(tmp_path / "range" / "best.extxyz", ":")
    assert [str(atoms.symbols) for atoms in frames] == ["Ar6", "Ar3Kr3", "Kr6"]
    assert (tmp_path / "range" / "hull.png").read_bytes().startswith(b"\x89PNG")
    for name in ("compositions.csv", "hull.png", "view.html", "best.extxyz"):
        assert str(tmp_path / "range" / name) in result.stdout


def test_a_range_goes_on_where_it_was(tmp_path: Path, pair: Path) -> None:
    for compositions in (["Ar5"], ["Ar5", "Ar6"], ["Ar5", "Ar6"]):
        search(compositions, pair=pair, seed=1, budget=20, out=tmp_path)
    first, second = (len(entries(tmp_path / formula)) for formula in ("Ar5", "Ar6"))
    assert first == second == 21


def test_a_budget_of_time_counts_earlier_calls_and_a_time_does_not(tmp_path: Path, pair: Path) -> None:
    counts = []
    for limit in ({"budget": "0.6s"}, {"budget": "0.6s"}, {"time": "0.6s"}):
        search("Ar9", pair=pair, seed=2, out=tmp_path, **limit)
        counts.append(len(entries(tmp_path)))
    first, second, third = counts
    assert first <= second < 1.5 * first  # what the first call may have left of its time
    assert third > second


def test_a_budget_of_force_calls_ends_where_it_is_spent(tmp_path: Path, pair: Path) -> None:
    result = hea("Ar9", "--pair", pair, "--seed", 2, "-b", "2000calls", "-o", tmp_path / "ranks", ranks=2)
    assert result.returncode == 0, result.stderr
    search("Ar9", pair=pair, seed=2, force_calls=2000, out=tmp_path / "alone")
    alone = entries(tmp_path / "alone")
    assert entries(tmp_path / "ranks") == alone
    calls = [entry["calls"] for entry in alone[1:]]
    assert sum(calls) >= 2000 > sum(calls[:-1])


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ((), "no composition is given"),
        (("--size", "13"), "got --size 13 without --elements"),
        (("--elements", "Ar,Kr"), "got --elements Ar,Kr without --size"),
        (("Ar3", "--size", "13"), "got the composition Ar3 and a range"),
        (("Ar3", "--all-ratios"), "got the composition Ar3 and a range"),
        (("--size", "13", "--elements", "Ar,Kr", "--ratio-step", "2"), "without --all-ratios"),
        (("--size", "0", "--elements", "Ar"), "clusters of 0 atoms"),
        (("--size", "2", "--elements", "Ar,Kr,Xe"), "2 atoms of 3 elements in equal ratio; allowed are 3 to 10000"),
        (("--size", "13", "--elements", "Ar,Xx", "--all-ratios"), "unknown element 'Xx'"),
        (("Ar2Kr3", "Kr3Ar2"), "Kr3Ar2 is the composition Ar2Kr3 once more"),
        (("Ar3", "--budget", "many"), "budget of 'many'"),
        (("Ar3", "--budget", "-5"), "budget of -5 minimisations"),
        (("Ar3", "--budget", "-5calls"), "budget of -5 force calls"),
        (("Ar3", "--force-calls", "0"), "budget of 0 force calls"),
        (("Ar3", "--time", "-2min"), "time of -120.0 seconds"),
        (("Ar3", "--time", "nan"), "time of nan seconds"),
        (("Ar3", "--target", "inf"), "target energy inf"),
        (("Ar3", "--moves", "jump"), "unknown move 'jump'; allowed: splice"),
        (("Ar3", "--moves", ","), "no move is given"),
        (("Ar3", "--starts", ","), "no start is given"),
        (("Ar3", "--fmax", "-1"), "largest force of -1.0"),
        (("Ar3", "--fmax", "nan"), "largest force of nan"),
        (("Ar3", "--calls", "0"), "at most 0 force calls"),
        (("Ar3", "--calls", "3000000000"), "at most 3000000000 force calls of a minimisation; allowed: whole"),
        (("Ar3", "--window", "0"), "window of 0 tasks"),
        (("Ar3", "--window", "1000000000000"), "window of 1000000000000 tasks; allowed: 1 to 100000"),
        (("Ar3", "--task-seconds", "0"), "0.0 seconds for a task"),
        (("Ar3", "--task-seconds", "inf"), "inf seconds for a task; it must be positive, and at most 1e+09"),
        (("Ar3", "--model", "hea6"), "got the model 'hea6' and a pair style"),
    ],
)
def test_a_mistake_costs_one_line_and_leaves_nothing(
    *,
    words: tuple[str, ...],
    complaint: str,
    tmp_path: Path,
    pair: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "argv", ["hea", "search", *words, "--pair", str(pair), "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert complaint in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_more_ranks_than_work_are_refused(tmp_path: Path, pair: Path) -> None:
    result = hea("Ar5", "--pair", pair, "--budget", 1, "--out", tmp_path / "run", ranks=3)
    assert result.returncode == 2
    # Whether the first rank minimises too depends on the cores of the machine.
    assert re.fullmatch(r"hea: error: search: [23] working ranks for a budget of 1 minimisation.*\n", result.stderr)
    with ProcessPoolExecutor(3) as pool, pytest.raises(InputError, match="working ranks for a window of 2 tasks"):
        search("Ar5", pair=pair, budget=90, window=2, out=tmp_path / "run", executor=pool, workers=3)
    assert not (tmp_path / "run").exists()


def test_a_pair_style_that_fails_for_one_composition_ends_the_range_before_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "pair.lmp"
    path.write_text("units lj\npair_style lj/cut 10.0\npair_coeff 1 1 1.0 1.0\npair_coeff 2 2 1.0 1.0\n")
    with pytest.raises(PairError, match=r"LAMMPS refuses the line 'pair_coeff 2 2 1.0 1.0'"):
        search(["Ar3Kr3", "Ar6"], pair=path, budget=20, out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_elements_that_a_model_does_not_know_are_named() -> None:
    with pytest.raises(InputError, match=r"'hea6' does not know Fe of Fe3Ni3; allowed: Ni, Cu, Pd, Ag, Pt, Au"):
        search(["Ni6", "Fe3Ni3"], budget=5)


def test_the_folder_of_one_composition_takes_no_range_and_none_of_another(tmp_path: Path, pair: Path) -> None:
    search("Ar3", pair=pair, budget=2, seed=1, out=tmp_path / "one")
    with pytest.raises(RunFolderError, match="holds the search of one composition"):
        search(["Ar3", "Ar4"], pair=pair, budget=2, out=tmp_path / "one")
    with pytest.raises(RunFolderError, match="holds folders of other searches"):
        search("Ar3", pair=pair, budget=2, out=tmp_path)
    (tmp_path / "range").mkdir()
    (tmp_path / "one").rename(tmp_path / "range" / "Ar4")
    with pytest.raises(RunFolderError, match="composition Ar3, this one has Ar4"):
        search(["Ar5", "Ar4"], pair=pair, budget=2, out=tmp_path / "range")
    assert not (tmp_path / "range" / "Ar5").exists()


def nothing(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    if composition.formula == "Ar6":
        raise ValueError("nothing to start from")
    return random_packing(rng, composition, bonds)


def test_where_nothing_works_the_next_composition_is_begun(pair: Path) -> None:
    runs: list[Run] = []
    with pytest.raises(SeriesError, match=r"1 of 3 searches failed, .*\. Ar6: all of the first 16") as end:
        search(["Ar5", "Ar6", "Ar7"], pair=pair, budget=20, seed=1, starts={"broken": nothing}, observers=[runs.append])
    assert [len(archive) > 0 for archive in end.value.archives.values()] == [True, False, True]
    assert {run.archive.composition.formula for run in runs if run.failure} == {"Ar6"}


def test_the_table_of_a_range_says_where_nothing_worked(
    pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    # No atom may have more neighbours than this in a list: LAMMPS refuses all larger clusters.
    pair.write_text(pair.read_text() + "neigh_modify one 4 page 1000\n")
    out = tmp_path / "runs"
    words = ["search", "Ar4", "Ar13", "Ar3", "--pair", str(pair), "--budget", "20", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["hea", *words])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    printed = capsys.readouterr()
    assert re.search(r"1 of 3 searches failed.*Ar13: all of the first 16 minimisations failed.*neigh", printed.err)
    rows = list(csv.DictReader((out / "compositions.csv").read_text().splitlines()))
    assert [(row["composition"], int(row["minima"]) > 0) for row in rows] == [
        ("Ar4", True),
        ("Ar13", False),
        ("Ar3", True),
    ]
