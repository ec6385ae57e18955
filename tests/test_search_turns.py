"""Slow tasks: others do not wait for them, and what a seed finds is the same whichever is finished first."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from search_runs import LENNARD_JONES, check_database, entries

from hea_potential.errors import InputError
from hea_potential.search import search
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import RunFolderError
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.tasks import Task
from hea_potential.search.turns import Turns

LAG = 2
WINDOW = 4
BUDGET = 80
MADE: list[int] = []  # one for each use of the slow move


def slow(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """A rattle that takes longer than many other tasks."""
    MADE.append(1)
    time.sleep(0.02)
    return MOVES["rattle"].apply(rng, parents, bonds)


SLOW = {"slow": Move(slow, lag=LAG), "twist": MOVES["twist"]}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("pair") / "pair.lmp"
    path.write_text(LENNARD_JONES)
    return path


@pytest.fixture(scope="module")
def finished(pair: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a search that has ended by its budget."""
    folder = tmp_path_factory.mktemp("finished")
    search("Ar7", pair=pair, budget=BUDGET, seed=1, moves=SLOW, window=WINDOW, out=folder)
    return folder


def carried(kinds: Sequence[bool], window: int, lag: int, rng: np.random.Generator) -> list[tuple[str, int]]:
    """What is proposed and absorbed, in turn, where tasks are finished in a random order; `kinds` says which are
    slow."""
    turns = Turns({"slow": Move(slow, lag=lag)}, window)
    events = []
    done: set[int] = set()
    while turns.number < len(kinds) or turns.open:
        if turns.may_propose and turns.number < len(kinds):
            events.append(("proposed", turns.number))
            turns.enter(Task(turns.number, "slow" if kinds[turns.number] else "quick"))
        elif turns.next in done:
            events.append(("absorbed", turns.end()))
        else:
            done.add(int(rng.choice([number for number in turns.open if number not in done])))
        assert sum(not kinds[number] for number in turns.open) <= window
    return events


@settings(deadline=None)
@given(
    kinds=st.lists(st.booleans(), min_size=1, max_size=60),
    window=st.integers(1, 8),
    lag=st.integers(0, 4),
    seed=st.integers(0, 1000),
)
def test_turns_do_not_depend_on_what_is_finished_first(kinds: list[bool], window: int, lag: int, seed: int) -> None:
    events = carried(kinds, window, lag, np.random.default_rng(seed))
    assert events == carried(kinds, window, lag, np.random.default_rng(seed + 1))
    absorbed = [number for what, number in events if what == "absorbed"]
    assert absorbed == sorted(range(len(kinds)), key=lambda number: (number + window * lag * kinds[number], number))


def test_without_slow_tasks_a_result_makes_room_for_one_task() -> None:
    events = carried([False] * 6, 2, 0, np.random.default_rng(1))
    assert [number for what, number in events if what == "absorbed"] == list(range(6))
    for task in range(2, 6):
        assert events[: events.index(("proposed", task))].count(("absorbed", task - 2)) == 1


def test_slow_results_come_late_whoever_does_the_tasks(finished: Path, pair: Path, tmp_path: Path) -> None:
    lines = entries(finished)[1:]
    order = [line["task"] for line in lines]
    late = [line["task"] for line in lines if line["operator"] == "slow"]
    assert len(late) > 5
    assert sorted(order) == list(range(BUDGET))
    assert [task for task in order if task not in late] == [task for task in range(BUDGET) if task not in late]
    for task in late:
        due = task + LAG * WINDOW
        if due < BUDGET and due not in late:
            assert order.index(task) < order.index(due)
            assert all(other < due for other in order[: order.index(task)] if other not in late)
    with ThreadPoolExecutor(3) as threads:
        search(
            "Ar7",
            pair=pair,
            budget=BUDGET,
            seed=1,
            moves=SLOW,
            window=WINDOW,
            executor=threads,
            workers=3,
            out=tmp_path / "run",
        )
    assert entries(tmp_path / "run") == entries(finished)


