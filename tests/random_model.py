"""Random but valid model files (ARCHITECTURE.md 2.1) of any size, with magnitudes like those of trained models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save, save_file

Array = NDArray[np.float64]


def random_tensors(
    rng: np.random.Generator,
    *,
    n_elements: int,
    n_features: int,
    n_angular: int,
    n_interactions: int,
    n_hidden: int,
    n_intervals: int,
    rank_pair: int,
    rank_many: int,
    cutoff: float,
    sigma: bool,
    zbl: bool,
) -> dict[str, Array]:
    """The tensors of a random model by their names in the file, float64."""
    s, f, a, layers, d = n_elements, n_features, n_angular, n_interactions, n_hidden
    channels, rows, pairs = f + 2 * a, s * rank_pair + rank_many, s * (s + 1) // 2

    def normal(*shape: int, scale: float) -> Array:
        return rng.normal(scale=scale, size=shape)

    inner = rng.uniform(0.6, 0.9, size=pairs) if zbl else np.zeros(pairs)
    outer = inner + rng.uniform(0.6, 0.9, size=pairs) if zbl else np.zeros(pairs)
    distance_min = rng.uniform(1.4, 1.8, size=pairs)
    tensors = {
        "embedding": normal(s, f, scale=1.0),
        "in2f": normal(layers, f, f, scale=f**-0.5),
        "filters": _filters(rng, layers, distance_min, n_intervals, channels, cutoff),
        "f2out1.weight": normal(layers, f, channels, scale=channels**-0.5),
        "f2out1.bias": normal(layers, f, scale=0.1),
        "f2out2.weight": normal(layers, f, f, scale=f**-0.5),
        "f2out2.bias": normal(layers, f, scale=0.1),
        "head.hidden.weight": normal(s, d, f, scale=f**-0.5),
        "head.hidden.bias": normal(s, d, scale=0.1),
        "head.out": normal(s, d, scale=d**-0.5),
        "e0": normal(s, scale=2.0),
        "zbl.inner": inner,
        "zbl.outer": outer,
        "distance.min": distance_min,
    }
    if rows > 0:
        tensors["adapter.in"] = normal(layers, s, rows, channels, scale=channels**-0.5)
        tensors["adapter.out"] = normal(layers, s, f, rows, scale=rows**-0.5)
    if sigma:
        samples = normal(4 * s * d, s * d, scale=1.0)
        tensors["gram"] = samples.T @ samples
    return tensors


def _filters(
    rng: np.random.Generator, layers: int, distance_min: Array, n_intervals: int, channels: int, cutoff: float
) -> Array:
    """Control points [layers, pairs, n + 3, channels]: smooth, constant below distance_min, the last three zero."""
    knots = (np.arange(n_intervals + 3) - 1) * cutoff / n_intervals
    filters = np.zeros((layers, len(distance_min), n_intervals + 3, channels))
    for layer in range(layers):
        for pair, clamp in enumerate(distance_min):
            r = np.maximum(knots, clamp)[:, None]
            centre, width = rng.uniform(1.5, cutoff, size=(2, 1, channels)), rng.uniform(0.8, 1.5, size=(1, channels))
            waves = rng.normal(scale=0.4, size=(2, 1, channels)) * np.exp(-(((r - centre) / width) ** 2))
            filters[layer, pair] = waves.sum(axis=0) * 0.5 * (1 + np.cos(np.pi * np.minimum(r / cutoff, 1)))
    filters[:, :, -3:] = 0.0
    return filters


def random_model(
    rng: np.random.Generator,
    *,
    elements: Sequence[str] = ("Ni", "Cu", "Pd"),
    n_features: int = 16,
    n_angular: int = 4,
    n_interactions: int = 2,
    n_hidden: int = 12,
    n_intervals: int = 32,
    rank_pair: int = 2,
    rank_many: int = 3,
    cutoff: float = 5.0,
    activation: str = "ssp",
    sigma: bool = True,
    zbl: bool = True,
) -> tuple[dict[str, Array], dict[str, object]]:
    """Tensors (float64, by name) and the JSON document of the `hea` metadata key of one random model.

    With `sigma` the file has a positive definite `gram`; with `zbl` the switch lies within 0.6-1.8 A, else ZBL is off.
    """
    tensors = random_tensors(
        rng,
        n_elements=len(elements),
        n_features=n_features,
        n_angular=n_angular,
        n_interactions=n_interactions,
        n_hidden=n_hidden,
        n_intervals=n_intervals,
        rank_pair=rank_pair,
        rank_many=rank_many,
        cutoff=cutoff,
        sigma=sigma,
        zbl=zbl,
    )
    document: dict[str, object] = {
        "format": "hea-potential",
        "version": 1,
        "elements": list(elements),
        "units": {"energy": "eV", "length": "Angstrom"},
        "cutoff": cutoff,
        "n_interactions": n_interactions,
        "n_features": n_features,
        "n_angular": n_angular,
        "n_intervals": n_intervals,
        "n_hidden": n_hidden,
        "rank_pair": rank_pair,
        "rank_many": rank_many,
        "head_activation": activation,
        "name": "random",
    }
    if sigma:
        document["sigma"] = {"scale": 0.7, "ridge": 0.05}
    return tensors, document


def model_bytes(tensors: dict[str, Array], document: dict[str, object], *, fp32: bool = False) -> bytes:
    """The bytes of a model file; `fp32` stores all but gram as float32 (so both precisions then read equal weights)."""
    return save(_stored(tensors, fp32), metadata={"hea": json.dumps(document)})


def write_model(path: Path, tensors: dict[str, Array], document: dict[str, object], *, fp32: bool = False) -> Path:
    """Writes a model file and gives its path back."""
    save_file(_stored(tensors, fp32), str(path), metadata={"hea": json.dumps(document)})
    return path


def _stored(tensors: dict[str, Array], fp32: bool) -> dict[str, NDArray[np.floating]]:
    narrow = np.float32 if fp32 else np.float64
    return {
        name: np.ascontiguousarray(x, dtype=np.float64 if name == "gram" else narrow) for name, x in tensors.items()
    }
