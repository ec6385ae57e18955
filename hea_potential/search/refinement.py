"""Which members of an alloy's population have their orderings searched further, and how long.

Clusters of one geometry have many orderings of which no swap leads to a lower one: before there was refinement, 14 of
14 searches of Ni7Cu7Pd6Ag6Pt6Au6 ended with nearly the same geometry, and with energies up to 0.2 eV apart. A move that
refines (`Move.refines`) finds lower ones, but lasts as long as some hundred minimisations: too long for every new
minimum, not for the members of a population. For what a geometry is worth is known only when its ordering is good: the
lowest one may be made of the fifth best by a change of the geometry and another one of the ordering.

So every member is refined, the lowest first, each again as long as that gains; and the lowest of all, which decides
whether a population is left, until nothing was gained for as long as the number of its swaps asks for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from hea_potential.search.archive import Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.moves import Move
from hea_potential.search.population import Population
from hea_potential.search.tasks import Result, Task

PATIENCE = 1 / 300  # uses without a gain after which the lowest is given up, for each of its swaps of unlike atoms


class Refiner:
    """How often each minimum was refined, by its number: uses that have begun, and those that have ended."""

    def __init__(self, moves: Mapping[str, Move], composition: Composition) -> None:
        self.names = [name for name, move in moves.items() if move.refines]
        size, counts = composition.size, composition.counts
        self.patience = 1 + round(PATIENCE * (size * size - sum(count * count for count in counts)) / 2)
        self.begun: Counter[int] = Counter()
        self.ended: Counter[int] = Counter()

    def propose(self, number: int, population: Population) -> Task | None:
        """The next task that refines the lowest member that is worth it; None if there is none."""
        for rank, member in enumerate(population.members):
            if self.begun[member.number] < (self.patience if rank == 0 else 1):
                self.begun[member.number] += 1
                name = self.names[number % len(self.names)]
                return Task(number, name, (member.cluster,), (member.number,))
        return None

    def absorb(self, result: Result) -> None:
        """Learn from a result. What a use gained is another minimum, which takes the place of the one refined."""
        if result.operator in self.names:
            self.ended.update(result.parent_ids)

    def is_done(self, minimum: Minimum) -> bool:
        """Whether the lowest minimum of a population was refined in vain for long enough."""
        return not self.names or self.ended[minimum.number] >= self.patience
