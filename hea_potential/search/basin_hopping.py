"""Basin hopping: walkers that step from minimum to minimum, at different temperatures which they exchange.

Wales and Doye, J. Phys. Chem. A 101, 5111 (1997); the exchange: Swendsen and Wang, Phys. Rev. Lett. 57, 2607 (1986).
Task k belongs to walker k mod `walkers`. A walker hops from the minimum where it is; with a window wider than the
number of walkers it may meanwhile have moved on, and a result is compared with where it is then.

Nothing here has units. Temperatures are multiples of the rise in energy of a typical hop; hops are measured in bonds,
and adapt until a wanted share of them leads to another minimum.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from hea_potential.search.archive import Minimum
from hea_potential.search.bandit import LEAST_SHARE, Record
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.moves import Move
from hea_potential.search.tasks import Result, Setup, Task, task_generator

COLDEST, HOTTEST = 0.05, 0.25  # temperatures, in typical rises of a hop
RISES = 100  # the last ones, of which the median is the typical one
ESCAPES = 0.8  # share of hops that should leave their minimum
GAIN = 0.1  # by which a width changes after a hop, as a logarithm
HOPPING = 0.2  # share of tasks that displace all atoms; the others are moves, by their success


@dataclass(frozen=True)
class Displacement:
    """The hop: every coordinate of every atom is displaced, uniformly up to `width` bonds either way."""

    width: float

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        """Displace the atoms of the only parent."""
        (parent,) = parents
        reach = self.width * bonds.mean()
        return Cluster(parent.types, parent.positions + rng.uniform(-reach, reach, parent.positions.shape))


WIDTHS = np.geomspace(0.1, 0.8, 16)
HOPS = {f"hop {width:.2f}": Move(Displacement(round(float(width), 2)), atoms=1) for width in WIDTHS}


@dataclass
class Walker:
    """Where a walker is, on which rung of the ladder of temperatures, and how far it hops."""

    rung: int
    place: Minimum | None = None  # None until its start is minimised
    born: int | None = None  # number of the task that began this life; None until it is proposed
    lowest: float = float("inf")  # energy of this life
    idle: int = 0  # results since then
    width: float = 0.35

    def restart(self) -> None:
        """Begin another life; what was proposed in this one will not matter any more."""
        self.place, self.born, self.lowest, self.idle = None, None, float("inf"), 0

    def adapt(self, left: bool) -> None:
        """Hop less far after a hop that left its minimum, farther after one that led back; balanced at ESCAPES."""
        change = GAIN * (ESCAPES - left)
        self.width = float(np.clip(self.width * np.exp(change), WIDTHS[0], WIDTHS[-1]))


@dataclass
class Ladder:
    """Temperatures from COLDEST to HOTTEST times the typical rise of a hop, learnt from the hops themselves."""

    rungs: int
    rises: deque[float] = field(default_factory=lambda: deque(maxlen=RISES))

    def temperature(self, rung: int) -> float:
        """In units of the pair style's energy; there must have been a rise."""
        step = rung / max(self.rungs - 1, 1)
        return float(np.median(self.rises)) * COLDEST * (HOTTEST / COLDEST) ** step


def accepts(rng: np.random.Generator, rise: float, temperature: float) -> bool:
    """Metropolis: a fall always, a rise with probability exp(-rise / temperature)."""
    return bool(rise <= 0.0 or rng.uniform() < np.exp(-rise / temperature))


def exchanges(rng: np.random.Generator, cold: float, hot: float, energy_cold: float, energy_hot: float) -> bool:
    """Whether two walkers exchange their temperatures `cold` and `hot`: with probability
    min(1, exp((1/cold - 1/hot) (energy_cold - energy_hot))), which keeps both Boltzmann distributions.
    """
    return accepts(rng, energy_hot - energy_cold, 1.0 / (1.0 / cold - 1.0 / hot))


