"""Which members of an alloy's population have their orderings searched further, and how long.

Clusters of one geometry have many orderings of which no swap leads to a lower one: before there was refinement, 14 of
14 searches of Ni7Cu7Pd6Ag6Pt6Au6 ended with nearly the same geometry, and with energies up to 0.2 eV apart. Ten to a
hundred descents from a few swaps away find lower ones, but last as long as some hundred minimisations: too long for
every geometry, not for those that lead. So a move that refines (`Move.refines`) is applied to the lowest member again
and again, until nothing was gained for as long as the number of its swaps asks for; and to others where the gains of
those before them make it likely that they will lead.
"""

from __future__ import annotations

from collections.abc import Mapping

from hea_potential.search.archive import Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.improvement import LEAST_GAIN, Usual
from hea_potential.search.moves import Move
from hea_potential.search.population import Population
from hea_potential.search.tasks import Result, Task

PATIENCE = 1 / 300  # uses without a gain after which a minimum is given up, for each of its swaps of unlike atoms
HASTE = 4  # times fewer of them where others, refined before, have gained nothing


class Refiner:
    """The minima that were refined: how often in vain, and where that began."""

    def __init__(self, moves: Mapping[str, Move], composition: Composition) -> None:
        self.names = [name for name, move in moves.items() if move.refines]
        size, counts = composition.size, composition.counts
        self.patience = 1 + round(PATIENCE * (size * size - sum(count * count for count in counts)) / 2)
        self.in_vain: dict[int, int] = {}  # uses without a gain, by the number of the minimum
        self.begun: dict[int, float] = {}  # the energy from which refinement has led to a minimum
        self.under_way: dict[int, Minimum] = {}  # by the number of the task
        self.usual = Usual()

    def propose(self, number: int, population: Population) -> Task | None:
        """The next task that refines the lowest member that is worth it; None if there is none."""
        for member in population.members:
            if member.energy - self.usual.likely > population.lowest:
                break
            if not self.is_done(member):
                self.under_way[number] = member
                name = self.names[number % len(self.names)]
                return Task(number, name, (member.cluster,), (member.number,))
        return None

    def absorb(self, result: Result, minimum: Minimum | None) -> None:
        """Learn from a result."""
        parent = self.under_way.pop(result.number, None)
        if parent is None:
            return
        begun = self.begun.setdefault(parent.number, parent.energy)
        if minimum is not None and minimum.energy < parent.energy - LEAST_GAIN * abs(parent.energy):
            self.begun.setdefault(minimum.number, begun)
        was_done = self.is_done(parent)
        self.in_vain[parent.number] = self.in_vain.get(parent.number, 0) + 1
        if self.is_done(parent) and not was_done:
            self.usual.enter(begun - parent.energy)

    def is_done(self, minimum: Minimum) -> bool:
        """Whether a minimum was refined in vain for long enough."""
        haste = 1 if self.usual.likely > LEAST_GAIN * abs(minimum.energy) else HASTE
        return not self.names or haste * self.in_vain.get(minimum.number, 0) >= self.patience
