"""A walk from ordering to ordering in plain numpy: what the compiled one is held to, to the last bit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Types = NDArray[np.int32]

TENURE = 6, 18  # steps for which an atom does not become again what it was: at least, and fewer than


@dataclass(frozen=True)
class Orderings:
    """Energies of elements on sites (n, S), and of pairs of sites (p,) by their class and elements (classes, S, S)."""

    sites: Floats
    first: Integers
    second: Integers
    classes: Integers
    energies: Floats

    @property
    def couplings(self) -> Floats:
        """The energy of each element on each site with each on each other, (n, S, n, S)."""
        couplings = np.zeros(self.sites.shape * 2)
        couplings[self.first, :, self.second, :] = couplings[self.second, :, self.first, :] = self.energies[
            self.classes
        ]
        return couplings

    def field(self, types: Types) -> Floats:
        """What each element would add to the energy on each site, the others being what they are."""
        return self.sites + self.couplings[:, :, np.arange(len(types)), types].sum(axis=2)

    def energy(self, types: Types) -> float:
        on_pairs = self.energies[self.classes, types[self.first], types[self.second]]
        return float(self.sites[np.arange(len(types)), types].sum() + on_pairs.sum())


def walk(
    rng: np.random.Generator, model: Orderings, types: Types, field: Floats, energy: float, steps: int
) -> tuple[Types, Floats]:
    """The orderings that are met, (m, n), and their energies (m,)."""
    types, field, couplings, lowest = types.copy(), field.copy(), model.couplings, np.inf
    until = np.zeros(field.shape, np.int64)  # the step from which an element may be on a site again
    met: list[tuple[Types, float]] = []
    for step in range(steps):
        changes = changes_by_swaps(field, couplings, types)
        here, there = until[:, types] > step, energy + changes >= lowest
        changes[here & here.T & there] = np.inf
        first, second = divmod(int(np.argmin(changes)), len(types))
        if not np.isfinite(changes[first, second]):
            break
        energy += float(changes[first, second])
        lowest = min(lowest, energy)
        for atom, to in ((first, types[second]), (second, types[first])):
            until[atom, types[atom]] = step + rng.integers(*TENURE)
            field += couplings[:, :, atom, to] - couplings[:, :, atom, types[atom]]
        types[[first, second]] = types[[second, first]]
        met.append((types.copy(), energy))
    return np.array([ordering for ordering, _ in met]).reshape(-1, len(types)), np.array([each for _, each in met])


def changes_by_swaps(field: Floats, couplings: Floats, types: Types) -> Floats:
    """How the energy changes by each swap, (n, n); infinite for like atoms and below the diagonal."""
    atoms = np.arange(len(types))
    one, other, mine, yours = atoms[:, None], atoms[None, :], types[:, None], types[None, :]
    single = field[one, yours] - field[one, mine]
    both = couplings[one, yours, other, mine] + couplings[one, mine, other, yours]
    both -= couplings[one, yours, other, yours] + couplings[one, mine, other, mine]
    changes = single + single.T + both
    changes[(mine == yours) | (one >= other)] = np.inf
    return changes
