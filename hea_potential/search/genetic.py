"""The genetic algorithm: which task comes next, and what its result changes.

A method of search is anything with `propose` and `absorb`. The genetic algorithm's state is its population, the record
of each move and two counters. It is asked for tasks and told results in the order of the tasks' numbers, and draws
random numbers from the task's own generator alone, so the whole run is a function of the seed and of the window (see
`run`).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Protocol

from hea_potential.search.archive import Minimum
from hea_potential.search.chance import one_of
from hea_potential.search.population import Population
from hea_potential.search.tasks import Result, Setup, Task, task_generator

FADING = 0.99  # weight of the past in the record of a move, per use
LEAST_SHARE = 0.3  # of the choices are shared out evenly, so that no move dies out
FRESH = 0.3  # share of tasks that are starts although the population is full: symmetric ones find what moves do not


class Method(Protocol):
    """A method of search: asked for tasks, told their results, both in the order of the tasks' numbers."""

    def propose(self, number: int) -> Task:
        """Return the task of this number."""

    def absorb(self, result: Result, minimum: Minimum | None, is_new: bool) -> None:
        """Learn from a result; `minimum` is what it was entered as in the archive, None where it is not a minimum."""


@dataclass
class Record:
    """How often a move was used and how often its child entered the population: in all, and with the past fading."""

    uses: int = 0
    successes: int = 0
    recent_uses: float = 0.0
    recent_successes: float = 0.0

    def enter(self, success: bool) -> None:
        """Count one use."""
        self.uses += 1
        self.successes += success
        self.recent_uses = FADING * self.recent_uses + 1.0
        self.recent_successes = FADING * self.recent_successes + success

    @property
    def rate(self) -> float:
        """Expected success of the next use; a move never used is worth trying."""
        return (self.recent_successes + 1.0) / (self.recent_uses + 2.0)


class GeneticAlgorithm:
    """Steady state: every result may enter the population at once, there are no generations."""

    def __init__(self, setup: Setup, capacity: int = 20, patience: int | None = None) -> None:
        size = setup.composition.size
        kinds = len(setup.composition.symbols)
        self.setup = setup
        self.capacity = capacity
        self.patience = patience or 200 + 10 * size
        self.starts = [name for name, _ in setup.starts]
        self.moves = {n: move for n, move in setup.moves if move.atoms <= size and move.elements <= kinds}
        self.records = {name: Record() for name in [*self.starts, *self.moves]}
        self.population = Population(capacity)
        self.followed: deque[tuple[str, Minimum]] = deque()  # what entered, with the move that is to follow
        self.to_start = capacity  # starts still to be proposed before moves begin
        self.idle = 0  # results since the population's lowest energy fell
        self.restarts = 0

    def propose(self, number: int) -> Task:
        """A start while the population is being filled, and now and then; otherwise a move by its success, of parents
        by their energy.
        """
        while self.followed:
            name, minimum = self.followed.popleft()
            if minimum in self.population.members:
                return Task(number, name, (minimum.cluster,), (minimum.number,))
        rng = task_generator(self.setup.seed, number, 0)
        size = len(self.population.members)
        fitting = [name for name, move in self.moves.items() if not move.follows and move.parents <= size]
        if self.to_start > 0 or not fitting or rng.uniform() < FRESH:
            self.to_start -= 1
            return Task(number, one_of(rng, self.starts))
        rates = [self.records[name].rate for name in fitting]
        least = LEAST_SHARE * sum(rates) / len(fitting)
        name = one_of(rng, fitting, [least + (1.0 - LEAST_SHARE) * rate for rate in rates])
        parents = self.population.draw(rng, self.moves[name].parents)
        return Task(number, name, tuple(p.cluster for p in parents), tuple(p.number for p in parents))

    def absorb(self, result: Result, minimum: Minimum | None, is_new: bool) -> None:
        """Offer a minimum to the population; after `patience` results without a lower energy begin again from fresh
        starts.
        """
        lowest = self.population.members[0].energy if self.population.members else float("inf")
        entered = minimum is not None and self.population.offer(minimum)
        self.records[result.operator].enter(entered)
        if minimum is not None and entered:
            following = [name for name, move in self.moves.items() if move.follows and name != result.operator]
            self.followed.extend((name, minimum) for name in following)
        self.idle += 1
        if self.population.members and self.population.members[0].energy < lowest:
            self.idle = 0
        if self.idle > self.patience:
            self.population = Population(self.capacity)
            self.to_start = self.capacity
            self.idle = 0
            self.restarts += 1
