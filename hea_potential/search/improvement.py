"""What follows a new minimum of an alloy: moves that improve its ordering, as far as they are likely to be worth it.

A new geometry comes with an ordering that was made for another one, so its energy says little of it. The moves that
follow (`Move.follows`) are applied to it in their order, the cheapest first, and in turn as long as they gain. But they
cost as much as several minimisations: so only minima are followed that the usual gain would bring into the population,
and by later moves those that a likely gain would make its lowest. What is usual is learnt from minima that the same
start or move has made: a random ordering gains much, an inherited one little.

All of this comes before a minimum competes for a place with what it is kin to, because its energy says little until
then: on twelve geometries of a six-element cluster the last of the moves gained 0.13 eV more on the average, and two of
its lowest minima, one atom's place apart, differ in the elements of 17 of 38 atoms.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, sqrt

from hea_potential.search.archive import Minimum
from hea_potential.search.moves import Move
from hea_potential.search.population import Population
from hea_potential.search.tasks import Result, Task

LEAST_GAIN = 1e-6  # of the energy's size: less is no gain
FADING = 0.95  # weight of the past in what is usual
LIKELY = 2.0  # standard deviations above the mean, divided by the move's place: the costlier, the likelier it must be


@dataclass
class Improvement:
    """The lowest minimum so far of a chain that began with what `origin` made; `place` of the move that is next, and of
    the one that gained last; the energy with which each place was first reached. Whether one of its minima has entered
    the population, and whether the lowest was new.
    """

    origin: str
    lowest: Minimum
    entered: bool
    is_new: bool = True
    place: int = 0
    gained_at: int | None = None
    reached: dict[int, float] = field(default_factory=dict)


@dataclass
class Usual:
    """What gains are to be expected, the past fading; infinite ones before anything is known."""

    weight: float = 0.0
    total: float = 0.0
    squares: float = 0.0

    def enter(self, gain: float) -> None:
        """Count one gain."""
        self.weight = FADING * self.weight + 1.0
        self.total = FADING * self.total + gain
        self.squares = FADING * self.squares + gain * gain

    @property
    def value(self) -> float:
        """The mean."""
        return self.total / self.weight if self.weight else inf

    def likely(self, deviations: float) -> float:
        """What is seldom exceeded: the mean and some standard deviations."""
        if not self.weight:
            return inf
        return self.value + deviations * sqrt(max(self.squares / self.weight - self.value**2, 0.0))


class Improver:
    """The minima that are being improved, and those that wait for it."""

    def __init__(self, moves: Mapping[str, Move]) -> None:
        self.names = [name for name, move in moves.items() if move.follows]
        self.waiting: deque[Improvement] = deque()
        self.under_way: dict[int, Improvement] = {}  # by the number of the task
        self.usual: dict[tuple[str, int], Usual] = {}  # gain to the end, by what made the minimum and the place
        self.successes: list[str] = []  # of starts and moves, that nobody was told yet

    def propose(self, number: int, population: Population) -> Task | None:
        """The next task that follows a minimum; None if there is none."""
        while self.waiting:
            improvement = self.waiting.popleft()
            if self.is_worth_it(improvement, population):
                self.under_way[number] = improvement
                lowest = improvement.lowest
                improvement.reached.setdefault(improvement.place, lowest.energy)
                return Task(number, self.names[improvement.place], (lowest.cluster,), (lowest.number,))
            self.end(improvement)
        return None

    def absorb(self, result: Result, minimum: Minimum | None, is_new: bool, entered: bool) -> list[str]:
        """Learn from a result; returns what has proved a success since the last one.

        A move that follows succeeds when its minimum enters the population, anything else when what its minimum leads
        to does and is new: to make worse what is then put right again is no success.
        """
        improvement = self.under_way.pop(result.number, None)
        if improvement is None and minimum is not None and is_new and self.names:
            self.waiting.append(Improvement(result.operator, minimum, entered))
        else:
            self.successes += [result.operator] * entered
        if improvement is not None:
            self.go_on(improvement, minimum, is_new, entered)
        successes, self.successes = self.successes, []
        return successes

    def go_on(self, improvement: Improvement, minimum: Minimum | None, is_new: bool, entered: bool) -> None:
        """Go on with a chain after the result of its last task."""
        improvement.entered |= entered
        before = improvement.lowest.energy
        if minimum is not None and minimum.energy < before - LEAST_GAIN * abs(before):
            improvement.lowest = minimum
            improvement.is_new = is_new
            improvement.gained_at = improvement.place
            improvement.place = 0 if improvement.place > 0 else 1  # at once again it would gain nothing more
            goes_on = is_new and improvement.place < len(self.names)  # what is known was followed when it was new
        else:
            improvement.place += 1
            # What gained last ended where it has nothing more to gain; the first is cheap enough to be asked again.
            improvement.place += improvement.place == improvement.gained_at
            goes_on = improvement.place < len(self.names)
        if goes_on:
            self.waiting.append(improvement)
        else:
            self.end(improvement)

    def end(self, improvement: Improvement) -> None:
        """Learn what was gained from each place on, and whether that was a success."""
        self.successes += [improvement.origin] * (improvement.entered and improvement.is_new)
        for place, energy in improvement.reached.items():
            self.usual_gain(improvement.origin, place).enter(energy - improvement.lowest.energy)

    def is_worth_it(self, improvement: Improvement, population: Population) -> bool:
        """Whether the usual gain would keep a minimum in the population or bring it there; for later, costlier moves,
        whether a likely gain would make it the lowest.
        """
        lowest, usual = improvement.lowest, self.usual_gain(improvement.origin, improvement.place)
        if improvement.place > 0:
            return lowest.energy - usual.likely(LIKELY / improvement.place) <= population.lowest
        return lowest in population.members or population.wants(lowest, usual.value)

    def usual_gain(self, origin: str, place: int) -> Usual:
        """What is gained on the average from a place on by minima of one origin."""
        return self.usual.setdefault((origin, place), Usual())
