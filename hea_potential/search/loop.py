"""The loop of a search: ask the method for tasks, have them done, write down the results, tell them to the method.

What a run finds is a function of its seed and its window: `turns` says when a task is proposed and when its result is
absorbed, whichever came first. So the same seed finds the same minima on any number of ranks, and a resumed run the
same as one that was never stopped. Where a limit of time ends it is all that depends on the clock. A run that ends by
its time or budget also absorbs what is finished of slow tasks whose turn has not come: one that goes on from there has
them earlier than if it had never ended.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from hea_potential.errors import HEAError
from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.database import Database
from hea_potential.search.journal import Journal, RunFolderError, result_of
from hea_potential.search.saddles import Check, calls_of_hessian, check_lowest
from hea_potential.search.state import Observer, Run
from hea_potential.search.tasks import Result
from hea_potential.search.turns import Turns
from hea_potential.search.workers import Crew

PATIENCE = 0.2  # seconds between two calls of the observer while nothing is finished
OVERTIME = 2.0  # seconds after a limit of time in which minima are still checked: ten of 38 atoms take 0.5 with hea6


class SearchError(HEAError):
    """A search that cannot go on because nothing it tries works."""


class SeriesError(SearchError):
    """Of several searches some could not go on; `archives` holds by formula what all of them found."""

    def __init__(self, failures: Mapping[str, str], archives: dict[str, Archive]) -> None:
        listed = "; ".join(f"{formula}: {failure}" for formula, failure in failures.items())
        super().__init__(f"{len(failures)} of {len(archives)} searches failed, the others are done. {listed}")
        self.archives = archives


class Books:
    """Where a run's results are kept: journal and database, or nowhere."""

    def __init__(self, journal: Journal | None = None, database: Database | None = None) -> None:
        self.journal = journal
        self.database = database
        self.entered: list[tuple[Result, Minimum | None, bool, float]] = []  # and not written yet

    @property
    def entries(self) -> list[dict[str, Any]]:
        """What an earlier call has written."""
        return self.journal.entries if self.journal else []

    def enter(self, result: Result, minimum: Minimum | None, is_new: bool, age: float) -> None:
        """Take the next result; `minimum` is what it is in the archive, `age` that of the run in seconds."""
        self.entered.append((result, minimum, is_new, age))

    def write(self) -> None:
        """Write what was entered: the journal, and then what follows it."""
        entered, self.entered = self.entered, []
        if self.journal:
            for entry in entered:
                self.journal.append(*entry)
            self.journal.write()
        new = [minimum for _, minimum, is_new, _ in entered if minimum is not None and is_new]
        if self.database and new:
            self.database.add(new)

    def close(self) -> None:
        """Write what is pending."""
        try:
            self.write()
            if self.database:
                self.database.flush()
        finally:
            if self.journal:
                self.journal.close()


def carry_out(
    run: Run, crew: Crew, books: Books, window: int, observers: Iterable[Observer] = (), confirm: int = 0
) -> None:
    """Go on with a run from what its books hold until its budget, force calls, time or target is reached; or until a
    whole window of tasks has ended in errors. A run of which every task has is a failure, however few there were.
    In the end its `confirm` lowest minima are checked for being saddles.
    """
    turns = Turns(run.setup.move_of, window)
    replay(run, books, turns)
    proposed = deque(turns.open.values())
    budget = float("inf") if run.stop.budget is None else run.stop.budget
    finished: dict[int, Result] = {}
    show(run, observers)
    while not run.is_over:
        # One result, then one proposal, in turn: what a task is must not depend on how many results happened to be
        # there.
        while True:
            while turns.may_propose and not run.time_is_up:
                proposed.append(turns.enter(run.method.propose(turns.number)))
            if turns.next not in finished or run.is_over or nothing_works(run, window):
                break
            absorb(run, finished.pop(turns.end()), books)
        books.write()
        while proposed and proposed[0].number < budget and not run.time_is_up:
            crew.submit(proposed.popleft())
        if run.time_is_up:
            crew.dismiss()
        if nothing_works(run, window):
            break
        show(run, observers)
        if not crew.is_busy or run.is_over:
            break
        finished.update((result.number, result) for result in crew.collect(PATIENCE))
    crew.dismiss()
    if not nothing_works(run, window):
        end_early(run, turns, finished, books)
    run.searched = time.monotonic()
    if nothing_works(run, 1):  # its end may have come before that of the first window
        run.failure = (
            f"all of the first {run.tally.done} minimisations failed; the last one with: {run.tally.last_message}"
        )
    if confirm and len(run.archive):
        leave_out_saddles(run, confirm, observers)
    run.ended = time.monotonic()
    show(run, observers)


