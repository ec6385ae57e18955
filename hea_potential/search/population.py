"""The few minima that parents are drawn from: low in energy, and unlike each other."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import exp

import numpy as np

from hea_potential.search.archive import Minimum
from hea_potential.search.chance import several_of
from hea_potential.search.similarity import similarities

KIN = 0.98  # minima more similar than this compete for one place


@dataclass
class Population:
    """Up to `capacity` minima in order of energy."""

    capacity: int
    members: list[Minimum] = field(default_factory=list)

    def offer(self, minimum: Minimum) -> bool:
        """Take a minimum in if it is lower than its nearest kin, or than the highest member; returns whether it was
        taken.
        """
        if minimum in self.members:
            return False
        alike = similarities(minimum.fingerprint, [member.fingerprint for member in self.members])
        kin = [self.members[index] for index in np.flatnonzero(alike > KIN)]
        if any(member.energy <= minimum.energy for member in kin):
            return False
        if not kin and len(self.members) >= self.capacity:
            if self.members[-1].energy <= minimum.energy:
                return False
            kin = [self.members[-1]]
        self.members = sorted([*(m for m in self.members if m not in kin), minimum], key=lambda m: m.energy)
        return True

    def draw(self, rng: np.random.Generator, count: int) -> list[Minimum]:
        """Draw different members, the lower the likelier: fitness exp(-3 rho), rho from 0 for the lowest energy to 1
        for the highest.
        """
        lowest, highest = self.members[0].energy, self.members[-1].energy
        spread = max(highest - lowest, 1e-12)
        return several_of(rng, self.members, count, [exp(-3.0 * (m.energy - lowest) / spread) for m in self.members])
