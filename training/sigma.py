"""Calibrated uncertainty: last-layer prediction rigidity (Bigi, Chong, Ceriotti and Grasselli 2024)."""

from dataclasses import dataclass

import numpy as np
import torch
from hea_training.fit import predict
from hea_training.graph import Graphs
from hea_training.network import Network
from torch import Tensor

__all__ = ["Uncertainty", "structure_features", "uncertainty"]

ENOUGH = 20  # structures with more than one edge, from which on they alone count


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

    Every structure counts by 1/N (as in a loss of errors an atom, with variance proportional to the size). For a given
    ridge the most likely scale of normal errors is the root mean square of error over the square root of
    f^T (gram + ridge)^-1 f; the ridge is the one of a geometric grid with the highest likelihood. Free atoms and
    pairs of atoms are left out of both (see `telling`).
    """
    training, held = telling(training), telling(valid if len(valid) else training)
    phi = structure_features(network, table, training) / np.sqrt(training.n_atoms)[:, None]
    gram = phi.T @ phi
    gram = (gram + gram.T) / 2
    f, size = structure_features(network, table, held), held.n_atoms
    error = predict(network, table, held)[0] - held.energies
    largest = float(np.linalg.eigvalsh(gram)[-1]) if len(gram) else 1.0
    best = (np.inf, 1.0, 1.0)
    for ridge in max(largest, 1e-12) * 10.0 ** np.arange(-11.0, -1.0, 0.5):
        width = np.sqrt(np.einsum("ij,ji->i", f, np.linalg.solve(gram + ridge * np.eye(len(gram)), f.T)))
        width = np.maximum(width, 1e-12)
        # Clipped at the 99th percentile: a few broken contacts would set the scale of everything.
        ratio = np.abs(error) / width
        ratio = np.minimum(ratio, np.quantile(ratio, 0.99)) if len(ratio) else np.ones(1)
        scale = max(float(np.sqrt((ratio**2).mean())), 1e-12)
        surprise = (
            float((np.log(scale * width / size) + 0.5 * (np.abs(error) / (scale * width)) ** 2).mean())
            if len(f)
            else 0.0
        )
        if surprise < best[0]:
            best = (surprise, float(ridge), scale)
    return Uncertainty(gram, best[1], best[2])


def telling(graphs: Graphs) -> Graphs:
    """The structures by which sigma is made and calibrated: those with more than one edge, if there are enough.

    Pairs of atoms are many in a young data set, and say little about clusters: with them, sigma found the largest tenth
    of the errors on unseen clusters with an area under the curve of 0.60 to 0.70, without them with 0.75 to 0.81
    (13-atom clusters of six metals, 670 pairs among 2000 structures). And pairs far apart, whose features vanish but
    whose errors do not, would make the scale infinite.
    """
    larger = np.flatnonzero(graphs.n_edges > 1)
    return graphs.subset(larger if len(larger) >= ENOUGH else np.flatnonzero(graphs.n_edges > 0))
