"""How long the tasks of a search with hea6 take, and tasks that sleep as long, for `search_scale.py`."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace

import numpy as np

from hea_potential.search import loop, search, tasks
from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.minimise import Quench
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.state import Run
from hea_potential.search.tasks import Task

QUICK, SLOW = "rattle", "slow"  # the same move by two names, for those that sleep


@dataclass(frozen=True)
class Lengths:
    """CPU seconds of measured tasks: of slow moves, which are absorbed `lag` windows late, and of all others."""

    slow: list[float]
    others: list[float]
    lag: int

    @property
    def moves(self) -> dict[str, Move]:
        """Those of a search that sleeps: usual ones, and a slow one if there is any."""
        return {**MOVES, SLOW: replace(MOVES[QUICK], lag=self.lag)} if self.slow else dict(MOVES)

    def drawn(self, task: Task) -> float:
        """One of those for a task; what it is depends on the task's number alone."""
        return float(np.random.default_rng(task.number).choice(self.slow if task.operator == SLOW else self.others))

    def shorter(self, haste: float) -> Lengths:
        """The same, so many times as short."""
        slow, others = ([round(length / haste, 5) for length in each] for each in (self.slow, self.others))
        return Lengths(slow, others, self.lag)

    def is_slow(self, number: int) -> bool:
        """Whether a task is slow, as often as measured ones were."""
        share = len(self.slow) / (len(self.slow) + len(self.others))
        return bool(np.random.default_rng([number, 1]).random() < share)

    def with_slow(self, propose: Callable[[GeneticAlgorithm, int], Task]) -> Callable[[GeneticAlgorithm, int], Task]:
        """A way to propose tasks of which as many are slow; starts are not."""

        def proposing(method: GeneticAlgorithm, number: int) -> Task:
            task = propose(method, number)
            if task.parents and self.is_slow(number):
                return task._replace(operator=SLOW, parents=task.parents[:1], parent_ids=task.parent_ids[:1])
            return task._replace(operator=QUICK) if task.operator == SLOW else task

        return proposing

    def sleep(self, minimiser: None, job: tasks.Job) -> None:
        """In place of a minimisation: sleep as long as a measured task took."""
        assert job.candidate is not None
        length = self.drawn(job.task)
        time.sleep(length)
        energy = -100.0 - 20.0 * np.random.default_rng([job.task.number, 2]).uniform()
        job.quench = Quench("minimum", job.candidate, energy, 100, length)


def measured_lengths(formula: str, budget: int) -> Lengths:
    """CPU seconds of the tasks of a search with hea6 in this process; others on this machine cannot lengthen them."""
    slow: list[float] = []
    others: list[float] = []
    lags = [0]
    absorb = loop.absorb

    def measure(state: Run, result: tasks.Result, books: loop.Books) -> None:
        absorb(state, result, books)
        move = state.setup.move_of.get(result.operator)
        lag = move.lag if move else 0
        lags.append(lag)
        if result.number > 0:  # the first also starts LAMMPS
            (slow if lag else others).append(round(result.seconds, 5))

    loop.absorb, tasks.time = measure, SimpleNamespace(perf_counter=time.process_time)  # type: ignore[assignment, attr-defined]
    try:
        search(formula, budget=budget, seed=1)
    finally:
        loop.absorb, tasks.time = absorb, time
    return Lengths(slow, others, max(lags))
