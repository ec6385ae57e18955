"""What goes wrong around a search: killed ranks, a full disk, a damaged journal.

Whatever it is, the run ends with a message, and the same command goes on as if nothing had happened.
"""

from __future__ import annotations

import gc
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import ase
import ase.db
import ase.io
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from search_runs import ALLOY, HEA, LENNARD_JONES, MPIRUN, TIME_LIMIT, check_database, entries, found
from small_disk import small_disk

from hea_potential.errors import HEAError, OutputError
from hea_potential.search import search
from hea_potential.search.database import PAGE, write_structures
from hea_potential.search.journal import Journal, RunFolderError
from hea_potential.search.minimise import Limits
from hea_potential.search.pictures import draw_best
from hea_potential.search.state import Run

VICTIMS = ("worker", "mpirun", "manager")
KILLED = "one of its 3 ranks died; the same command goes on"


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pair") / "pair.lmp"
    path.write_text(LENNARD_JONES)
    return path


@pytest.fixture(scope="module")
def alloy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("alloy") / "alloy.lmp"
    path.write_text(ALLOY)
    return path


def lines_of(folder: Path) -> int:
    """How many lines a journal has."""
    journal = folder / "journal.jsonl"
    return journal.read_bytes().count(b"\n") if journal.exists() else 0


def ranks_of(mpirun: int) -> list[int]:
    """Processes of the ranks of an mpirun, in order of their ranks: children of its proxy."""

    def children(process: int) -> list[int]:
        with suppress(FileNotFoundError):
            return [int(child) for child in Path(f"/proc/{process}/task/{process}/children").read_text().split()]
        return []

    return [rank for proxy in children(mpirun) for rank in children(proxy)]


