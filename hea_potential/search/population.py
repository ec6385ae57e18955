"""The few minima that parents are drawn from: low in energy, unlike each other, and of several motifs.

Where a landscape has two funnels, the wider one would soon fill all places with its motif; so the lowest minima of each
motif are kept whatever their energy. Former champions are rivals: their kin have no place here unless they are lower,
so that a new population does not end where an older one did.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import exp, inf

import numpy as np

from hea_potential.search.archive import Minimum
from hea_potential.search.chance import several_of
from hea_potential.search.similarity import similarities

KIN = 0.98  # minima more similar than this compete for one place
NICHE = 2  # places that each motif has for its lowest minima


@dataclass
class Population:
    """Up to `capacity` minima in order of energy."""

    capacity: int
    members: list[Minimum] = field(default_factory=list)
    rivals: Sequence[Minimum] = ()

    @property
    def lowest(self) -> float:
        """The lowest energy, infinite while there is none."""
        return self.members[0].energy if self.members else inf

    def offer(self, minimum: Minimum) -> bool:
        """Take a minimum in if it is lower than its kin, and low enough for a full population or for its motif; returns
        whether it was taken.
        """
        if minimum in self.members:
            return False
        others = [*self.members, *self.rivals]
        alike = similarities(minimum.fingerprint, [other.fingerprint for other in others])
        kin = [others[index] for index in np.flatnonzero(alike > KIN)]
        if any(other.energy <= minimum.energy for other in kin):
            return False
        self.members = sorted([*(m for m in self.members if m not in kin), minimum], key=lambda m: m.energy)
        if len(self.members) > self.capacity:
            self.members.remove(self.dispensable())
        return minimum in self.members

    def dispensable(self) -> Minimum:
        """The highest member that is not among the lowest of its motif; the highest of all if each of them is."""
        seen: Counter[str] = Counter()
        spare = []
        for member in self.members:
            seen[member.motif] += 1
            if seen[member.motif] > NICHE:
                spare.append(member)
        return (spare or self.members)[-1]

    def draw(self, rng: np.random.Generator, count: int) -> list[Minimum]:
        """Draw different members, the lower the likelier: fitness exp(-3 rho), rho from 0 for the lowest energy to 1
        for the highest.
        """
        lowest, highest = self.members[0].energy, self.members[-1].energy
        spread = max(highest - lowest, 1e-12)
        return several_of(rng, self.members, count, [exp(-3.0 * (m.energy - lowest) / spread) for m in self.members])
