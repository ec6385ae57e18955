"""Splits by groups: the one that new structures do not change."""

from __future__ import annotations

import numpy as np

from hea_potential.split import ALWAYS_TRAIN, Split, lasting_split

PARTS = ("train", "valid", "test")


def names_in(split: Split, names: np.ndarray) -> dict[str, str]:
    """The part of each structure by its name."""
    return {str(name): part for part in PARTS for name in names[getattr(split, part)]}


def test_new_structures_move_no_other() -> None:
    rng = np.random.default_rng(1)
    groups = np.array([f"g{k}" for k in rng.integers(300, size=1000)])
    kinds = rng.choice(["cluster", "path", *ALWAYS_TRAIN], size=1000)
    names = np.arange(1000).astype(str)
    first = names_in(lasting_split(kinds[:400], groups[:400], 7), names[:400])
    order = rng.permutation(1000)
    whole = names_in(lasting_split(kinds[order], groups[order], 7), names[order])
    assert {name: whole[name] for name in first} == first
    assert len(whole) == 1000


def test_groups_stay_together_and_shares_are_tenths() -> None:
    groups = np.repeat([f"L1-n2-Cu7Ni6-{k:04d}" for k in range(2000)], 2)
    split = lasting_split(["cluster"] * len(groups), groups, 0)
    parts = {part: set(groups[getattr(split, part)]) for part in PARTS}
    assert not parts["train"] & parts["valid"]
    assert not parts["train"] & parts["test"]
    assert not parts["valid"] & parts["test"]
    assert abs(len(parts["valid"]) - 200) < 40
    assert abs(len(parts["test"]) - 200) < 40
    other = lasting_split(["cluster"] * len(groups), groups, 1)
    assert set(groups[other.test]) != parts["test"]


def test_atoms_and_lattices_are_for_training() -> None:
    groups = [f"g{k}" for k in range(200)]
    split = lasting_split(["atom", "lattice"] * 100, groups, 3)
    assert len(split.train) == 200
