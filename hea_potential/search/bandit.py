"""Which of several alternatives to use next, learnt from their success per force call: Thompson sampling.

Each alternative's chance of success is known as a Beta distribution; one number is drawn from each and divided by what
a use costs on the average, and the largest wins (Thompson, Biometrika 25, 285 (1933)). The past fades, because what
serves an early population does not serve a late one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from hea_potential import clusters
from hea_potential.search.chance import one_of

FADING = 0.99  # weight of the past in a record, per use
LEAST_SHARE = 0.3  # of the choices are shared out evenly, so that no alternative dies out


@dataclass
class Record:
    """How often something was used, how often with success and at what cost: in all, and with the past fading."""

    uses: int = 0
    successes: int = 0
    recent_uses: float = 0.0
    recent_successes: float = 0.0
    recent_cost: float = 0.0

    def enter(self, success: bool, cost: float = 1.0) -> None:
        """Count one use; `cost` in force calls."""
        self.uses += 1
        self.successes += success
        self.recent_uses = FADING * self.recent_uses + 1.0
        self.recent_successes = FADING * self.recent_successes + success
        self.recent_cost = FADING * self.recent_cost + cost

    def credit(self) -> None:
        """Count a use as a success after all."""
        self.successes += 1
        self.recent_successes = min(self.recent_successes + 1.0, self.recent_uses)

    @property
    def rate(self) -> float:
        """Expected success of the next use; what was never used is worth trying."""
        return (self.recent_successes + 1.0) / (self.recent_uses + 2.0)

    @property
    def failures(self) -> float:
        """Uses without success, the past fading."""
        return self.recent_uses - self.recent_successes


class Bandit:
    """Alternatives by name, with their records."""

    def __init__(self, names: Iterable[str]) -> None:
        self.records = {name: Record() for name in names}

    def choose(self, rng: np.random.Generator, names: Sequence[str]) -> str:
        """One of these names: by success per cost, or in LEAST_SHARE of the cases any."""
        if len(names) == 1:
            return names[0]
        if rng.random() < LEAST_SHARE:
            return one_of(rng, names)
        records = [self.records[name] for name in names]
        # What was not used yet is taken to cost as much as the others do.
        known = [record.recent_cost / record.recent_uses for record in records if record.uses]
        usual = max(sum(known) / len(known), 1.0) if known else 1.0
        shapes = [(record.recent_successes + 1.0, record.failures + 1.0) for record in records]
        rates = clusters.betas(rng.bit_generator.capsule, shapes)
        worths = [
            rate * (record.recent_uses + 1.0) / (record.recent_cost + usual)
            for rate, record in zip(rates, records, strict=True)
        ]
        return names[worths.index(max(worths))]
