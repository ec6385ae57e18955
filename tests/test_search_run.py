"""Whole searches: known minima, equal runs on any number of ranks, resuming, failures, bad input, files."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import sysconfig
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

from hea_potential.cli import main
from hea_potential.errors import HEAError, InputError, OutputError
from hea_potential.search import Archive, search
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import RunFolderError, sealed
from hea_potential.search.loop import SearchError
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run

LENNARD_JONES = "units lj\npair_style lj/cut 30.0\npair_coeff * * 1.0 1.0\n"
ALLOY = "units lj\npair_style lj/cut 10.0\npair_coeff 1 1 1.0 1.0\npair_coeff 2 2 0.8 1.2\n"
MPIRUN = str(Path(sysconfig.get_path("scripts")) / "mpirun")
HEA = [sys.executable, "-c", "from hea_potential.cli import main; main()"]
TIME_LIMIT = 600.0  # s; a run that takes longer hangs: most take a few, but machines may be busy


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


def found(archive: Archive | None) -> Archive:
    assert archive is not None
    return archive


def hea(*words: object, ranks: int = 0) -> subprocess.CompletedProcess[str]:
    launcher = [MPIRUN, "-n", str(ranks)] if ranks else []
    command = [*launcher, *HEA, "search", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)


def entries(folder: Path) -> list[dict[str, Any]]:
    """What a journal says, without the times and checksums."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    drop = ("seconds", "quench_seconds", "elapsed", "check")
    return [{k: v for k, v in line.items() if k not in drop} for line in lines]


