"""The few minima that parents are drawn from: low in energy, unlike each other, and of several motifs.

Where a landscape has two funnels, the wider one would soon fill all places with its motif; so the lowest minima of each
motif are kept whatever their energy. Former champions are rivals: their kin have no place here unless they are lower,
so that a new population does not end where an older one did.
"""

from __future__ import annotations

from bisect import bisect, insort
from collections import defaultdict
from collections.abc import Sequence
from itertools import accumulate
from math import exp, inf
from operator import attrgetter

import numpy as np

from hea_potential.search.archive import Minimum
from hea_potential.search.chance import one_of, place_below, several_of
from hea_potential.search.similarity import similarities

KIN = 0.98  # minima more similar than this compete for one place
SAME_GEOMETRY = 0.998  # and so do minima that are more similar than this without regard to elements
NEIGHBOUR = 0.998  # of a former champion: minima of alloys that are more similar than this have no place beside it
NICHE = 2  # places that each motif has for its lowest minima


class Population:
    """Up to `capacity` minima in order of energy; parents are drawn by energy, or by rank."""

    def __init__(self, capacity: int, rivals: Sequence[Minimum] = (), by_rank: bool = False) -> None:
        self.capacity = capacity
        self.rivals = rivals
        self.by_rank = by_rank
        self.members = []

    @property
    def members(self) -> list[Minimum]:
        """In order of energy."""
        return self._members

    @members.setter
    def members(self, members: list[Minimum]) -> None:
        """Take these instead. They change less often than they are drawn from and compared with: what both need is
        found here.
        """
        self._members = members
        self.fingerprints = [member.fingerprint for member in members]
        self.geometries = [member.geometry for member in members]
        lowest = self.lowest
        heights = [float(rank) if self.by_rank else member.energy - lowest for rank, member in enumerate(members)]
        spread = max(heights[-1], 1e-12) if heights else 1.0
        self.fitness = [exp(-3.0 * height / spread) for height in heights]
        self.fitness_until = list(accumulate(self.fitness))

    @property
    def lowest(self) -> float:
        """The lowest energy, infinite while there is none."""
        return self.members[0].energy if self.members else inf

    def offer(self, minimum: Minimum) -> bool:
        """Take a minimum in if it is lower than its kin, and low enough for a full population or for its motif; returns
        whether it was taken.
        """
        if minimum in self.members or self.is_full_below(minimum):
            return False
        kin = self.kin_of(minimum)
        if not self.has_place(minimum, minimum.energy, kin):
            return False
        members = [member for member in self.members if member not in kin]
        insort(members, minimum, key=attrgetter("energy"))
        if len(members) > self.capacity:
            members.remove(self.dispensable(members))
        self.members = members
        return True

    def wants(self, minimum: Minimum, gain: float) -> bool:
        """Whether a minimum that is no member would be taken if it were lower in energy by a gain."""
        return self.has_place(minimum, minimum.energy - gain, self.kin_of(minimum))

    def is_full_below(self, minimum: Minimum) -> bool:
        """Whether there is no place for a minimum whatever its kin, which takes less time to say than who they are."""
        if len(self.members) < self.capacity or minimum.energy < self.members[-1].energy:
            return False
        return [member.motif for member in self.members].count(minimum.motif) >= NICHE

    def kin_of(self, minimum: Minimum) -> list[Minimum]:
        """Members and rivals that compete with a minimum for one place."""
        similar = similarities(minimum.fingerprint, [*self.fingerprints, *(rival.fingerprint for rival in self.rivals)])
        if minimum.geometry is minimum.fingerprint:
            others = [*self.members, *self.rivals]
            return [other for other, likeness in zip(others, similar, strict=True) if likeness > KIN]
        geometries = similarities(minimum.geometry, self.geometries)
        kin = [
            member
            for member, likeness, of_geometry in zip(self.members, similar, geometries, strict=False)
            if likeness > KIN or of_geometry > SAME_GEOMETRY
        ]
        # Where atoms differ in size, a funnel's minima are alike: a champion bars its neighbours alone.
        likenesses = zip(self.rivals, similar[len(self.members) :], strict=True)
        return kin + [rival for rival, likeness in likenesses if likeness > NEIGHBOUR]

    def has_place(self, minimum: Minimum, energy: float, kin: Sequence[Minimum]) -> bool:
        """Whether a minimum of this kin would be taken if it had this energy."""
        if any(other.energy <= energy for other in kin):
            return False
        others = [member for member in self.members if member not in kin]
        if len(others) < self.capacity:
            return True
        others.insert(bisect(others, energy, key=attrgetter("energy")), minimum)
        return self.dispensable(others) is not minimum

    def dispensable(self, members: Sequence[Minimum]) -> Minimum:
        """Of members in order of energy the highest that is not among the lowest of its motif; the highest of all if
        each of them is.
        """
        seen: defaultdict[str, int] = defaultdict(int)
        spare = []
        for member in members:
            seen[member.motif] += 1
            if seen[member.motif] > NICHE:
                spare.append(member)
        return (spare or members)[-1]

    def draw_evenly(self, rng: np.random.Generator) -> Minimum:
        """Draw a motif, whatever its energy, and one of its members."""
        motif = one_of(rng, sorted({member.motif for member in self.members}))
        return one_of(rng, [member for member in self.members if member.motif == motif])

    def draw(self, rng: np.random.Generator, count: int) -> list[Minimum]:
        """Draw different members, the lower the likelier: fitness exp(-3 rho), rho from 0 for the lowest to 1 for the
        highest, in energy or in rank.
        """
        if count == 1:
            return [self.members[place_below(rng, self.fitness_until)]]
        return several_of(rng, self.members, count, self.fitness)
