"""Calibrated uncertainty: last-layer prediction rigidity (Bigi, Chong, Ceriotti and Grasselli, A prediction rigidity
formalism for low-cost uncertainties in trained neural networks, 2024, doi:10.1088/2632-2153/ad805f).
"""

from dataclasses import dataclass

import numpy as np
import torch
from hea_training.fit import predict
from hea_training.graph import Graphs
from hea_training.network import Network
from torch import Tensor

__all__ = ["Uncertainty", "structure_features", "uncertainty"]

ENOUGH = 20  # structures beyond pairs of atoms, from which on they alone count


@dataclass(frozen=True)
class Uncertainty:
    """gram [S*D, S*D], its ridge, and the scale c: sigma^2 = c^2 f^T (gram + ridge)^-1 f in eV^2."""

    gram: np.ndarray
    ridge: float
    scale: float


def structure_features(network: Network, table: Tensor, graphs: Graphs, batch_size: int = 64) -> np.ndarray:
    """The atoms' last-layer features summed by element [M, S*D], in double precision."""
    s, d = network.arch.n_elements, network.arch.n_hidden
    phi = np.zeros((len(graphs), s, d))
    with torch.no_grad():
        for start in range(0, len(graphs), batch_size):
            rows = np.arange(start, min(start + batch_size, len(graphs)))
            batch = graphs.batch(rows, dtype=table.dtype)
            f = network.features(batch, table)[0].double().numpy()
            np.add.at(phi, (start + batch.structure.numpy(), batch.species.numpy()), f)
    return phi.reshape(len(graphs), s * d)


def uncertainty(network: Network, table: Tensor, training: Graphs, valid: Graphs) -> Uncertainty:
    """The Gram matrix of the training set, with ridge and scale that make the validation errors most likely.

    Free atoms and pairs of atoms are left out of both (see `telling`). Every structure counts by its `trust`. On
    13-atom clusters of six metals (2000 structures, 670 of them pairs) sigma found the largest tenth of the errors with
    an area under the curve of 0.60 to 0.76 with the pairs, of 0.69 to 0.80 without them, and of 0.73 to 0.82 by trust.
    """
    training, held = telling(training), telling(valid if len(valid) else training)
    phi = structure_features(network, table, training) * np.sqrt(trust(network, table, training))[:, None]
    gram = phi.T @ phi
    gram = (gram + gram.T) / 2
    errors = predict(network, table, held)[0] - held.energies
    return Uncertainty(gram, *most_likely(gram, structure_features(network, table, held), errors, held.n_atoms))


def telling(graphs: Graphs) -> Graphs:
    """The structures by which sigma is made and calibrated: more than pairs of atoms, if there are enough.

    Pairs far apart, whose features vanish but whose errors do not, would make the scale infinite.
    """
    larger = np.flatnonzero(graphs.beyond_pairs)
    return graphs.subset(larger if len(larger) >= ENOUGH else np.flatnonzero(graphs.n_edges > 0))


def trust(network: Network, table: Tensor, graphs: Graphs) -> np.ndarray:
    """How much each structure counts in the Gram matrix [M]: by 1/N, as in a loss of errors an atom, and less if the
    model does not follow it, by 1/(1 + (e/m)^2) with its error an atom e and the median m of them (Cauchy's weights in
    robust regression).
    """
    if not len(graphs):
        return np.ones(0)
    error = np.abs(predict(network, table, graphs)[0] - graphs.energies) / graphs.n_atoms
    median = max(float(np.median(error)), 1e-12)
    return 1.0 / (graphs.n_atoms * (1.0 + (error / median) ** 2))


def most_likely(gram: np.ndarray, features: np.ndarray, errors: np.ndarray, sizes: np.ndarray) -> tuple[float, float]:
    """Ridge and scale that make the errors [M] in eV of structures with features [M, S*D] and sizes [M] most likely.

    For a given ridge the most likely scale of normal errors is the root mean square of error over the square root of
    f^T (gram + ridge)^-1 f; the ridge is the one of a geometric grid with the highest likelihood.
    """
    largest = float(np.linalg.eigvalsh(gram)[-1])
    best = (np.inf, 1.0, 1.0)
    for ridge in max(largest, 1e-12) * 10.0 ** np.arange(-11.0, -1.0, 0.5) if len(features) else ():
        solved = np.linalg.solve(gram + ridge * np.eye(len(gram)), features.T)
        width = np.maximum(np.sqrt(np.maximum(np.einsum("ij,ji->i", features, solved), 0.0)), 1e-12)
        # Clipped at the 99th percentile: a few broken contacts would set the scale of everything.
        ratio = np.abs(errors) / width
        ratio = np.minimum(ratio, np.quantile(ratio, 0.99))
        scale = max(float(np.sqrt((ratio**2).mean())), 1e-12)
        surprise = float((np.log(scale * width / sizes) + 0.5 * (np.abs(errors) / (scale * width)) ** 2).mean())
        if surprise < best[0]:
            best = (surprise, float(ridge), scale)
    return best[1:]
