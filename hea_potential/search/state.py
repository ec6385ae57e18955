"""What a run is about and how far it has come: the state that the loop changes and observers read."""

from __future__ import annotations

import math
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from hea_potential.errors import InputError
from hea_potential.search.archive import Archive
from hea_potential.search.budget import Budget
from hea_potential.search.genetic import Method
from hea_potential.search.saddles import Check
from hea_potential.search.tasks import Result, Setup


@dataclass(frozen=True)
class Stop:
    """When a run ends: minimisations in all, seconds of this call, an energy reached, force calls and seconds in all;
    None is no limit.
    """

    budget: int | None = None
    seconds: float | None = None
    target: float | None = None
    calls: int | None = None
    age: float | None = None

    @staticmethod
    def of(budget: Budget, target: float | None) -> Stop:
        """The end of a run with a budget, a target energy or both; raises InputError if it has none of them."""
        if target is not None and not math.isfinite(target):
            raise InputError(f"search: target energy {target}; it must be a finite number")
        if target is None and budget == Budget():
            raise InputError("search: give a budget, a time or a target, or it would never end")
        return Stop(budget.minimisations, budget.seconds_of_call, target, budget.calls, budget.seconds)

    def reached(self, energy: float) -> bool:
        """Whether an energy is the target or lower, to six digits."""
        return self.target is not None and energy <= self.target + 1e-6 * abs(self.target)


@dataclass
class Tally:
    """What a run has done so far: its results, in all, by outcome and by kind of quench, the force calls of each kind,
    seconds of work and of LAMMPS in it.
    """

    done: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    quenches: Counter[str] = field(default_factory=Counter)
    calls_of_quench: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    quench_seconds: float = 0.0
    last_message: str = ""

    @property
    def calls(self) -> int:
        """Force calls of all minimisations."""
        return self.calls_of_quench.total()

    @property
    def failures(self) -> str:
        """Outcomes other than a minimum, in words."""
        others = [f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()) if outcome != "minimum"]
        return ", ".join(others) or "none"

    def count(self, result: Result) -> None:
        """Add a result."""
        self.done += 1
        self.outcomes[result.outcome] += 1
        self.quenches[result.quench] += 1
        self.calls_of_quench[result.quench] += result.calls
        self.seconds += result.seconds
        self.quench_seconds += result.quench_seconds
        self.last_message = result.message or self.last_message

    def add(self, other: Tally) -> None:
        """Add what another run has done."""
        self.done += other.done
        self.outcomes += other.outcomes
        self.quenches += other.quenches
        self.calls_of_quench += other.calls_of_quench
        self.seconds += other.seconds
        self.quench_seconds += other.quench_seconds
        self.last_message = other.last_message or self.last_message


@dataclass
class Run:
    """A run in progress."""

    setup: Setup
    stop: Stop
    method: Method
    archive: Archive
    ranks: int = 1
    place: tuple[int, int] = (1, 1)  # which of how many runs of this call
    tally: Tally = field(default_factory=Tally)
    resumed: int = 0
    began: float = field(default_factory=time.monotonic)
    searched: float | None = None  # when all was found, and its lowest minima begin to be checked
    ended: float | None = None
    age_before: float = 0.0
    failure: str = ""  # why it could not go on
    check: Check | None = None  # of its lowest minima, once all is found

    @property
    def seconds(self) -> float:
        """How long this call lasts already, or has lasted."""
        return (time.monotonic() if self.ended is None else self.ended) - self.began

    @property
    def seconds_of_search(self) -> float:
        """The same without the check of what was found."""
        return self.seconds if self.searched is None else self.searched - self.began

    @property
    def seconds_of_check(self) -> float:
        """How long the check of what was found lasts already, or has lasted."""
        return self.seconds - self.seconds_of_search

    @property
    def age(self) -> float:
        """How long all calls that led here have lasted."""
        return self.age_before + self.seconds

    @property
    def target_reached(self) -> bool:
        """Whether the best minimum is as low as was asked for."""
        if self.stop.target is None or self.archive.best is None:
            return False
        return self.stop.reached(self.archive.best.energy)

    @property
    def calls_are_spent(self) -> bool:
        """Whether all force calls of its budget are done."""
        return self.stop.calls is not None and self.tally.calls >= self.stop.calls

    @property
    def is_over(self) -> bool:
        """Whether nothing that is still under way may count."""
        return self.target_reached or self.calls_are_spent

    @property
    def seconds_left(self) -> float:
        """How long this call may go on."""
        of_call = math.inf if self.stop.seconds is None else self.stop.seconds - self.seconds
        in_all = math.inf if self.stop.age is None else self.stop.age - self.age
        return min(of_call, in_all)

    @property
    def seconds_of_call(self) -> float:
        """How long a force call of a minimisation takes."""
        return self.tally.quench_seconds / max(self.tally.calls, 1)

    @property
    def time_is_up(self) -> bool:
        """Whether this call, or the run, has used its seconds."""
        if self.stop.seconds is None and self.stop.age is None:  # no need to know the time: asked thrice for each task
            return False
        return self.seconds_left <= 0.0


Observer = Callable[[Run], None]