def kill_at(lines: int, victim: str, command: list[str], folder: Path, rng: random.Random, last: int) -> None:
    """Start a search on three ranks and kill the victim a moment after the journal has so many lines. It ends with one
    message, unless it had come to its last line. A search that was quicker is left alone.
    """
    before = lines_of(folder)
    running = subprocess.Popen(
        [MPIRUN, "-n", "3", *command], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + TIME_LIMIT
    while lines_of(folder) < lines and running.poll() is None:
        assert time.monotonic() < deadline
        time.sleep(0.005)
    time.sleep(rng.uniform(0.0, 0.03))
    ranks = ranks_of(running.pid)
    target = {"mpirun": running.pid, "worker": ranks[-1] if ranks else running.pid, "manager": (ranks or [0])[0]}[
        victim
    ]
    if running.poll() is None and target:
        os.kill(target, signal.SIGKILL)
    complaint = running.communicate(timeout=TIME_LIMIT)[1]
    if running.returncode > 0 and before < lines_of(folder) < last:  # a rank died in the middle of the run
        assert complaint.count("hea: error") == complaint.count(KILLED) == 1


def survive(kills: int, budget: int, alloy: Path, folder: Path) -> None:
    """Kill a search at random moments until it ends, and compare it to one that was left in peace."""
    rng = random.Random(kills)
    command = [*HEA, "search", "Ar10Kr10", "--pair", str(alloy), "--seed", "3", "--budget", str(budget)]
    command += ["--out", str(folder / "killed")]
    accepted = b""
    for index, moment in enumerate(sorted(rng.randrange(budget) for _ in range(kills))):
        victim = VICTIMS[index % 3]
        kill_at(moment, victim, command, folder / "killed", rng, last=budget + 1)
        journal = (folder / "killed" / "journal.jsonl").read_bytes()
        assert journal.startswith(accepted)
        accepted = journal[: journal.rfind(b"\n") + 1]
    last = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    assert last.returncode == 0, last.stderr
    assert (folder / "killed" / "journal.jsonl").read_bytes().startswith(accepted)
    check_database(folder / "killed")
    search("Ar10Kr10", pair=alloy, seed=3, budget=budget, out=folder / "whole")
    assert entries(folder / "killed") == entries(folder / "whole")
    best = [(folder / name / "lowest.extxyz").read_bytes() for name in ("killed", "whole")]
    assert best[0] == best[1]


def test_killed_ranks_lose_nothing(alloy: Path, tmp_path: Path) -> None:
    survive(3, 60, alloy, tmp_path)


@pytest.mark.slow
def test_thirty_kills_lose_nothing(alloy: Path, tmp_path: Path) -> None:
    survive(30, 1200, alloy, tmp_path)


def test_minimisations_that_exceed_their_calls_are_counted(pair: Path) -> None:
    runs: list[Run] = []
    archive = found(search("Ar13", pair=pair, budget=20, seed=1, limits=Limits(calls=3), observers=[runs.append]))
    assert runs[-1].tally.outcomes == {"unconverged": 20}
    assert len(archive) == 0


@pytest.mark.parametrize(("begun", "size"), [(0, 0), (0, 100), (0, 5_000), (0, 34_000), (20, 40_000), (20, 80_000)])
def test_a_full_disk_ends_the_run_with_a_message_and_it_goes_on(
    pair: Path, tmp_path: Path, begun: int, size: int
) -> None:
    folder, whole = tmp_path / "run", tmp_path / "whole"
    if begun:
        search("Ar13", pair=pair, budget=begun, seed=1, out=folder)
    search("Ar13", pair=pair, budget=1, seed=1)  # MPI cannot be begun on a full disk
    with small_disk(size), pytest.raises(HEAError, match=r"cannot be (written|used)") as ended:
        search("Ar13", pair=pair, budget=150, seed=1, out=folder)
    assert str(folder) in str(ended.value)
    before = (folder / "journal.jsonl").read_bytes()
    search("Ar13", pair=pair, budget=150, seed=1, out=folder)
    assert (folder / "journal.jsonl").read_bytes().startswith(before[: before.rfind(b"\n") + 1])
    check_database(folder)
    search("Ar13", pair=pair, budget=150, seed=1, out=whole)
    assert entries(folder) == entries(whole)


def test_a_disk_that_is_full_in_the_end_leaves_no_half_files(pair: Path, tmp_path: Path) -> None:
    archive = found(search("Ar13", pair=pair, budget=60, seed=1))
    writers = {"lowest.extxyz": lambda path: write_structures(path, archive.lowest(10), archive)}
    writers["best.png"] = lambda path: draw_best(path, archive)
    for name, write in writers.items():
        write(tmp_path / name)
        whole = (tmp_path / name).read_bytes()
        for limit in (0, 1000, len(whole) - 1):
            with (
                small_disk(limit),
                pytest.raises(OutputError, match=rf"cannot write .*{name}: File too large"),
            ):
                write(tmp_path / name)
            assert (tmp_path / name).read_bytes() == whole
    assert {path.name for path in tmp_path.iterdir()} == set(writers)
    assert len(ase.io.read(tmp_path / "lowest.extxyz", ":")) == 10


def test_folders_of_others_are_left_alone(finished: Path, pair: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"run folder '/proc/run': cannot be written"):
        search("Ar3", pair=pair, budget=5, out="/proc/run")
    for content in (b"my diary, no newline", b"1\n2\n3\n", b'{"format": "something else"}\n', b"\x89PNG\r\n"):
        (tmp_path / "journal.jsonl").write_bytes(content)
        with pytest.raises(RunFolderError, match="is not the journal of a search"):
            search("Ar3", pair=pair, budget=5, out=tmp_path)
        assert (tmp_path / "journal.jsonl").read_bytes() == content
    (tmp_path / "journal.jsonl").unlink()
    for content in (b"no database" * 100, (finished / "minima.db").read_bytes()):
        (tmp_path / "minima.db").write_bytes(content)
        for _ in range(2):  # nor the second time
            with pytest.raises(RunFolderError, match=r"minima.db: has no journal beside it"):
                search("Ar3", pair=pair, budget=5, out=tmp_path)
        assert (tmp_path / "minima.db").read_bytes() == content


def test_rows_of_others_in_the_database_are_left_alone(finished: Path, pair: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "run")
    with ase.db.connect(tmp_path / "run" / "minima.db") as rows:
        ours = rows.count()
        rows.write(ase.Atoms("Ar2"), note="mine")
    with pytest.raises(RunFolderError, match=rf"row {ours + 1} is none of the minima of a search; delete it"):
        search("Ar7", pair=pair, budget=50, out=tmp_path / "run")
    assert ase.db.connect(tmp_path / "run" / "minima.db").get(ours + 1).note == "mine"


@pytest.fixture(scope="module")
def finished(pair: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small search that has ended."""
    folder = tmp_path_factory.mktemp("finished")
    search("Ar7", pair=pair, budget=40, seed=1, out=folder)
    return folder


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0))
def test_a_journal_cut_anywhere_goes_on(finished: Path, pair: Path, tmp_path: Path, share: float) -> None:
    folder = tmp_path / f"{share}"
    folder.mkdir(exist_ok=True)
    content = (finished / "journal.jsonl").read_bytes()
    head = content.index(b"\n") + 1
    (folder / "journal.jsonl").write_bytes(content[: head + int(share * (len(content) - head))])
    (folder / "minima.db").write_bytes((finished / "minima.db").read_bytes())  # which is now ahead of the journal
    search("Ar7", pair=pair, budget=40, seed=1, out=folder)
    assert entries(folder) == entries(finished)
    check_database(folder)


@pytest.mark.parametrize("length", [0, 100])
def test_minima_whose_journal_has_lost_its_first_line_are_left_alone(
    finished: Path, pair: Path, tmp_path: Path, length: int
) -> None:
    (tmp_path / "journal.jsonl").write_bytes((finished / "journal.jsonl").read_bytes()[:length])
    (tmp_path / "minima.db").write_bytes((finished / "minima.db").read_bytes())
    for _ in range(2):  # nor the second time
        with pytest.raises(RunFolderError, match=r"minima.db: has no journal beside it, or one whose first line"):
            search("Ar7", pair=pair, budget=40, seed=1, out=tmp_path)
    assert (tmp_path / "minima.db").read_bytes() == (finished / "minima.db").read_bytes()


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(share=st.floats(0.0, 1.0, exclude_max=True), byte=st.integers(0, 255))
@example(share=-1.0, byte=ord("\r"))  # the first line's break, by another break
def test_a_changed_journal_is_found_out(finished: Path, tmp_path: Path, share: float, byte: int) -> None:
    content = bytearray((finished / "journal.jsonl").read_bytes())
    place = int(share * len(content)) if share >= 0.0 else content.index(b"\n")
    same = content[place] == byte
    content[place] = byte
    (tmp_path / "journal.jsonl").write_bytes(content)
    if same or place == len(content) - 1:  # without its line break the last line is one that was cut short
        Journal(tmp_path).close()
        return
    with pytest.raises(RunFolderError, match=r"line \d+ cannot be read|is not the journal"):
        Journal(tmp_path)
    assert (tmp_path / "journal.jsonl").read_bytes() == content


def test_the_database_follows_the_journal(finished: Path, pair: Path, tmp_path: Path) -> None:
    search("Ar7", pair=pair, budget=30, seed=2, out=tmp_path)
    (tmp_path / "journal.jsonl").write_bytes((finished / "journal.jsonl").read_bytes())
    for content in (None, b"", b"half a database"):
        if content is not None:
            gc.collect()  # ASE closes a database that was read no sooner
            (tmp_path / "minima.db").write_bytes(content)
        search("Ar7", pair=pair, budget=40, seed=1, out=tmp_path)
        check_database(tmp_path)


@pytest.mark.parametrize("what", ["tables without their version", "a damaged page"])
def test_a_damaged_database_is_made_again(finished: Path, pair: Path, tmp_path: Path, what: str) -> None:
    """Without the version, as ASE leaves it on a disk that is full while it makes the tables."""
    folder = tmp_path / "run"
    shutil.copytree(finished, folder)
    if what == "a damaged page":
        with (folder / "minima.db").open("r+b") as file:
            file.seek(4 * PAGE)
            file.write(b"damage" * 600)
    else:
        with sqlite3.connect(folder / "minima.db") as connection:
            connection.execute("DELETE FROM information")
        connection.close()
    search("Ar7", pair=pair, budget=60, seed=1, out=folder)
    check_database(folder)
