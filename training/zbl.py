"""The repulsion of close nuclei (Ziegler, Biersack and Littmark 1985) with a smooth outer switch: what the network is
not asked to learn."""

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers

__all__ = ["zbl_energy_and_slope"]

_COULOMB = 14.3996454784255  # eV A
_TERMS = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))


def zbl_energy_and_slope(
    elements: Sequence[str], pair: np.ndarray, r: np.ndarray, inner: np.ndarray, outer: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Switched ZBL energy [E] in eV and its derivative by r [E] in eV/A at distances r [E] in A of element pairs
    `pair` [E].

    `inner` and `outer` [pairs] bound the switch; outer = 0 leaves a pair out.
    """
    a, b = np.triu_indices(len(elements))
    z = np.array([atomic_numbers[s] for s in elements], dtype=float)
    charge = (_COULOMB * z[a] * z[b])[pair]
    length = (0.46850 / (z[a] ** 0.23 + z[b] ** 0.23))[pair]
    low, high = inner[pair], outer[pair]
    near = r < high
    energy, slope = np.zeros_like(r), np.zeros_like(r)
    x, r_near = (r / length)[near], r[near]
    screen = sum(c * np.exp(-k * x) for c, k in _TERMS)
    screen_slope = sum(-k * c * np.exp(-k * x) for c, k in _TERMS) / length[near]
    value = charge[near] / r_near * screen
    value_slope = charge[near] / r_near * (screen_slope - screen / r_near)
    width = np.maximum(high - low, 1e-12)[near]
    s = np.clip((r_near - low[near]) / width, 0.0, 1.0)
    switch = 1 - 10 * s**3 + 15 * s**4 - 6 * s**5
    switch_slope = -30 * s**2 * (1 - s) ** 2 / width
    energy[near] = value * switch
    slope[near] = value_slope * switch + value * switch_slope
    return energy, slope
