"""Training, validation and test: structures are divided by groups, which hold what must stay together."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hea_potential.errors import InputError

__all__ = ["ALWAYS_TRAIN", "Split", "even_split", "lasting_split"]

# Kinds that belong to the training split whatever the seed: every model has to know atoms, perfect lattices, and how
# near two atoms can come. A meta loop judges no model by its pairs of atoms.
ALWAYS_TRAIN = ("atom", "lattice", "start.dimer")
TEST, VALID = 0.1, 0.1  # shares of a lasting split


@dataclass(frozen=True)
class Split:
    """Indices of structures, ascending; together they are all structures, and no group is in two of them."""

    train: np.ndarray
    valid: np.ndarray
    test: np.ndarray


def even_split(
    kinds: Sequence[str] | np.ndarray,
    groups: Sequence[str] | np.ndarray,
    element_sets: Sequence[tuple[int, ...]],
    seed: int,
    fractions: tuple[float, float, float] = (0.8, 0.1, 0.1),
) -> Split:
    """Divide n structures by group such that each kind and each set of elements is divided in the same shares.

    Depends on the seed and on the contents, not on their order; new structures can move others. Groups of the kinds
    ALWAYS_TRAIN go to training. Raises InputError for fractions that are no shares.
    """
    if len(fractions) != 3 or min(fractions) < 0.0 or abs(sum(fractions) - 1.0) > 1e-9:
        raise InputError(f"fractions must be three numbers of at least 0 with sum 1, got {fractions}")
    families: dict[str, list[int]] = {}
    for k, group in enumerate(groups):
        families.setdefault(str(group), []).append(k)
    strata: dict[tuple[str, tuple[int, ...]], dict[str, list[int]]] = {}
    for group, members in families.items():
        elements = tuple(sorted(set().union(*(element_sets[k] for k in members))))
        kind = min(str(kinds[k]) for k in members)
        strata.setdefault((kind, elements), {})[group] = members
    bounds = np.cumsum(fractions)[:2]
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for (kind, elements), families_of_it in strata.items():
        total = sum(map(len, families_of_it.values()))
        phase = uniform(f"{seed}/{kind}/{elements}")
        before = 0
        for group in sorted(families_of_it, key=lambda g: uniform(f"{seed}/{g}")):
            place = ((before + 0.5 * len(families_of_it[group])) / total + phase) % 1.0
            before += len(families_of_it[group])
            part = 0 if kind in ALWAYS_TRAIN else int(np.searchsorted(bounds, place, side="right"))
            parts[part].extend(families_of_it[group])
    return Split(*(np.array(sorted(part), dtype=np.int64) for part in parts))


def lasting_split(kinds: Sequence[str] | np.ndarray, groups: Sequence[str] | np.ndarray, seed: int) -> Split:
    """Divide n structures by a rule that new structures do not change: where one is depends on the seed, its group and
    its kind alone. So a model is never tested on what an earlier one was trained on.

    A tenth of the groups is for the test, a tenth for the validation; the kinds ALWAYS_TRAIN are for training.
    """
    parts: tuple[list[int], list[int], list[int]] = ([], [], [])
    for k, (kind, group) in enumerate(zip(kinds, groups, strict=True)):
        u = uniform(f"{seed}/{group}")
        in_training = str(kind) in ALWAYS_TRAIN or u >= TEST + VALID
        parts[0 if in_training else 2 if u < TEST else 1].append(k)
    return Split(*(np.array(part, dtype=np.int64) for part in parts))


def uniform(text: str) -> float:
    """A number in [0, 1) that looks random and depends on the text alone."""
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big") / 2.0**56
