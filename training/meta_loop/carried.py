"""A start that goes on with clusters of an earlier search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from ase import Atoms

from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats

__all__ = ["Carried"]


@dataclass(frozen=True)
class Carried:
    """Takes one of some clusters, to relax it again."""

    clusters: tuple[Cluster, ...]

    @classmethod
    def of(cls, composition: Composition, structures: Sequence[Atoms]) -> Carried:
        """From the minima of a search, whose atoms are in the order of the composition's types."""
        return cls(tuple(Cluster(composition.types, atoms.positions) for atoms in structures))

    def __call__(self, rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
        """Return one of the clusters."""
        return self.clusters[int(rng.integers(len(self.clusters)))]