def end_early(run: Run, turns: Turns, finished: Mapping[int, Result], books: Books) -> None:
    """Absorb what is finished of slow tasks at the end of a run that may take more."""
    for number in turns.slow():
        if number in finished and not run.is_over:
            turns.end_early(number)
            absorb(run, finished[number], books)
    books.write()


def leave_out_saddles(run: Run, count: int, observers: Iterable[Observer]) -> None:
    """Check the lowest minima of a run, as far as its time and as many force calls as it has taken allow."""
    run.check = Check()

    def may_go_on() -> bool:
        show(run, observers)
        left = max(run.seconds_left, OVERTIME - run.seconds_of_check)  # the last task may have taken longer than that
        return left > run.seconds_of_call * calls_of_hessian(run.setup)

    check_lowest(run.archive, run.setup, run.check, count, run.tally.calls, may_go_on)


def nothing_works(run: Run, fewest: int) -> bool:
    """Whether all tasks, and so many at least, have ended in errors."""
    return run.tally.outcomes["error"] == run.tally.done >= fewest


def show(run: Run, observers: Iterable[Observer]) -> None:
    """Tell all observers."""
    for observer in observers:
        observer(run)


def replay(run: Run, books: Books, turns: Turns) -> None:
    """Bring a run to where its journal ends."""
    bonds = run.setup.bond_lengths
    for entry in books.entries:
        while turns.may_propose:
            turns.enter(run.method.propose(turns.number))
        number = entry["task"]
        if number != turns.next and number not in turns.slow():
            raise RunFolderError(
                f"journal: task {number} where task {turns.next} must follow; it is left as it is: restore it, or "
                f"choose another folder"
            )
        task = turns.open[number]
        if number == turns.next:
            turns.end()
        else:
            turns.end_early(number)
        result = result_of(entry, run.setup.composition, bonds)
        planned, recorded = ((one.operator, one.parent_ids, one.quench) for one in (task, result))
        if planned != recorded:
            raise RunFolderError(
                f"journal: task {task.number} is {recorded} (operator, parents, quench), this program would do "
                f"{planned}; a run can only be continued by the version that began it"
            )
        if not fits(entry, len(run.archive)):
            raise RunFolderError(
                f"journal: task {number} found minimum {entry['minimum']}, of {len(run.archive)} before it; lines are "
                f"missing or not in their order: restore it, or choose another folder"
            )
        minimum = None
        if result.cluster is not None:
            minimum = run.archive.enter(result, entry["elapsed"])
        elif "minimum" in entry:
            minimum = run.archive.minima[entry["minimum"]]
            minimum.hits += 1
        run.method.absorb(result, minimum, result.cluster is not None)
        run.tally.count(result)
        run.age_before = entry["elapsed"]
    run.resumed = run.tally.done
    if books.database:
        books.database.agree(run.archive.minima)


def fits(entry: Mapping[str, Any], known: int) -> bool:
    """Whether the minimum of an entry, if it has one, is one of those known or, if it is a new one, the next."""
    number = entry.get("minimum", -1)
    return bool(number == known if "positions" in entry else number < known)


def absorb(run: Run, result: Result, books: Books) -> None:
    """Enter the next result; nobody else may see it before the books are written."""
    minimum = None
    is_new = False
    age = run.age
    if result.cluster is not None and result.fingerprint is not None:
        minimum = run.archive.find(result.energy, result.fingerprint)
        is_new = minimum is None
        if minimum is None:
            minimum = run.archive.enter(result, age)
        else:
            minimum.hits += 1
    books.enter(result, minimum, is_new, age)
    run.method.absorb(result, minimum, is_new)
    run.tally.count(result)
