"""Several compositions in one call: ranges of ratios, budgets, excess energies and hulls, files, resuming."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from search_runs import HEA, MPIRUN, TIME_LIMIT

from hea_potential.cli import main
from hea_potential.errors import InputError
from hea_potential.search import search
from hea_potential.search.budget import Budget
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.hull import above_hull, excess_energies
from hea_potential.search.journal import RunFolderError
from hea_potential.search.loop import SeriesError
from hea_potential.search.pair import PairError
from hea_potential.search.ratios import all_ratios, equal_ratio, folder_name
from hea_potential.search.starts import random_packing
from hea_potential.search.state import Run

TIMES = ("seconds", "quench_seconds", "elapsed", "check")  # the checksum is over the other three as well


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.lmp"
    path.write_text("units lj\npair_style lj/cut 10.0\npair_coeff * * 1.0 1.0\n")
    return path


def formulas(compositions: list[Composition]) -> list[str]:
    return [each.formula for each in compositions]


def test_ratios_go_from_pure_to_pure_in_even_steps() -> None:
    assert formulas(all_ratios(4, ["Ni", "Cu"], 1)) == ["Ni4", "Ni3Cu1", "Ni2Cu2", "Ni1Cu3", "Cu4"]
    assert formulas(all_ratios(38, ["Ni", "Cu"], 19)) == ["Ni38", "Ni19Cu19", "Cu38"]
    assert formulas(all_ratios(7, ["Pt"], 2)) == ["Pt7"]
    fewer_atoms_than_elements = all_ratios(2, ["Ni", "Cu", "Pd"])
    assert formulas(fewer_atoms_than_elements) == ["Ni2", "Ni1Cu1", "Ni1Pd1", "Cu2", "Cu1Pd1", "Pd2"]
    nickel = [dict(zip(c.symbols, c.counts, strict=True)).get("Ni", 0) for c in all_ratios(38, ["Ni", "Cu"], 5)]
    assert {more - less for more, less in pairwise(nickel)} == {4, 5}
    assert (nickel[0], nickel[-1]) == (38, 0)


@pytest.mark.parametrize(("size", "kinds", "step"), [(13, 3, 1), (13, 3, 4), (38, 4, 9), (20, 2, 3), (6, 6, 2)])
def test_ratios_differ_add_up_and_treat_elements_alike(size: int, kinds: int, step: int) -> None:
    elements = ["Ni", "Cu", "Pd", "Ag", "Pt", "Au"][:kinds]
    found = all_ratios(size, elements, step)
    contents = {tuple(zip(c.symbols, c.counts, strict=True)) for c in found}
    assert len(contents) == len(found)
    assert all(c.size == size for c in found)
    assert {f"{element}{size}" for element in elements} <= set(formulas(found))


def test_without_a_step_a_range_stays_affordable() -> None:
    assert len(all_ratios(38, ["Ni", "Cu"])) == 39
    assert len(all_ratios(38, ["Ni", "Cu", "Pd", "Ag", "Pt", "Au"])) <= 100


def test_equal_ratios_and_names_of_folders() -> None:
    assert equal_ratio(38, ["Ni", "Cu", "Pd"]).counts == (13, 13, 12)
    assert folder_name([Composition.parse("Cu2Ni3")]) == "Cu2Ni3"
    assert folder_name(all_ratios(38, ["Ni", "Cu"])) == "NiCu_38"
    assert folder_name([Composition.parse("Ar7"), Composition.parse("Ar13")]) == "Ar_7-13"


@pytest.mark.parametrize(
    ("size", "elements", "step", "complaint"),
    [
        (0, ["Ni"], 1, "clusters of 0 atoms"),
        (10_001, ["Ni"], 1, "clusters of 10001 atoms; allowed are 1 to 10000"),
        (13, [], 1, "no elements"),
        (13, ["Ni", "Xx"], 1, "unknown element 'Xx'"),
        (13, ["Ni2"], 1, "'Ni2' is not an element"),
        (13, ["Ni", "Cu", "Ni"], 1, "element Ni is given 2 times"),
        (13, ["Ni", "Cu"], 0, "step of 0 atoms .* allowed: 1 to 13"),
        (13, ["Ni", "Cu"], 14, "step of 14 atoms .* allowed: 1 to 13"),
        (100, ["Ni", "Cu", "Pd"], 1, "5151 compositions .* choose a larger step"),
    ],
)
def test_impossible_ranges_are_refused(size: int, elements: list[str], step: int, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        all_ratios(size, elements, step)


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        (500, Budget(minimisations=500)),
        ("500", Budget(minimisations=500)),
        ("100000calls", Budget(calls=100_000)),
        ("1e5 calls", Budget(calls=100_000)),
        ("30s", Budget(seconds=30.0)),
        ("10min", Budget(seconds=600.0)),
        ("1.5h", Budget(seconds=5400.0)),
        (None, Budget()),
    ],
)
def test_budgets_are_read_with_their_units(words: int | str | None, budget: Budget) -> None:
    assert Budget.parse(words) == budget


def test_limits_given_apart_are_read_too() -> None:
    assert Budget.parse(3, force_calls=7, time="2min") == Budget(3, 7, None, 120.0)
    assert Budget.parse("1h", time=2.5) == Budget(seconds=3600.0, seconds_of_call=2.5)
    with pytest.raises(InputError, match="limited twice"):
        Budget.parse("5calls", force_calls=3)


def test_excess_energies_and_the_hull_of_a_binary_range() -> None:
    compositions = [Composition.parse(text) for text in ("Ni4", "Ni3Cu1", "Ni2Cu2", "Ni1Cu3", "Cu4", "Cu5")]
    energies = [-16.0, -16.0, -14.8, -12.6, -12.0, -16.0]
    excess = excess_energies(compositions, energies)
    # Against the straight line from -16 to -12: by hand, per atom.
    np.testing.assert_allclose(excess, [0.0, -0.25, -0.2, 0.1, 0.0, 0.0], atol=1e-12)
    # The hull runs through Ni4, Ni3Cu1, Ni2Cu2 and Cu4; at Ni1Cu3 it is halfway between -0.2 and 0.
    np.testing.assert_allclose(above_hull(compositions, excess), [0.0, 0.0, 0.0, 0.2, 0.0, 0.0], atol=1e-9)


def test_excess_energies_need_the_pure_clusters() -> None:
    compositions = [Composition.parse(text) for text in ("Ni4", "Ni2Cu2", "Cu5")]
    excess = excess_energies(compositions, [-16.0, -15.0, -20.0])
    assert np.isfinite(excess).tolist() == [True, False, True]
    assert np.isfinite(above_hull(compositions, excess)).tolist() == [True, False, True]


def test_the_hull_of_three_elements() -> None:
    compositions = [Composition.parse(text) for text in ("Ni3", "Cu3", "Pd3", "Ni1Cu1Pd1", "Ni2Cu1")]
    excess = excess_energies(compositions, [-3.0, -6.0, -9.0, -7.5, -3.9])
    np.testing.assert_allclose(excess, [0.0, 0.0, 0.0, -0.5, 0.1 / 3.0], atol=1e-12)
    # Ni2Cu1 is at an edge of the triangle, where only the pure clusters count.
    np.testing.assert_allclose(above_hull(compositions, excess), [0.0, 0.0, 0.0, 0.0, 0.1 / 3.0], atol=1e-9)


def hea(*words: object, ranks: int = 0) -> subprocess.CompletedProcess[str]:
    launcher = [MPIRUN, "-n", str(ranks)] if ranks else []
    command = [*launcher, *HEA, "search", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)


def entries(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return [{k: v for k, v in line.items() if k not in TIMES} for line in lines]


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
