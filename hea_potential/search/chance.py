"""Generators that are quick to make, and draws from a few alternatives with given chances.

Numpy's own ways take several times as long, which counts where a task takes a millisecond.
"""

from __future__ import annotations

import hashlib
from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

from hea_potential import clusters

Item = TypeVar("Item")


def generator_of(*numbers: int) -> np.random.Generator:
    """The generator that belongs to some whole numbers that are not negative; others belong to others."""
    words = numbers if max(numbers) < 1 << 64 else map(word_of, numbers)
    return np.random.Generator(clusters.Stream(*words))  # type: ignore[arg-type]  # has what numpy needs


def word_of(number: int) -> int:
    """A number itself, or of a larger one 64 bits that SHAKE-256 (FIPS 202) gives for its digits."""
    if number < 1 << 64:
        return number
    return int.from_bytes(hashlib.shake_256(str(number).encode()).digest(8), "little")


def one_of(rng: np.random.Generator, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
    """One of the items, with a chance in proportion to its weight; without weights all are as likely."""
    if weights is None:
        return items[int(rng.random() * len(items))]
    return items[place_of_one(rng, weights)]


def several_of(rng: np.random.Generator, items: Sequence[Item], count: int, weights: Sequence[float]) -> list[Item]:
    """Different items, one after the other from what is left, with chances in proportion to their positive weights; all
    if there are fewer than `count`.
    """
    left, weights = list(items), list(weights)
    drawn = []
    for _ in range(min(count, len(left))):
        place = place_of_one(rng, weights)
        weights.pop(place)
        drawn.append(left.pop(place))
    return drawn


def place_of_one(rng: np.random.Generator, weights: Sequence[float]) -> int:
    """The place of one of some weights, with a chance in proportion to it."""
    return place_below(rng, list(accumulate(weights)))


def place_below(rng: np.random.Generator, limits: Sequence[float]) -> int:
    """The same, by the sums of the weights up to and with each."""
    return min(bisect(limits, rng.random() * limits[-1]), len(limits) - 1)
