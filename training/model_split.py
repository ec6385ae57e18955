"""How the data of a model were divided when it was trained, as its provenance says."""

from collections.abc import Mapping
from typing import Any

from hea_potential.dataset import DataSet, fixed_split
from hea_potential.split import Split

__all__ = ["split_of_model"]


def split_of_model(dataset: DataSet, provenance: Mapping[str, Any]) -> Split | None:
    """The split of a data set by a model's provenance: by `hea train`, of exactly the data that it was trained on
    (`DataSet.split`), or by a meta loop, of data that may have grown since (`fixed_split`).

    None if it does not say, and for a model of `hea train` and other data than its own: with one structure more or less
    the same seed divides them otherwise, and its training structures would be among those that judge it.
    """
    split = provenance.get("split", {})
    if split.get("lasting_seed") is not None:
        return fixed_split(dataset, int(split["lasting_seed"]))
    own = provenance.get("data", {}).get("sha256") == dataset.sha256()
    return dataset.split(int(split["seed"])) if own and split.get("seed") is not None else None
