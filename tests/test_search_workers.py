"""Tasks that go wrong: they crash or hang their process, end the program, cannot be sent to workers, fail at once."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from search_runs import LENNARD_JONES, MPIRUN, TIME_LIMIT, check_database, entries
from troublesome import BUDGET, SEED, TROUBLES

from hea_potential.search import search
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import Journal
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import Move
from hea_potential.search.pair import Pair
from hea_potential.search.state import Run
from hea_potential.search.tasks import Setup, Task
from hea_potential.search.workers import Crew, WorkersError

TROUBLESOME = Path(__file__).parent / "troublesome.py"


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.lmp"
    path.write_text(LENNARD_JONES)
    return path


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
import os, sys, time
from pathlib import Path
from hea_potential.search.witness import Witness

def notes(folder):
    return len(list(Path(folder).glob(".task-*")))

for call in range(3):
    for folder in sys.argv[1:]:
        witness = Witness(Path(folder))
        for task in range(2):
            with witness.watching() as note:
                note(task, time.perf_counter())
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


def test_a_move_may_search_itself(pair: Path, tmp_path: Path) -> None:
    """In a process of its own, because the test runner has faulthandler for itself."""
    script = """
import sys
from hea_potential.search import search
from hea_potential.search.moves import MOVES, Move

pair, folder = sys.argv[1:]

def search_within(rng, parents, bonds):
    search("Ar5", pair=pair, budget=2, seed=1, out=f"{folder}/within")
    return MOVES["rattle"].apply(rng, parents, bonds)

search("Ar7", pair=pair, budget=60, seed=1, moves={"within": Move(search_within)}, out=f"{folder}/run")
"""
    subprocess.run([sys.executable, "-c", script, str(pair), str(tmp_path)], check=True, timeout=TIME_LIMIT)
    outcomes = {(line["operator"], line["outcome"]) for line in entries(tmp_path / "run") if "task" in line}
    assert ("within", "minimum") in outcomes
    assert not any(outcome == "error" for _, outcome in outcomes)
    assert len([line for line in entries(tmp_path / "within") if "task" in line]) == 2
    assert not list(tmp_path.glob("*/.task-*"))


def test_threads_find_what_a_search_alone_finds(pair: Path) -> None:
    """They share the process's instance of LAMMPS."""
    alone = search("Ar13", pair=pair, budget=60, seed=1)
    with ThreadPoolExecutor(3) as threads:
        shared = search("Ar13", pair=pair, budget=60, seed=1, executor=threads, workers=3)
    assert alone is not None
    assert shared is not None
    assert [(each.task, each.energy) for each in shared.minima] == [(each.task, each.energy) for each in alone.minima]


def test_searches_in_several_threads_leave_each_others_notes_alone(pair: Path, tmp_path: Path) -> None:
    """In a process of its own, because the test runner has faulthandler for itself."""
    script = """
import sys
from concurrent.futures import ThreadPoolExecutor
from hea_potential.search import search

def found(folder):
    archive = search("Ar13", pair=sys.argv[1], budget=60, seed=1, out=folder)
    return [(minimum.task, minimum.energy) for minimum in archive.minima]

with ThreadPoolExecutor(3) as threads:
    one, *others = threads.map(found, sys.argv[2:])
assert one and all(other == one for other in others)
"""
    folders = [str(tmp_path / name) for name in "abc"]
    subprocess.run([sys.executable, "-c", script, str(pair), *folders], check=True, timeout=TIME_LIMIT)
    assert not list(tmp_path.glob("*/.task-*"))


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


def waiting_for_others(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """Three atoms, as soon as others have made theirs five times."""
    deadline = time.monotonic() + TIME_LIMIT
    while len(list(Path(os.environ["MADE_BY_OTHERS"]).iterdir())) < 5:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return three_atoms(rng, composition, bonds)


def three_atoms(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """A triangle that is noted."""
    (Path(os.environ["MADE_BY_OTHERS"]) / f"{rng.random()}").touch()
    return Cluster(composition.types, np.array([[0.0, 0.0, 0.0], [3.8, 0.0, 0.0], [1.9, 3.3, 0.0]]))


def test_what_waits_behind_a_long_task_is_done_by_a_manager_that_helps(
    pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the four tasks that the worker is given it has the first in work and, as pools of processes do, two others in
    its hands.
    """
    folder = tmp_path / "made"
    folder.mkdir()
    monkeypatch.setenv("MADE_BY_OTHERS", str(folder))
    composition = Composition.parse("Ar3")
    starts = (("long", waiting_for_others), ("short", three_atoms))
    setup = Setup(composition, Pair.of_file(pair, composition), ((3.8,),), Limits(), starts, (), 1)
    done = []
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        Crew(setup, pool, workers=1, helps=True, window=16) as crew,
    ):
        for number in range(8):
            crew.submit(Task(number, "short" if number else "long"))
        while crew.is_busy:
            done += [(result.number, result.outcome) for result in crew.collect(TIME_LIMIT)]
    assert sorted(done) == [(number, "minimum") for number in range(8)]


def test_a_move_that_ends_the_program_only_ends_its_task(pair: Path) -> None:
    runs: list[Run] = []
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
    assert (tmp_path / "run" / "journal.jsonl").read_bytes().endswith(b"}\n")
