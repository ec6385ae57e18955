"""The loop of a search: ask the method for tasks, have them done, write down the results, tell them to the method.

What a run finds is a function of its seed and its window. Task k is proposed when exactly k - window results have been
absorbed (the first `window` tasks at once), and results are absorbed in the order of the tasks' numbers, whichever
came first. So the same seed finds the same minima on any number of ranks, and a resumed run the same as one that was
never stopped; where a limit of time ends it is all that depends on the clock.
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
from hea_potential.search.state import Observer, Run
from hea_potential.search.tasks import Result, Task
from hea_potential.search.workers import Crew

PATIENCE = 0.2  # seconds between two calls of the observer while nothing is finished


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


def carry_out(run: Run, crew: Crew, books: Books, window: int, observers: Iterable[Observer] = ()) -> None:
    """Go on with a run from what its books hold until its budget, force calls, time or target is reached; or until a
    whole window of tasks has ended in errors. A run of which every task has is a failure, however few there were.
    """
    proposed = replay(run, books, window)
    budget = float("inf") if run.stop.budget is None else run.stop.budget
    number = run.tally.done + len(proposed)
    finished: dict[int, Result] = {}
    show(run, observers)
    while not run.is_over:
        # One result, then one proposal, in turn: what a task is must not depend on how many results happened to be
        # there.
        while True:
            while number < run.tally.done + window and not run.time_is_up:
                proposed.append(run.method.propose(number))
                number += 1
            if run.tally.done not in finished or run.is_over or nothing_works(run, window):
                break
            absorb(run, finished.pop(run.tally.done), books)
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
    if nothing_works(run, 1):  # its end may have come before that of the first window
        run.failure = (
            f"all of the first {run.tally.done} minimisations failed; the last one with: {run.tally.last_message}"
        )
    run.ended = time.monotonic()
    show(run, observers)


def nothing_works(run: Run, fewest: int) -> bool:
    """Whether all tasks, and so many at least, have ended in errors."""
    return run.tally.outcomes["error"] == run.tally.done >= fewest


def show(run: Run, observers: Iterable[Observer]) -> None:
    """Tell all observers."""
    for observer in observers:
        observer(run)


def replay(run: Run, books: Books, window: int) -> deque[Task]:
    """Bring a run to where its journal ends; returns the tasks that were proposed and have no result yet."""
    proposed: deque[Task] = deque()
    bonds = run.setup.bond_lengths
    for number, entry in enumerate(books.entries):
        while len(proposed) < window:
            proposed.append(run.method.propose(number + len(proposed)))
        task = proposed.popleft()
        result = result_of(entry, run.setup.composition, bonds)
        planned, recorded = ((one.operator, one.parent_ids, one.quench) for one in (task, result))
        if planned != recorded:
            raise RunFolderError(
                f"journal: task {task.number} is {recorded} (operator, parents, quench), this program would do "
                f"{planned}; a run can only be continued by the version that began it"
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
    return proposed


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
