"""A model's last layer renewed in closed form: new labels count at once, before the next training.

The energy is linear in the last layer's weights w (`head.out`, S*D numbers): E = f . w + what does not depend on w,
with f the structure's features summed by element (ARCHITECTURE.md, section 2). Training ended near the least squares
of its own data, so the best weights for old and new data together minimise

    (v - w)^T (Gram + ridge I) (v - w) + weight sum_n (E_n - f_n . v - rest_n)^2 / N_n

over v: recursive least squares, with Gram = sum f f^T / N over the training set, each structure by how far the model
follows it (`hea_training.sigma`), standing for the old data. The same matrix is the precision of the weights in the
model's uncertainty (Bigi, Chong, Ceriotti and Grasselli 2024), so it grows by the new features, and sigma falls where
the labels are. One structure after the other gives the same as all at once.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import cho_factor, cho_solve

from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile

__all__ = ["gram_of", "gram_with", "update_last_layer"]

Floats = NDArray[np.float64]


def gram_of(features: Floats, sizes: NDArray[np.integer]) -> Floats:
    """The Gram matrix [S*D, S*D] of structures with features [M, S*D] and numbers of atoms [M], each counting 1/N."""
    weighted = features / np.sqrt(np.asarray(sizes, dtype=np.float64))[:, None]
    gram = weighted.T @ weighted
    return np.asarray((gram + gram.T) / 2)


def gram_with(model: ModelFile, features: Floats, sizes: NDArray[np.integer], *, weight: float = 1.0) -> ModelFile:
    """The model with structures [M] added to the Gram matrix of its uncertainty, and nothing else changed.

    Arguments and errors as for `update_last_layer`, which needs the labels, too.
    """
    features, sizes = checked(model, features, sizes, weight)
    gram = model.tensors["gram"] + weight * gram_of(features, sizes)
    return ModelFile({**model.tensors, "gram": gram}, model.metadata)


def update_last_layer(
    model: ModelFile, features: Floats, sizes: NDArray[np.integer], errors: Floats, *, weight: float = 1.0
) -> ModelFile:
    """The model with its last layer, and the Gram matrix of its uncertainty, brought up to date with new labels.

    Args:
        model: a model with uncertainty.
        features: [M, S*D] last-layer features summed by element, as the engine gives them (`features=True`).
        sizes: [M] numbers of atoms.
        errors: [M] label minus the model's energy, in eV a structure.
        weight: how many structures of the training set a new one counts for. 1 treats old and new alike; more follows
            the new labels closer, as a search with few labels wants.

    Raises:
        InputError: a model without uncertainty, shapes that do not fit, numbers that are not finite.
    """
    features, sizes = checked(model, features, sizes, weight)
    errors = np.asarray(errors, dtype=np.float64)
    if errors.shape != sizes.shape or not np.isfinite(errors).all():
        raise InputError(f"errors: got shape {errors.shape}; allowed are {len(sizes)} finite numbers, one a structure")
    updated = gram_with(model, features, sizes, weight=weight)
    precision = updated.tensors["gram"] + model.metadata["sigma"]["ridge"] * np.eye(features.shape[1])
    change = cho_solve(cho_factor(precision), weight * features.T @ (errors / sizes))
    weights = model.tensors["head.out"].astype(np.float64)
    tensors = {**updated.tensors, "head.out": weights + change.reshape(weights.shape)}
    return ModelFile(tensors, model.metadata)


def checked(
    model: ModelFile, features: Floats, sizes: NDArray[np.integer], weight: float
) -> tuple[Floats, NDArray[np.integer]]:
    """Features and sizes as arrays. Raises InputError for what `update_last_layer` refuses."""
    if not model.has_sigma:
        raise InputError("model: got one without uncertainty; allowed is one with a Gram matrix (sigma = true)")
    features, sizes = np.asarray(features, dtype=np.float64), np.asarray(sizes)
    width = model.tensors["head.out"].size
    if features.ndim != 2 or features.shape[1] != width or not np.isfinite(features).all():
        raise InputError(f"features: got shape {features.shape}; allowed are rows of {width} finite numbers")
    if sizes.shape != (len(features),) or np.any(sizes < 1):
        raise InputError(f"sizes: got shape {sizes.shape}; allowed are {len(features)} numbers of atoms above 0")
    if not 0.0 < weight < np.inf:
        raise InputError(f"weight: got {weight!r}; allowed are numbers above 0")
    return features, sizes