@pytest.mark.parametrize("share", [0.1, 0.4, 0.7, 0.95, 0.99])
def test_a_run_with_slow_tasks_goes_on_wherever_it_was_cut(
    finished: Path, pair: Path, tmp_path: Path, share: float
) -> None:
    content = (finished / "journal.jsonl").read_bytes()
    (tmp_path / "journal.jsonl").write_bytes(content[: int(share * len(content))])
    search("Ar7", pair=pair, budget=BUDGET, moves=SLOW, window=WINDOW, out=tmp_path)
    assert entries(tmp_path) == entries(finished)
    check_database(tmp_path)


def test_a_run_that_ended_before_the_turn_of_slow_tasks_takes_more(finished: Path, pair: Path, tmp_path: Path) -> None:
    content = (finished / "journal.jsonl").read_bytes()
    (tmp_path / "journal.jsonl").write_bytes(content)
    for budget in (BUDGET + 10, BUDGET + 40, BUDGET + 40):
        archive = search("Ar7", pair=pair, budget=budget, moves=SLOW, window=WINDOW, out=tmp_path)
        assert archive is not None
        assert sorted(line["task"] for line in entries(tmp_path)[1:]) == list(range(budget))
        assert (tmp_path / "journal.jsonl").read_bytes().startswith(content)
        content = (tmp_path / "journal.jsonl").read_bytes()
        check_database(tmp_path)


def test_nothing_slow_is_lost_where_time_ends_a_run(pair: Path, tmp_path: Path) -> None:
    MADE.clear()
    for seconds in (0.5, 2.0, 8.0, 32.0):  # until one is slow: a busy machine may take long to begin
        search("Ar7", pair=pair, time=seconds, seed=1, moves=SLOW, window=WINDOW, out=tmp_path)
        if MADE:
            break
    assert len(MADE) == sum(line["operator"] == "slow" for line in entries(tmp_path)[1:]) > 0


@pytest.mark.parametrize("lag", [-1, 0.5, float("nan"), "2", None])
def test_a_lag_is_a_number_of_windows(lag: Any) -> None:
    with pytest.raises(InputError, match="allowed are whole numbers from 0"):
        Move(slow, lag=lag)


@pytest.mark.parametrize("missing", [5, 40])
def test_a_journal_that_lacks_a_line_is_refused(finished: Path, pair: Path, tmp_path: Path, missing: int) -> None:
    lines = (finished / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_bytes(b"".join(lines[:missing] + lines[missing + 1 :]))
    with pytest.raises(RunFolderError, match=r"task \d+ where task \d+ must follow"):
        search("Ar7", pair=pair, budget=BUDGET, moves=SLOW, window=WINDOW, out=tmp_path)


def test_a_journal_whose_lines_are_not_in_order_is_refused(pair: Path, tmp_path: Path) -> None:
    plan = {"pair": pair, "budget": 60, "seed": 1, "moves": SLOW, "window": WINDOW}
    search("Ar19", **plan, out=tmp_path / "whole")
    lines = (tmp_path / "whole" / "journal.jsonl").read_bytes().splitlines(keepends=True)
    new = [place for place, entry in enumerate(entries(tmp_path / "whole")) if "positions" in entry]
    late = [place for place in new if b'"operator":"slow"' in lines[place] and place - 1 in new]
    assert late
    for place in late:  # it takes the number of the minimum that was found before it
        folder = tmp_path / f"{place}"
        folder.mkdir()
        moved = [*lines[: place - 1], lines[place], lines[place - 1], *lines[place + 1 :]]
        (folder / "journal.jsonl").write_bytes(b"".join(moved))
        with pytest.raises(RunFolderError, match=r"must follow|not in their order"):
            search("Ar19", **plan, out=folder)


def test_a_task_does_not_end_twice(finished: Path, pair: Path, tmp_path: Path) -> None:
    lines = (finished / "journal.jsonl").read_bytes().splitlines(keepends=True)
    (tmp_path / "journal.jsonl").write_bytes(b"".join([*lines, lines[-1]]))
    with pytest.raises(RunFolderError, match=r"task \d+ a second time"):
        search("Ar7", pair=pair, budget=BUDGET, moves=SLOW, window=WINDOW, out=tmp_path)
