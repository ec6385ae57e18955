"""The last layer given labels: Bayesian linear regression, as a model file with its uncertainty.

Weights v are normal around the model's own w with precision P / a, P its Gram matrix with ridge; labels scatter around
X v + rest with standard deviation s (`label_rows`). Both a and s are those under which the labels are likeliest
(MacKay, Neural Computation 4, 415 (1992)), on a grid:

    2 log p = - (y^T y - sum_i a z_i^2 / (a l_i + s^2)) / s^2 - sum_i log(1 + a l_i / s^2) - n log s^2

with y what is missing to the labels with w, P^-1/2 X^T X P^-1/2 = V diag(l) V^T and z = V^T P^-1/2 X^T y. Then v is
normal around w + P^-1/2 V diag(a / (a l + s^2)) z with precision P / a + X^T X / s^2, which becomes the Gram matrix of
the model: sigma is the standard deviation of E under it (ARCHITECTURE.md, section 2, with c = 1).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from hea_training.meta_loop.label_rows import LabelSums
from numpy.typing import NDArray
from scipy.linalg import cholesky, eigh, solve_triangular

from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile

__all__ = ["Posterior", "posterior"]

Floats = NDArray[np.float64]

SPREADS = 10.0 ** np.arange(-8.0, 4.01, 0.25)  # a
NOISES = np.geomspace(0.01, 1.0, 25)  # s, eV/A: labels are never trusted beyond 0.01, the features are not that good


@dataclass(frozen=True)
class Posterior:
    """A model that knows the labels, the likeliest a (spread) and s (noise, eV/A), and 2 log p (evidence)."""

    model: ModelFile
    spread: float
    noise: float
    evidence: float


def posterior(model: ModelFile, labels: LabelSums) -> Posterior:
    """The model with its last layer [S, D] and its Gram matrix [S*D, S*D] brought up to date with labels, whose sums
    are for this model.

    Raises InputError for a model without uncertainty, or no labels.
    """
    if not model.has_sigma:
        raise InputError("model: got one without uncertainty; allowed is one with a Gram matrix")
    if labels.count == 0:
        raise InputError("labels: got none; allowed are energies and forces of one structure or more")
    width = len(labels.vector)
    precision = model.tensors["gram"] + model.metadata["sigma"]["ridge"] * np.eye(width)
    factor = cholesky(precision, lower=True)  # P = L L^T; any root of P serves as well as the symmetric one
    half = solve_triangular(factor, labels.matrix, lower=True)
    values, vectors = eigh(solve_triangular(factor, half.T, lower=True))
    values = np.maximum(values, 0.0)
    z = vectors.T @ solve_triangular(factor, labels.vector, lower=True)

    variances = NOISES**2
    signal = SPREADS[:, None, None] * values  # [a, 1, i]
    total = signal + variances[:, None]  # [a, s, i]
    misfit = labels.square - (SPREADS[:, None, None] * z**2 / total).sum(axis=-1)
    evidence = -misfit / variances - np.log(total / variances[:, None]).sum(axis=-1) - labels.count * np.log(variances)
    best_spread, best_noise = np.unravel_index(int(evidence.argmax()), evidence.shape)
    spread, noise = float(SPREADS[best_spread]), float(NOISES[best_noise])

    change = solve_triangular(factor, vectors @ (spread * z / total[best_spread, best_noise]), lower=True, trans="T")
    total_precision = precision / spread + labels.matrix / noise**2
    ridge = 1e-12 * float(np.diag(total_precision).max())  # a model has one; taken off here, it changes nothing
    gram = (total_precision + total_precision.T) / 2 - ridge * np.eye(width)
    weights = model.tensors["head.out"].astype(np.float64)
    tensors = {**model.tensors, "head.out": weights + change.reshape(weights.shape), "gram": gram}
    metadata = {**model.metadata, "sigma": {"scale": 1.0, "ridge": ridge, "noise": noise, "spread": spread}}
    return Posterior(ModelFile(tensors, metadata), spread, noise, float(evidence.max()))