def check_database(folder: Path) -> None:
    """SQLite finds it whole, and it holds each minimum of the journal once, with its energy."""
    with sqlite3.connect(folder / "minima.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    accepted = {line["minimum"]: line["energy"] for line in entries(folder) if "positions" in line}
    rows = {row.minimum: row.energy for row in ase.db.connect(folder / "minima.db", serial=True).select()}
    assert rows == accepted
    assert sorted(rows) == list(range(len(rows)))


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


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("Xx3",), "unknown element 'Xx'"),
        (("Ar0",), "zero atoms of Ar"),
        (("13",), "cannot read '13'"),
        (("Ar3", "--target", "nan"), "target energy nan"),
        (("Ar3", "--time", "0"), "time of 0.0 seconds"),
        (("Ar3", "--budget", "0"), "budget of 0 minimisations"),
        (("Ar3", "--seed", "-1"), "seed -1"),
        (("Ar3", "--method", "magic"), "unknown method 'magic'; allowed: ga, bh"),
        (("Ar3", "--starts", "perfect"), "unknown start 'perfect'; allowed: random"),
        (("Ar3", "--pair", "absent.lmp"), "pair file 'absent.lmp': cannot be read"),
        (("Ar3", "--model", "absent"), "model: got 'absent'"),
        (("Ar3", "--kappa", "2"), "kappa 2.0 and a pair style"),
        (("Cu3", "--model", "hea6", "--kappa", "nan"), "kappa: got nan"),
    ],
)
def test_bad_input_is_one_clear_error(
    *,
    pair: Path,
    tmp_path: Path,
    words: tuple[str, ...],
    complaint: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    options = () if {"--pair", "--model"} & set(words) else ("--pair", str(pair))
    monkeypatch.setattr(sys, "argv", ["hea", "search", *words, *options, "--out", str(tmp_path / "run")])
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert complaint in error
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("command", ["quit 0", "clear"])
def test_a_pair_file_that_would_end_lammps_is_refused(command: str, tmp_path: Path) -> None:
    (tmp_path / "pair.lmp").write_text(f"units lj\npair_style lj/cut 30.0\npair_coeff * * 1.0 1.0\n{command}  # done\n")
    result = hea("Ar3", "--pair", tmp_path / "pair.lmp", "--budget", 5, "--out", tmp_path / "run")
    assert result.returncode == 2
    assert result.stderr.endswith(f"has the command {command.partition(' ')[0]}; allowed are those of a pair style\n")
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("words", [{"starts": "random"}, {"moves": "rattle"}])
def test_names_that_are_no_list_are_refused_as_such(words: dict[str, Any], pair: Path) -> None:
    with pytest.raises(InputError, match=r"give a list of names, such as \['(random|rattle)'\]"):
        search("Ar3", pair=pair, budget=5, **words)


def test_bad_input_under_mpirun_ends_all_ranks(pair: Path, tmp_path: Path) -> None:
    result = hea("Xx3", "--pair", pair, "--out", tmp_path / "run", ranks=2)
    assert result.returncode == 2
    assert result.stderr.count("unknown element 'Xx'") == 1


def test_a_mistaken_command_line_is_said_once_under_mpirun() -> None:
    result = hea("Ar3", "--bogus", ranks=3)
    assert result.returncode == 2
    assert result.stderr.count("No such option: --bogus") == 1


def test_folders_that_cannot_be_used_are_refused(pair: Path, alloy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"run folder .*file.* cannot be written"):
        search("Ar3", pair=pair, budget=5, out=tmp_path / "file" / "run")
    folder = tmp_path / "run"
    search("Ar3", pair=pair, budget=5, seed=1, out=folder)
    for changed, complaint in (
        ({"composition": "Ar4"}, "holds a search with composition Ar3, this one has Ar4"),
        ({"seed": 2}, "seed 1, this one has 2"),
        ({"pair": alloy, "composition": "Ar3"}, "pair"),
        ({"limits": Limits(fmax=0.5)}, "limits"),
        ({"window": 3}, "window 16, this one has 3"),
    ):
        arguments: dict[str, Any] = {"composition": "Ar3", "pair": pair, "budget": 5, "out": folder, **changed}
        with pytest.raises(HEAError, match=complaint):
            search(**arguments)
    (folder / "journal.jsonl").write_text('{"format": "something else"}\n')
    with pytest.raises(RunFolderError, match="journal"):
        search("Ar3", pair=pair, budget=5, out=folder)


def test_a_search_with_other_tables_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair file stays the same, what it reads does not; in the same process, with the same seed."""
    monkeypatch.chdir(tmp_path)
    Path("pair.lmp").write_text("units lj\npair_style lj/cut 30.0\ninclude 'depth'  # of the well\n")
    energies = []
    for depth in (1.0, 2.0):
        Path("depth").write_text(f"pair_coeff * * {depth} 1.0\n")
        best = found(search("Ar4", pair="pair.lmp", budget=20, seed=1)).best
        assert best is not None
        energies.append(best.energy)
        if depth == 1.0:
            search("Ar4", pair="pair.lmp", budget=20, seed=1, out="run")
    assert energies == pytest.approx([-6.0, -12.0], abs=1e-4)
    with pytest.raises(RunFolderError, match=r"holds a search with files .*depth.* choose another folder"):
        search("Ar4", pair="pair.lmp", budget=40, out="run")
    Path("depth").write_text("pair_coeff * * 1.0 1.0\n")
    assert len(found(search("Ar4", pair="pair.lmp", budget=40, out="run"))) >= 1


def test_a_run_of_a_version_that_noted_no_files_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pair.lmp").write_text("units lj\npair_style lj/cut 30.0\ninclude depth\n")
    Path("depth").write_text("pair_coeff * * 1.0 1.0\n")
    search("Ar4", pair="pair.lmp", budget=20, seed=1, out="run")
    path = Path("run", "journal.jsonl")
    first, rest = path.read_bytes().split(b"\n", 1)
    header = json.loads(first)
    del header["files"], header["check"]
    path.write_bytes(sealed(json.dumps(header, separators=(",", ":"))[:-1]) + rest)
    assert len(found(search("Ar4", pair="pair.lmp", budget=40, out="run"))) >= 1


def test_two_runs_do_not_share_a_folder(pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hea_potential.locked_file.HANDOVER", 0.1)

    def start_another(run: Run) -> None:
        with pytest.raises(RunFolderError, match="another search is running"):
            search("Ar3", pair=pair, budget=5, out=tmp_path / "run")

    search("Ar3", pair=pair, budget=2, out=tmp_path / "run", observers=[start_another])


def test_a_search_must_end() -> None:
    with pytest.raises(InputError, match="give a budget, a time or a target"):
        search("Ar3", pair=Pair(("pair_style lj/cut 5.0", "pair_coeff * * 1 1")))


def test_importing_the_search_loads_neither_lammps_nor_mpi() -> None:
    code = "import sys, hea_potential.search; assert not {'lammps', 'mpi4py', 'torch'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=TIME_LIMIT)
