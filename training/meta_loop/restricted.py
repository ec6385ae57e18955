"""A model for some of its elements alone, and a model for another reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile, pair_index

__all__ = ["for_reference", "restricted"]


def restricted(model: ModelFile, symbols: Sequence[str]) -> ModelFile:
    """The model for some of its elements alone, in the order given: the same energies at less cost.

    Raises InputError for an element that it lacks.
    """
    if absent := [symbol for symbol in symbols if symbol not in model.elements]:
        raise InputError(f"elements: got {', '.join(absent)}; the model knows {', '.join(model.elements)}")
    every, rank, width = len(model.elements), model.metadata["rank_pair"], model.metadata["n_hidden"]
    kept = [model.elements.index(symbol) for symbol in symbols]
    pairs = [pair_index(a, b, every) for place, a in enumerate(kept) for b in kept[place:]]
    rows = [element * rank + k for element in kept for k in range(rank)]
    rows += [every * rank + k for k in range(model.metadata["rank_many"])]
    weights = [element * width + k for element in kept for k in range(width)]

    layers, features = range(model.metadata["n_interactions"]), range(model.metadata["n_features"])
    places: dict[str, Any] = {
        "filters": np.ix_(layers, pairs),
        "adapter.in": np.ix_(layers, kept, rows),
        "adapter.out": np.ix_(layers, kept, features, rows),
        "gram": np.ix_(weights, weights),
    }
    places |= dict.fromkeys(("zbl.inner", "zbl.outer", "distance.min"), pairs)
    places |= dict.fromkeys(("embedding", "e0", "head.hidden.weight", "head.hidden.bias", "head.out"), kept)
    tensors = {name: np.ascontiguousarray(tensor[places.get(name, ...)]) for name, tensor in model.tensors.items()}
    return ModelFile(tensors, {**model.metadata, "elements": list(symbols)})


def for_reference(model: ModelFile, e0: Mapping[str, float]) -> ModelFile:
    """The model with the energies of isolated atoms (eV, by symbol) of another reference; all else is as it was, so
    that energies of atomisation do not change.
    """
    energies = np.array([e0[symbol] for symbol in model.elements])
    return ModelFile({**model.tensors, "e0": energies}, model.metadata)
