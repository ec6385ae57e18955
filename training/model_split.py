"""How the data of a model were divided when it was trained, as its provenance says."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from hea_potential.dataset import DataSet, fixed_split
from hea_potential.split import Split

__all__ = ["split_of_model"]


def split_of_model(dataset: DataSet, provenance: Mapping[str, Any]) -> Split | None:
    """The split of a data set by a model's provenance: by `hea train`, of exactly the data that it was trained on
    (`DataSet.split`), or by a meta loop, of data that may have grown since (`fixed_split`).

    None if it does not say, and for other data than its own, whose structures the model, or the one that it began with,
    may have been trained on whatever their part here. With `hea train` one structure more or less makes other data: the
    same seed divides them otherwise.
    """
    split, data = provenance.get("split", {}), provenance.get("data", {})
    if split.get("lasting_seed") is not None:
        own = beginning(dataset, data.get("structures", 0)).sha256() == data.get("sha256")
        return fixed_split(dataset, int(split["lasting_seed"])) if own else None
    own = data.get("sha256") == dataset.sha256()
    return dataset.split(int(split["seed"])) if own and split.get("seed") is not None else None


def beginning(dataset: DataSet, count: int) -> DataSet:
    """The first structures of a data set: what it was before it grew."""
    return dataset.select(np.arange(min(count, len(dataset))))
