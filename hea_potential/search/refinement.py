"""How long the lowest member of an alloy's population has its ordering searched further.

Clusters of one geometry have many orderings of which no swap leads to a lower one: before there was refinement, 14 of
14 searches of Ni7Cu7Pd6Ag6Pt6Au6 ended with nearly the same geometry, and with energies up to 0.2 eV apart. A move that
refines (`Move.refines`) finds lower ones by chance. One use follows every new minimum that may lead (`improvement`);
the lowest, which decides whether a population is left, is refined until nothing was gained for as long as the number
of its swaps asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hea_potential.search.archive import Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.moves import Move
from hea_potential.search.population import Population
from hea_potential.search.tasks import Result, Task

PATIENCE = 1 / 300  # uses without a gain after which a minimum is given up, for each of its swaps of unlike atoms


class Refiner:
    """How often each minimum was refined, by its number: uses that were proposed, and those of anybody that ended."""

    def __init__(self, moves: Mapping[str, Move], composition: Composition) -> None:
        self.names = [name for name, move in moves.items() if move.refines]
        size, counts = composition.size, composition.counts
        self.patience = 1 + round(PATIENCE * (size * size - sum(count * count for count in counts)) / 2)
        self.begun: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()

    def propose(self, number: int, population: Population) -> Task | None:
        """A task that refines the lowest member; None if that is under way, or not worth it."""
        lowest = population.members[0] if population.members else None
        if lowest is None or self.is_done(lowest) or self.begun[lowest.number] > self.ended[lowest.number]:
            return None
        self.begun[lowest.number] += 1
        return Task(number, self.names[number % len(self.names)], (lowest.cluster,), (lowest.number,))

    def absorb(self, result: Result) -> None:
        """Learn from a result. What a use gains is another minimum, which takes the place of the one refined."""
        if result.operator in self.names:
            self.ended.update(result.parent_ids)

    def is_done(self, minimum: Minimum) -> bool:
        """Whether a minimum was refined in vain for long enough."""
        return not self.names or self.ended[minimum.number] >= self.patience
