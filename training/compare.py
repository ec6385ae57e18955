"""Models against labelled data: the error table of one, and the table stratified against full of two."""

from collections.abc import Callable
from dataclasses import replace
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hea_training.evaluate import Errors, error_table, errors_of
from hea_training.export import architecture_of
from hea_training.graph import Graphs
from hea_training.model_split import split_of_model
from hea_training.network import Architecture
from hea_training.run import Data, load_data
from hea_training.strata import Stratum, blocks, load_network, trained_pairs

from hea_potential.dataset import fixed_split
from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile, read_model_file

__all__ = ["compare_models", "stratum_weights", "test_model"]


def test_model(model: str, data: Path, part: str, split_seed: int | None) -> dict[str, Any]:
    """The error table (evaluate.error_table) of a model file on a part (train, valid, test, all) of a data set.

    Raises ModelFileError for a model that cannot be read; InputError for data that are missing or hold none of its
    elements, and for a part of data of whose split the model's provenance says nothing.
    """
    graphs, kinds, errors, _ = _evaluated(read_model_file(model), data, part, split_seed)
    return error_table(errors, graphs, kinds)


def compare_models(stratified: str, full: str, data: Path, part: str, split_seed: int | None) -> list[dict[str, Any]]:
    """Rows of the table stratified against full: set of elements (number of elements from three on), number of training
    structures, weights that this set teaches (by strata, and in full), energy MAE (meV/atom) and force MAE (meV/A) of
    both. Raises InputError for models of other elements, cutoffs or splits, and as `test_model`.
    """
    models = [read_model_file(stratified), read_model_file(full)]
    if models[0].elements != models[1].elements or models[0].cutoff != models[1].cutoff:
        raise InputError(
            f"models to compare need the same elements and cutoff, got {models[0].elements} and {models[1].elements}"
        )
    graphs, _, first, loaded = _evaluated(models[0], data, part, split_seed)
    _, _, second, other = _evaluated(models[1], data, part, split_seed)
    if part != "all" and not np.array_equal(getattr(loaded.split, part), getattr(other.split, part)):
        raise InputError(
            f"{data}: the models divide these data differently, so that what one was trained on would judge it beside "
            "the other; allowed are models trained on the same split, or --part all"
        )
    arch, has = architecture_of(models[0]), graphs.composition()
    training = loaded.part("train").composition()
    rows = []
    for name, stratum, member in _sets(arch):
        chosen = np.array([member(row) for row in has], dtype=bool)
        a, b = first.summary(chosen), second.summary(chosen)
        if a["structures"]:
            rows.append(
                {
                    "set": name,
                    "structures": a["structures"],
                    "training": int(sum(member(row) for row in training)),
                    "weights": [
                        stratum_weights(arch, stratum),
                        stratum_weights(architecture_of(models[1]), Stratum("full")),
                    ],
                    "energy": [a["energy_mae"], b["energy_mae"]],
                    "force": [a["force_mae"], b["force_mae"]],
                }
            )
    return rows


def stratum_weights(arch: Architecture, stratum: Stratum) -> int:
    """How many of the model's numbers a stratum trains (control points for filters)."""
    f, c, d, layers = arch.n_features, arch.n_channels, arch.n_hidden, arch.n_interactions
    spline = layers * len(trained_pairs(arch, stratum)) * arch.n_intervals * c
    adapter = sum((rows.stop - rows.start) * layers * (c + f) for _, rows in blocks(arch, stratum))
    if stratum.kind in ("pair", "many"):
        return spline + adapter
    trunk = layers * (f * f + f * c + f + f * f + f)
    heads = arch.n_elements * (d * f + 2 * d + f)
    return spline + adapter + trunk + heads


def _sets(arch: Architecture) -> list[tuple[str, Stratum, Callable[[np.ndarray], bool]]]:
    """Name, stratum and membership (of a row of Graphs.composition) of every set of the table."""

    def exactly(*elements: int) -> Callable[[np.ndarray], bool]:
        return lambda row: bool(row.sum() == len(elements) and row[list(elements)].all())

    def count(k: int) -> Callable[[np.ndarray], bool]:
        return lambda row: bool(row.sum() == k)

    n, symbols = arch.n_elements, arch.elements
    unaries = [(symbols[a], Stratum("elements"), exactly(a)) for a in range(n)]
    pairs = [(symbols[a] + symbols[b], Stratum("pair", (a, b)), exactly(a, b)) for a, b in combinations(range(n), 2)]
    return unaries + pairs + [(f"{k} elements", Stratum("many"), count(k)) for k in range(3, n + 1)]


def _evaluated(
    model: ModelFile, path: Path, part: str, split_seed: int | None
) -> tuple[Graphs, np.ndarray, Errors, Data]:
    if not path.is_file():
        raise InputError(f"data: there is no file {path}")
    arch = architecture_of(model)
    data = load_data(path, arch, split_seed or 0, [])
    provenance = model.metadata.get("provenance", {})
    if split_seed is not None and provenance.get("split", {}).get("lasting_seed") is not None:
        data = replace(data, split=fixed_split(data.dataset, split_seed))  # the model's own training was divided so
    elif split_seed is None and part != "all":
        split = split_of_model(data.dataset, provenance)
        if split is None:
            raise InputError(
                f"{path}: the model does not say how these data were split, for it was trained on others or keeps no "
                "record; give --split-seed, or --part all"
            )
        data = replace(data, split=split)
    graphs = data.graphs if part == "all" else data.part(part)
    kinds = data.dataset.kind.astype(str) if part == "all" else data.kinds(part)
    if len(graphs) == 0:
        raise InputError(f"{path} has no structures of {', '.join(arch.elements)} in its part {part!r}")
    tensors = {name: np.array(array) for name, array in model.tensors.items() if name != "gram"}
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network = load_network(arch, tensors)
    return graphs, kinds, errors_of(network, torch.from_numpy(tensors["filters"].astype(np.float32)), graphs), data