class BasinHopping:
    """Walkers that share moves, temperatures and the archive of minima."""

    def __init__(self, setup: Setup, walkers: int = 8, patience: int | None = None) -> None:
        size = setup.composition.size
        self.setup = setup
        self.patience = patience or 40 + 2 * size
        self.starts = [name for name, _ in setup.starts]
        self.moves = {name: move for name, move in setup.fitting_moves.items() if name not in HOPS}
        self.records = {name: Record() for name in [*self.starts, *HOPS, *self.moves]}
        self.walkers = [Walker(rung) for rung in range(walkers)]
        self.ladder = Ladder(walkers)
        self.restarts = 0
        self.exchanged = 0

    def propose(self, number: int) -> Task:
        """A start for a walker that is nowhere; otherwise a hop or another move from where it is."""
        rng = task_generator(self.setup.seed, number, 0)
        walker = self.walkers[number % len(self.walkers)]
        if walker.place is None:
            walker.born = number if walker.born is None else walker.born
            return Task(number, str(rng.choice(self.starts)))
        others = [other.place for other in self.walkers if other is not walker and other.place is not None]
        fitting = [name for name, move in self.moves.items() if move.parents <= 1 + len(others)]
        if not fitting or rng.uniform() < HOPPING:
            name = list(HOPS)[int(np.abs(np.log(WIDTHS / walker.width)).argmin())]
            return Task(number, name, (walker.place.cluster,), (walker.place.number,))
        rates = [self.records[name].rate for name in fitting]
        shares = [LEAST_SHARE / len(fitting) + (1.0 - LEAST_SHARE) * rate / sum(rates) for rate in rates]
        name = str(rng.choice(fitting, p=shares))
        mates = rng.permutation(len(others))[: self.moves[name].parents - 1]
        parents = [walker.place, *(others[mate] for mate in mates)]
        return Task(number, name, tuple(p.cluster for p in parents), tuple(p.number for p in parents))

    def absorb(self, result: Result, minimum: Minimum | None, is_new: bool) -> None:
        """Let the walker of this task go to a minimum or stay, and at the end of a round let walkers exchange
        temperatures.
        """
        rng = task_generator(self.setup.seed, result.number, 2)
        walker = self.walkers[result.number % len(self.walkers)]
        if walker.born is not None and result.number >= walker.born:
            self.records[result.operator].enter(self.moved(rng, walker, result, minimum))
        if walker.idle > self.patience:
            walker.restart()
            self.restarts += 1
        if result.number % len(self.walkers) == len(self.walkers) - 1:
            self.exchange(rng, first=result.number // len(self.walkers) % 2)

    def moved(self, rng: np.random.Generator, walker: Walker, result: Result, minimum: Minimum | None) -> bool:
        """Let a walker learn from a result of its own; returns whether its energy fell."""
        before = walker.place
        walker.idle += 1
        if result.operator in HOPS:
            walker.adapt(left=minimum is not before)
        if minimum is None or minimum is before:
            return False
        rise = minimum.energy - before.energy if before is not None else -np.inf
        if rise > 0.0 and result.operator in HOPS:
            self.ladder.rises.append(rise)
        if rise <= 0.0 or (self.ladder.rises and accepts(rng, rise, self.ladder.temperature(walker.rung))):
            walker.place = minimum
        if minimum.energy < walker.lowest:
            walker.lowest, walker.idle = minimum.energy, 0
        return bool(rise < 0.0)

    def exchange(self, rng: np.random.Generator, first: int) -> None:
        """Offer every second pair of neighbouring temperatures, from that of rung `first` on, to be exchanged."""
        by_rung = sorted(self.walkers, key=lambda walker: walker.rung)
        if not self.ladder.rises:
            return
        for cold, hot in zip(by_rung[first::2], by_rung[first + 1 :: 2], strict=False):
            if cold.place is None or hot.place is None:
                continue
            temperatures = (self.ladder.temperature(cold.rung), self.ladder.temperature(hot.rung))
            if exchanges(rng, *temperatures, cold.place.energy, hot.place.energy):
                cold.rung, hot.rung = hot.rung, cold.rung
                self.exchanged += 1
