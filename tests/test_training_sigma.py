"""The scale of the uncertainty: what counts for it."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from ase import Atoms
from hea_training.architecture import Architecture
from hea_training.graph import Graphs
from hea_training.sigma import most_likely, uncertainty
from hea_training.strata import load_network, start
from training_structures import ELEMENTS, cluster

ARCH = Architecture(ELEMENTS, n_interactions=1, n_features=8, n_angular=2, n_intervals=32, n_hidden=6, rank_pair=2)


def test_pairs_of_atoms_far_apart_do_not_set_the_scale() -> None:
    rng = np.random.default_rng(1)
    clusters = [cluster(rng, n, list(ELEMENTS)) for n in rng.integers(4, 12, size=30)]
    # Their features vanish with the filters at the cutoff, 5 A, and their errors do not.
    far = [Atoms("NiCu", positions=[[0, 0, 0], [r, 0, 0]]) for r in np.linspace(4.8, 5.2, 12)]
    single = [Atoms(symbol) for symbol in ELEMENTS]

    def graphs(structures: list[Atoms]) -> Graphs:
        forces = [np.zeros((len(atoms), 3)) for atoms in structures]
        return Graphs.build(ELEMENTS, ARCH.cutoff, structures, [0.1 * (len(a) - 1) for a in structures], forces)

    training = graphs([*single, *clusters])
    tensors = start(ARCH, training, seed=1)
    tensors["filters"][:, :, :-3] = rng.normal(size=tensors["filters"][:, :, :-3].shape)
    network, table = load_network(ARCH, tensors), torch.from_numpy(tensors["filters"])
    alone = uncertainty(network, table, training, graphs(clusters))
    with_pairs = uncertainty(network, table, training, graphs([*clusters, *far, *single]))
    assert with_pairs.scale == pytest.approx(alone.scale, rel=1e-3)
    assert with_pairs.ridge == pytest.approx(alone.ridge)
    few = uncertainty(network, table, training, graphs([*clusters[:3], *single]))
    assert np.isfinite(few.scale)
    assert few.scale > 0


def test_ridge_and_scale_are_found_again() -> None:
    rng = np.random.default_rng(2)
    old, features = (rng.normal(size=(n, 12)) * np.geomspace(1, 1e-3, 12) for n in (60, 4000))
    gram = old.T @ old
    ridge = 1e-4 * float(np.linalg.eigvalsh(gram)[-1])
    width = np.sqrt(np.einsum("ij,ij->i", features, np.linalg.solve(gram + ridge * np.eye(12), features.T).T))
    found, scale = most_likely(gram, features, 0.3 * width * rng.normal(size=4000), np.full(4000, 13))
    assert scale == pytest.approx(0.3, rel=0.05)
    assert found == pytest.approx(ridge, rel=1e-6)  # a point of the grid
