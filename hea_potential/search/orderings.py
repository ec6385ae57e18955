"""Descent in the space of orderings: which element sits on which site of a fixed geometry.

A step swaps two unlike atoms. Passes follow the best swaps, even uphill, to some depth and keep the best prefix
(Kernighan and Lin, Bell Syst. Tech. J. 49, 291 (1970); for homotops Rossi and Ferrando, J. Phys.: Condens. Matter 21,
084208 (2009)); in the end the engine's complete scan certifies that no single swap lowers the energy.

The number of swaps grows with the square of the size, that of substitutions (one atom gets another element) only with
the size, and the sum of the two substitutions that a swap consists of ranks swaps almost as their energies do: their
rank correlation is 0.97 to 0.998, where that of the energy's gradient by the embeddings is -0.3 to 0.8 (see
tests/benchmarks/exchange_scan.py). So passes rank by substitutions and ask for the energies of the first few.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hea_potential.engine import ExchangeScan

Types = NDArray[np.int32]  # as the engine takes them

DEPTH = 12  # swaps of a pass
PATIENCE = 3  # swaps of a pass after which none was lower end it
CANDIDATES = 8  # swaps a step of a pass asks the energy of
MOST_KICKS = 4  # random swaps between two descents
LOWER = 1e-5  # eV: what counts as lower, above the rounding of single precision


@dataclass(frozen=True)
class Ordering:
    """Types (n,) of the atoms of a geometry, their energy in eV, and how many orderings the engine was asked for."""

    types: Types
    energy: float
    evaluations: int


def descend(scan: ExchangeScan, types: Types, *, complete: bool = True) -> Ordering:
    """The local minimum in the space of orderings below the one given, on the geometry that `scan` was placed on.

    complete: in the end ask for the energies of all swaps, and go on if one of them is lower.
    """
    found = Ordering(types, scan.order(types), 1)
    while True:
        ahead = best_prefix(scan, found)
        if complete and ahead.energy > found.energy - LOWER:
            ahead = best_swap(scan, ahead.evaluations, found)
        if ahead.energy > found.energy - LOWER:
            return Ordering(found.types, found.energy, ahead.evaluations)
        found = ahead


def best_prefix(scan: ExchangeScan, start: Ordering) -> Ordering:
    """The lowest ordering along a pass of swaps of different atoms, each the best of the likely ones."""
    scan.order(start.types)
    change = scan.substitutions() - start.energy
    evaluations = start.evaluations + change.size - len(change)
    types = start.types.copy()
    free = np.ones(len(types), bool)
    best = Ordering(types.copy(), start.energy, evaluations)
    last_lower = 0
    for step in range(DEPTH):
        pairs = scan.unlike_pairs()
        pairs = pairs[free[pairs].all(axis=1)]
        if len(pairs) == 0 or step - last_lower == PATIENCE:
            break
        first, second = pairs.T
        estimates = change[first, types[second]] + change[second, types[first]]
        likely = pairs[np.argsort(estimates, kind="stable")[:CANDIDATES]]
        energies = scan.exchanges(likely)
        pair = likely[np.argmin(energies)]
        types[pair] = types[pair[::-1]]
        free[pair] = False
        energy = scan.order(types)
        evaluations += len(likely) + 1
        if energy < best.energy - LOWER:
            best = Ordering(types.copy(), energy, evaluations)
            last_lower = step + 1
    return Ordering(best.types, best.energy, evaluations)


def best_swap(scan: ExchangeScan, evaluations: int, start: Ordering) -> Ordering:
    """The ordering after the best of all swaps, whether it is lower or not."""
    scan.order(start.types)
    pairs = scan.unlike_pairs()
    energies = scan.exchanges(pairs)
    best = int(np.argmin(energies))
    types = start.types.copy()
    types[pairs[best]] = types[pairs[best][::-1]]
    return Ordering(types, float(energies[best]), evaluations + len(pairs))


def hop(
    rng: np.random.Generator,
    scan: ExchangeScan,
    types: Types,
    descents: int,
    *,
    fresh: bool = False,
) -> Ordering:
    """The lowest of some descents, each from the lowest ordering so far after a few random swaps; the first from the
    one given, or from a random one if it shall be `fresh`.

    Where none is lower than the one given, it is the lowest of the others that is returned: a search that has the one
    given has no use for it.
    """
    start = rng.permutation(types) if fresh else types
    found = descend(scan, start)
    evaluations = found.evaluations
    for _ in range(descents - 1):
        kicks = int(rng.integers(1, MOST_KICKS + 1))
        ahead = descend(scan, kicked(rng, found.types, kicks))
        evaluations += ahead.evaluations
        is_given = np.array_equal(found.types, types)
        if ahead.energy < found.energy - LOWER or (is_given and not np.array_equal(ahead.types, types)):
            found = ahead
    return Ordering(found.types, found.energy, evaluations)


def kicked(rng: np.random.Generator, types: Types, swaps: int) -> Types:
    """An ordering some random swaps of unlike atoms away."""
    types = types.copy()
    for _ in range(swaps):
        first = rng.integers(len(types))
        second = rng.choice(np.flatnonzero(types != types[first]))
        types[[first, second]] = types[[second, first]]
    return types
