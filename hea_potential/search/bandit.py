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
    """How often something was used, and with success; and with the past fading: uses, successes and cost."""

    uses: int = 0
    successes: int = 0
    recent: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def enter(self, success: bool, cost: float = 1.0) -> None:
        """Count one use; `cost` in force calls."""
        self.uses += 1
        self.successes += success
        uses, successes, costs = self.recent
        self.recent = FADING * uses + 1.0, FADING * successes + success, FADING * costs + cost

    def credit(self) -> None:
        """Count a use as a success after all."""
        self.successes += 1
        uses, successes, costs = self.recent
        self.recent = uses, min(successes + 1.0, uses), costs

    @property
    def rate(self) -> float:
        """Expected success of the next use; what was never used is worth trying."""
        uses, successes, _ = self.recent
        return (successes + 1.0) / (uses + 2.0)


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
        return names[clusters.most_promising(rng.bit_generator.capsule, [self.records[name].recent for name in names])]
