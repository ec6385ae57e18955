"""What goes wrong around a search: killed ranks, crashing and hanging tasks, a full disk, a damaged journal.

Whatever it is, the run ends with a message, and the same command goes on as if nothing had happened.
"""

from __future__ import annotations

import gc
import os
import random
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path

import ase.io
import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from small_disk import small_disk
from test_search_run import ALLOY, HEA, LENNARD_JONES, MPIRUN, TIME_LIMIT, check_database, entries, found

from hea_potential.errors import HEAError, OutputError
from hea_potential.search import search
from hea_potential.search.composition import Composition
from hea_potential.search.database import write_structures
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import Journal, RunFolderError
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import Move
from hea_potential.search.pair import Pair
from hea_potential.search.pictures import draw_best
from hea_potential.search.state import Run
from hea_potential.search.tasks import Setup, Task
from hea_potential.search.workers import Crew, WorkersError

TROUBLESOME = Path(__file__).parent / "troublesome.py"
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


def troubled(move: str, pair: Path, folder: Path) -> int:
    """Repeat a search on two ranks with a troublesome move until it ends well; returns how often it failed."""
    command = [MPIRUN, "-n", "2", sys.executable, str(TROUBLESOME), move, str(pair), str(folder)]
    for failures in range(10):
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
        if run.returncode == 0:
            return failures
        assert run.stderr.count("hea: error: mpirun ended the search, because one of its 2 ranks died") == 1
    raise AssertionError(f"the search never ended well: {run.stderr}")


@pytest.mark.parametrize(
    ("move", "message"),
    [
        ("crash", "killed its process: Segmentation fault, in troublesome.py:"),
        ("hang", "was ended because it took too long, in troublesome.py:"),
    ],
)
def test_a_task_that_kills_its_process_is_not_done_again(move: str, message: str, pair: Path, tmp_path: Path) -> None:
    failures = troubled(move, pair, tmp_path / "run")
    done = [line for line in entries(tmp_path / "run") if "task" in line]
    assert [line["task"] for line in done] == list(range(len(done)))
    crashed = [line for line in done if line["outcome"] == "crashed"]
    assert 1 <= failures <= len(crashed)
    assert all(line["message"].startswith(message) for line in crashed)
    check_database(tmp_path / "run")
    assert not list((tmp_path / "run").glob(".task-*"))


def test_a_task_that_kills_a_worker_of_a_pool_is_noted(pair: Path, tmp_path: Path) -> None:
    from troublesome import BUDGET, SEED, TROUBLES

    moves, folder = {"crash": Move(TROUBLES["crash"])}, tmp_path / "run"
    # So many workers that the manager, which is the program of the tests, does no task itself.
    plan = {"budget": BUDGET, "seed": SEED, "window": 16, "moves": moves, "workers": 8, "out": folder}
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(WorkersError, match="a worker process died"),
    ):
        search("Ar7", pair=pair, executor=pool, **plan)
    journal = Journal(folder)
    journal.close()
    assert len(journal.crashed) == 1
    assert next(iter(journal.crashed.values())).startswith("killed its process: Segmentation fault, in troublesome.py:")


def test_a_worker_has_one_note_whatever_the_number_of_runs(tmp_path: Path) -> None:
    """In a process of its own, because the test runner has faulthandler for itself."""
    script = """
import os, sys
from pathlib import Path
from hea_potential.search.witness import Witness

def notes(folder):
    return len(list(Path(folder).glob(".task-*")))

for call in range(3):
    for folder in sys.argv[1:]:
        witness = Witness(Path(folder))
        for task in range(2):
            witness.begin(task)
            witness.rest()
        assert notes(folder) == 1
        Witness(Path(folder)).crashed()  # the manager takes notes away
        assert notes(folder) == 0
    files = len(os.listdir("/proc/self/fd"))
    assert call == 0 or files == before, (files, before)
    before = files
"""
    folders = [tmp_path / name for name in "abc"]
    for folder in folders:
        folder.mkdir()
    subprocess.run([sys.executable, "-c", script, *map(str, folders)], check=True, timeout=TIME_LIMIT)


def test_tasks_that_fail_at_once_do_not_let_many_follow_at_a_time(pair: Path) -> None:
    def broken(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
        raise RuntimeError("broken")

    composition = Composition.parse("Ar7")
    style = Pair.of_file(pair, composition)
    with Crew(Setup(composition, style, ((3.8,),), Limits(), (("broken", broken),), (), 1)) as crew:
        for number in range(100):
            crew.submit(Task(number, "broken"))
        spells = [crew.collect(0.0) for _ in range(6)]
    assert [result.outcome for spell in spells for result in spell] == ["error"] * sum(map(len, spells))
    assert all(1 <= len(spell) <= 2**place for place, spell in enumerate(spells))


def test_a_move_that_ends_the_program_only_ends_its_task(pair: Path) -> None:
    runs: list[Run] = []
    from troublesome import BUDGET, SEED, TROUBLES

    moves = {"leave": Move(TROUBLES["leave"])}
    search("Ar7", pair=pair, budget=BUDGET, seed=SEED, moves=moves, observers=[runs.append])
    assert runs[-1].tally.outcomes["error"] >= 1
    assert runs[-1].tally.last_message == "SystemExit: good bye"


def test_workers_that_cannot_have_the_moves_end_the_run_with_a_message(pair: Path, tmp_path: Path) -> None:
    moves = {"local": Move(lambda rng, parents, bonds: parents[0])}
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(WorkersError, match=r"cannot do its tasks: .*lambda.*functions of a module"),
    ):
        search("Ar7", pair=pair, budget=45, seed=5, moves=moves, executor=pool, workers=1, out=tmp_path / "run")
    assert lines_of(tmp_path / "run") >= 1


def test_minimisations_that_exceed_their_calls_are_counted(pair: Path) -> None:
    runs: list[Run] = []
    archive = found(search("Ar13", pair=pair, budget=20, seed=1, limits=Limits(calls=3), observers=[runs.append]))
    assert runs[-1].tally.outcomes == {"unconverged": 20}
    assert len(archive) == 0


@pytest.mark.parametrize("size", [0, 100, 5_000, 12_000, 34_000])
def test_a_full_disk_ends_the_run_with_a_message_and_it_goes_on(pair: Path, tmp_path: Path, size: int) -> None:
    folder, whole = tmp_path / "run", tmp_path / "whole"
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


def test_folders_of_others_are_left_alone(pair: Path, tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"run folder '/proc/run': cannot be written"):
        search("Ar3", pair=pair, budget=5, out="/proc/run")
    for content in (b"my diary, no newline", b"1\n2\n3\n", b'{"format": "something else"}\n', b"\x89PNG\r\n"):
        (tmp_path / "journal.jsonl").write_bytes(content)
        with pytest.raises(RunFolderError, match="is not the journal of a search"):
            search("Ar3", pair=pair, budget=5, out=tmp_path)
        assert (tmp_path / "journal.jsonl").read_bytes() == content
    (tmp_path / "journal.jsonl").unlink()
    (tmp_path / "minima.db").write_bytes(b"no database" * 100)
    with pytest.raises(RunFolderError, match=r"minima.db: cannot be used as a database"):
        search("Ar3", pair=pair, budget=5, out=tmp_path)


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
    (folder / "journal.jsonl").write_bytes(content[: int(share * len(content))])
    (folder / "minima.db").write_bytes((finished / "minima.db").read_bytes())  # which is now ahead of the journal
    search("Ar7", pair=pair, budget=40, seed=1, out=folder)
    assert entries(folder) == entries(finished)
    check_database(folder)


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
