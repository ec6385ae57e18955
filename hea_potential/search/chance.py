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
from numpy.random.bit_generator import ISpawnableSeedSequence
from numpy.typing import DTypeLike, NDArray

Item = TypeVar("Item")


class HashedSeed(ISpawnableSeedSequence):
    """A seed made of any words: the bits that SHAKE-256 (FIPS 202) gives for them."""

    def __init__(self, words: str) -> None:
        self.words = words
        self.children = 0

    def generate_state(self, n_words: int, dtype: DTypeLike = np.uint32) -> NDArray[np.uint32 | np.uint64]:
        """Whole numbers for the state of a bit generator."""
        size = n_words * np.dtype(dtype).itemsize
        return np.frombuffer(hashlib.shake_256(self.words.encode()).digest(size), dtype)

    def spawn(self, n_children: int) -> list[HashedSeed]:
        """Other seeds, each time new ones."""
        first, self.children = self.children, self.children + n_children
        return [HashedSeed(f"{self.words}/{child}") for child in range(first, self.children)]


def generator_of(*numbers: int) -> np.random.Generator:
    """The generator that belongs to some whole numbers; others belong to others."""
    seed = HashedSeed("/".join(map(str, numbers)))
    return np.random.Generator(np.random.PCG64(seed))  # type: ignore[arg-type]  # numpy takes any ISeedSequence


def one_of(rng: np.random.Generator, items: Sequence[Item], weights: Sequence[float] | None = None) -> Item:
    """One of the items, with a chance in proportion to its weight; without weights all are as likely."""
    if weights is None:
        return items[int(rng.integers(len(items)))]
    limits = list(accumulate(weights))
    return items[min(bisect(limits, rng.random() * limits[-1]), len(items) - 1)]


def several_of(rng: np.random.Generator, items: Sequence[Item], count: int, weights: Sequence[float]) -> list[Item]:
    """Different items, as if drawn one after the other from what is left, with chances in proportion to their positive
    weights: those of the smallest exponential deviates over weight (Efraimidis and Spirakis 2006).
    """
    order = np.argsort(rng.exponential(size=len(items)) / np.asarray(weights), kind="stable")
    return [items[index] for index in order[:count].tolist()]
