"""Good orderings of a geometry, found by learning what orderings are worth there.

Descents by swaps end in orderings from which none of some hundred other descents leads away, and which are still far
from the best: on one six-element geometry 0.12 eV, and in the elements of 22 of 38 atoms. So some random orderings are
relaxed, a model of their energies is fitted (`ordering_model`), walks over the model find what it takes to be lowest,
these are relaxed, and so on: the model learns where it matters. What the best then lead to by swaps is the result.
"""

from __future__ import annotations

from math import ceil

import numpy as np

from hea_potential.engine import Potential
from hea_potential.search.geometry import Floats
from hea_potential.search.ordering_model import OrderingModel
from hea_potential.search.orderings import Types
from hea_potential.search.relaxed_swaps import CLOSE, RelaxedSwaps, State

MOST_SWAPS = 8  # of a random ordering
RANDOM, CHOSEN = 0.5, 1.0  # orderings that are relaxed for each number of the model: random ones, and what it chose
ROUND = 24  # of the latter, between two fits
STEPS = 2  # of a walk, for each atom
GOOD = 20  # lowest orderings of which walks begin
FINAL = 3  # orderings that are followed by swaps in the end


class Trials:
    """Orderings of a relaxed cluster that were almost relaxed as well, and what they will be worth when they are
    relaxed, in eV: `states` and `energies` by their types as bytes; the model of those energies, and what it is told of
    each ordering, in the same order.
    """

    def __init__(self, potential: Potential, types: Types, positions: Floats) -> None:
        self.swaps = RelaxedSwaps(potential, types, positions)
        self.model = OrderingModel(positions, int(types.max()) + 1)
        self.states: dict[bytes, State] = {}
        self.energies: dict[bytes, float] = {}
        self.described: list[Floats] = []
        self.enter(self.swaps.given)

    def enter(self, state: State) -> None:
        """Take a relaxed ordering to what is known."""
        self.states[state.types.tobytes()] = state
        self.energies[state.types.tobytes()] = state.energy - min(self.swaps.gain_ahead(state), CLOSE)
        self.described.extend(self.model.described(state.types[None]))

    def relax(self, orderings: list[Types]) -> None:
        """Relax what was not relaxed yet."""
        for types in orderings:
            if types.tobytes() not in self.states:
                self.enter(self.swaps.reordered(types))

    def learn(self) -> None:
        """Fit the model to all that is known."""
        self.model.learn(np.array(self.described), np.array(list(self.energies.values())))

    def lowest(self, count: int) -> list[State]:
        """The lowest of those known."""
        return [self.states[types] for types in sorted(self.energies, key=self.energies.__getitem__)[:count]]

    def promising(self, rng: np.random.Generator, count: int) -> list[Types]:
        """The lowest orderings by the model that are not known, met on walks from the best, from a good one, from near
        a good one and from a random one.
        """
        good = [state.types for state in self.lowest(GOOD)]
        one, other = (good[int(rng.integers(len(good)))] for _ in range(2))
        met: dict[bytes, float] = {}
        for start in (good[0], one, self.model.shuffled(rng, other, MOST_SWAPS), rng.permutation(one)):
            orderings, energies = self.model.walk(rng, start, STEPS * len(start))
            met.update(zip(map(bytes, orderings), energies.tolist(), strict=True))
        unknown = sorted((energy, types) for types, energy in met.items() if types not in self.states)
        return [np.frombuffer(types, np.int32).copy() for _, types in unknown[:count]]


def learnt(rng: np.random.Generator, potential: Potential, types: Types, positions: Floats) -> State:
    """The lowest ordering of a relaxed cluster's geometry that is found besides its own, nearly relaxed; types (n,),
    positions (n, 3).
    """
    trials = Trials(potential, types, positions)
    numbers = len(types) * int(types.max())  # elements on sites that are independent of each other
    swaps = rng.integers(1, MOST_SWAPS + 1, size=ceil(RANDOM * numbers))
    trials.relax([trials.model.shuffled(rng, types, count) for count in swaps.tolist()])
    for _ in range(ceil(CHOSEN * numbers / ROUND)):
        trials.learn()
        trials.relax(trials.promising(rng, ROUND))
    ends = [end for state in trials.lowest(FINAL) for end in trials.swaps.descend(state)]
    others = [end for end in ends if not np.array_equal(end.types, types)]
    return min(others, key=lambda end: end.energy)
