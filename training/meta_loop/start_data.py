"""The data set that a loop begins with beside a model that was trained on it.

The loop's split is another than that of the model's own training. What the model was taught must not judge it, or every
later model would look worse: what is trained on in one split and judges in the other is left out.

The data may be those of an earlier loop. What that one found is not what this one finds, and must not bear its names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from hea_training.model_split import split_of_model

from hea_potential.dataset import DataSet, fixed_split
from hea_potential.split import Split

__all__ = ["fair_part", "of_earlier_loops"]

FOUND = re.compile(r"(start\.)*loop\d+\.")  # begins the kinds of what loops have found


def fair_part(
    dataset: DataSet, provenance: Mapping[str, Any], seed: int, most: int, rng: np.random.Generator
) -> DataSet:
    """The structures that are trained on, or judge, both in the loop's split by `seed` and in that of a model with this
    provenance; at most so many of those that are trained on (0: all), drawn at random, atoms always.
    """
    own, ours = split_of_model(dataset, provenance), fixed_split(dataset, seed)
    taught = ours.train if own is None else np.intersect1d(own.train, ours.train)
    judges = judges_of(ours) if own is None else np.intersect1d(judges_of(own), judges_of(ours))
    if most and len(taught) > most:
        drawn = rng.permutation(taught)[:most]
        taught = np.union1d(drawn, taught[dataset.kind[taught] == "atom"])
    return dataset.select(np.union1d(taught, judges))


def of_earlier_loops(dataset: DataSet) -> DataSet:
    """The data set with what earlier loops have found called so: names and groups begin with `start-`, kinds with
    `start.`, once more for each loop that has begun with it since; and without the names of what had no label there.
    """
    found = np.array([FOUND.match(kind) is not None for kind in dataset.kind.tolist()], dtype=bool)
    return replace(
        dataset,
        name=prefixed(dataset.name, found, "start-"),
        group=prefixed(dataset.group, found, "start-"),
        kind=prefixed(dataset.kind, found, "start."),
        failures={},
    )


def prefixed(texts: np.ndarray, chosen: np.ndarray, prefix: str) -> np.ndarray:
    """Texts (n,), a prefix before the chosen ones."""
    pairs = zip(texts.tolist(), chosen.tolist(), strict=True)
    return np.array([prefix + text if is_chosen else text for text, is_chosen in pairs], dtype=object)


def judges_of(split: Split) -> np.ndarray:
    """What is not trained on."""
    return np.concatenate([split.valid, split.test])
