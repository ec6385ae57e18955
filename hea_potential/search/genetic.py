"""The genetic algorithm: which task comes next, and what its result changes.

A method of search is anything with `propose` and `absorb`. The genetic algorithm's state is its population, the record
of each move and two counters. When it is asked for a task and told a result does not depend on who is finished first
(see `turns`), and it draws random numbers from the task's own generator alone, so the whole run is a function of the
seed and of the window.
"""

from __future__ import annotations

from typing import Protocol

from hea_potential.search.archive import Minimum
from hea_potential.search.bandit import Bandit
from hea_potential.search.chance import one_of
from hea_potential.search.improvement import Improver
from hea_potential.search.minimise import QUENCHES
from hea_potential.search.population import Population
from hea_potential.search.refinement import Refiner
from hea_potential.search.tasks import Result, Setup, Task, task_generator

FRESH, STALE = 0.2, 0.6  # share of tasks that are starts: when the lowest energy has just fallen, and before a restart
FRESH_ALLOYS = 0.1  # and of alloys at any time: random orderings are far above what moves have reached
FOREIGN = 0.1  # share of moves of several parents in which one is a former champion
REFINED = 0.1  # share of tasks that refine the lowest minimum of an alloy, once there is a population


class Method(Protocol):
    """A method of search: asked for tasks in the order of their numbers, and told their results as `turns` has it."""

    def propose(self, number: int) -> Task:
        """Return the task of this number."""

    def absorb(self, result: Result, minimum: Minimum | None, is_new: bool) -> None:
        """Learn from a result; `minimum` is what it was entered as in the archive, None where it is not a minimum."""


class GeneticAlgorithm:
    """Steady state: every result may enter the population at once, there are no generations."""

    def __init__(self, setup: Setup, capacity: int = 20, patience: int | None = None) -> None:
        size = setup.composition.size
        self.setup = setup
        self.is_alloy = len(setup.composition.symbols) > 1
        self.capacity = capacity
        self.starts = [name for name, _ in setup.starts]
        self.moves = setup.fitting_moves
        choices = {name: move.parents for name, move in self.moves.items() if not (move.follows or move.refines)}
        self.fitting = [  # by the number of parents that there are, the last for all beyond
            [name for name, parents in choices.items() if parents <= size]
            for size in range(1 + max(choices.values(), default=0))
        ]
        self.operators = Bandit([*self.starts, *self.moves])
        self.quenches = Bandit(QUENCHES)
        self.records = self.operators.records
        self.champions: list[Minimum] = []  # the lowest minima of former populations
        self.improver = Improver(self.moves)
        self.refiner = Refiner(self.moves, setup.composition)
        # Where the lowest minima are refined before they are left, less time for moves leaves more for other funnels.
        self.patience = patience or (200 + 10 * size) // (2 if self.refiner.names else 1)
        self.restarts = 0
        self.begin()

    def begin(self) -> None:
        """Begin with an empty population, whose members must not be kin of former champions."""
        self.population = Population(self.capacity, rivals=self.champions, by_rank=self.is_alloy)
        self.to_start = self.capacity  # starts still to be proposed before moves begin
        self.idle = 0  # results since the population's lowest energy fell

    def propose(self, number: int) -> Task:
        """What follows a new minimum of an alloy. Otherwise a start while the population is being filled, and now and
        then; now and then what refines the lowest; or a move by its success, of parents by their energy or of any
        motif. The kind of quench by its success.
        """
        if following := self.improver.propose(number, self.population):
            return following
        rng = task_generator(self.setup.seed, number, 0)
        refines = self.to_start <= 0 and self.refiner.names and rng.random() < REFINED
        if refines and (refining := self.refiner.propose(number, self.population)):
            return refining
        fitting = self.fitting[min(len(self.population.members), len(self.fitting) - 1)]
        quench = self.quenches.choose(rng, QUENCHES)
        fresh = FRESH_ALLOYS if self.is_alloy else FRESH + (STALE - FRESH) * self.idle / self.patience
        if self.to_start > 0 or not fitting or rng.random() < fresh:
            self.to_start -= 1
            return Task(number, one_of(rng, self.starts), quench=quench)
        name = self.operators.choose(rng, fitting)
        move = self.moves[name]
        parents = [self.population.draw_evenly(rng)] if move.evenly else self.population.draw(rng, move.parents)
        if len(parents) > 1 and self.champions and rng.random() < FOREIGN:
            parents[-1] = one_of(rng, self.champions)
        return Task(number, name, tuple(p.cluster for p in parents), tuple(p.number for p in parents), quench)

    def absorb(self, result: Result, minimum: Minimum | None, is_new: bool) -> None:
        """Offer a minimum to the population; after `patience` results without a lower energy begin again from fresh
        starts.
        """
        lowest = self.population.lowest
        entered = minimum is not None and self.population.offer(minimum)
        cost = self.moves[result.operator].cost if result.operator in self.moves else 0
        self.operators.records[result.operator].enter(False, result.calls + cost)
        self.quenches.records[result.quench].enter(entered, result.calls)
        for name in self.improver.absorb(result, minimum, is_new, entered):
            self.operators.records[name].credit()
        self.refiner.absorb(result)
        self.idle = 0 if self.population.lowest < lowest else self.idle + 1
        leader = self.population.members[:1]
        if self.idle > self.patience and all(self.refiner.is_done(member) for member in leader):
            self.champions += leader
            self.restarts += 1
            self.begin()
