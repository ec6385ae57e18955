"""The data set that a loop begins with beside a model that was trained on it.

The loop's split is another than that of the model's own training. What the model was taught must not judge it, or every
later model would look worse: what is trained on in one split and judges in the other is left out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from hea_training.model_split import split_of_model

from hea_potential.dataset import DataSet, fixed_split
from hea_potential.split import Split

__all__ = ["fair_part"]


def fair_part(
    dataset: DataSet, provenance: Mapping[str, Any], seed: int, most: int, rng: np.random.Generator
) -> DataSet:
    """The structures that are trained on, or judge, both in the loop's split by `seed` and in that of a model with this
    provenance; at most so many of those that are trained on (0: all), drawn at random, atoms always.
    """
    own, ours = split_of(dataset, provenance), fixed_split(dataset, seed)
    taught = ours.train if own is None else np.intersect1d(own.train, ours.train)
    judges = judges_of(ours) if own is None else np.intersect1d(judges_of(own), judges_of(ours))
    if most and len(taught) > most:
        drawn = rng.permutation(taught)[:most]
        taught = np.union1d(drawn, taught[dataset.kind[taught] == "atom"])
    return dataset.select(np.union1d(taught, judges))


def judges_of(split: Split) -> np.ndarray:
    """What is not trained on."""
    return np.concatenate([split.valid, split.test])


def split_of(dataset: DataSet, provenance: Mapping[str, Any]) -> Split | None:
    """The split by which a model was trained on this data set; None if its provenance does not say, or names another
    data set.
    """
    same = provenance.get("data", {}).get("sha256") == dataset.sha256()
    return split_of_model(dataset, provenance) if same else None
