"""Draws from a few alternatives with given chances; numpy's own `choice` takes ten times as long for so few."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Sequence
from itertools import accumulate
from typing import TypeVar

import numpy as np

Item = TypeVar("Item")


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
