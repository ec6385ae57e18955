"""The compiled convolution, and gradients of energy-and-force losses without a graph of a graph, against plain
torch."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from hea_training import _convolution
from hea_training.convolution import convolve, convolve_reference
from hea_training.filters import Filters, first_free_control
from hea_training.fit import Settings, loss_of, step
from hea_training.graph import Batch, Graphs
from hea_training.network import Architecture, Network
from hea_training.zbl import zbl_energy_and_slope
from training_structures import ELEMENTS, labelled_structures

ARCH = Architecture(ELEMENTS, n_features=8, n_angular=3, n_intervals=40, n_hidden=5, rank_pair=2, rank_many=3)


def prepared() -> tuple[Network, Filters, Batch]:
    """A small network in double precision whose adapters speak, and a batch with clusters, a small cell, a far and a
    single atom."""
    torch.manual_seed(3)
    structures, energies, forces = labelled_structures(np.random.default_rng(1))
    graphs = Graphs.build(ELEMENTS, ARCH.cutoff, structures, energies, forces)
    smallest = np.full(ARCH.n_pairs, 2.0)
    graphs.set_offsets(np.zeros(3), 0.7 * smallest, 1.2 * smallest)
    network = Network(ARCH).double()
    torch.nn.init.normal_(network.adapter_out, std=0.3)
    base = torch.zeros(ARCH.n_interactions, ARCH.n_pairs, ARCH.n_intervals + 3, ARCH.n_channels)
    filters = Filters(ARCH, base, list(range(ARCH.n_pairs)), first_free_control(ARCH, smallest)).double()
    return network, filters, graphs.batch(np.arange(len(graphs)), torch.float64)


def test_gradient_of_the_loss_is_that_of_double_backward() -> None:
    network, filters, batch = prepared()
    settings = Settings()
    loss = step(network, filters, batch, settings)
    parameters = dict(network.named_parameters()) | dict(filters.named_parameters())
    fast = {name: p.grad.clone() for name, p in parameters.items()}
    network.zero_grad()
    filters.zero_grad()
    network.reference_kernels = True
    displacement = batch.edges.displacement.clone().requires_grad_(True)
    energy = network(batch, filters(), replace(batch.edges, displacement=displacement))[0]
    (pull,) = torch.autograd.grad(energy.sum(), displacement, create_graph=True)
    forces = (
        torch.zeros_like(batch.forces).index_add(0, batch.edges.first, pull).index_add(0, batch.edges.second, -pull)
    )
    slow = loss_of(energy, forces, batch, settings)
    slow.backward()
    assert loss == pytest.approx(float(slow), rel=1e-12)
    for name, parameter in parameters.items():
        torch.testing.assert_close(
            fast[name], parameter.grad, rtol=1e-8, atol=1e-10, msg=lambda text, name=name: f"{name}: {text}"
        )


def test_single_precision_kernels_agree_with_double() -> None:
    _, filters, batch = prepared()
    table = filters().detach()
    y = torch.randn(1, len(batch.species), ARCH.n_features, dtype=torch.float64)
    wide = convolve_reference(y, table[0], batch.edges, ARCH.n_angular, ARCH.cutoff)
    single = replace(batch.edges, displacement=batch.edges.displacement.float())
    narrow = convolve(y.float(), table[0].float(), single, ARCH.n_angular, ARCH.cutoff)
    torch.testing.assert_close(narrow.double(), wide, rtol=1e-4, atol=1e-5)


def test_kernels_refuse_atoms_and_pairs_that_do_not_exist() -> None:
    one, q, y = torch.zeros(1, dtype=torch.int64), torch.zeros(1, 2, 4), torch.zeros(1, 2, 4)
    table, d = torch.zeros(1, 11, 4), torch.ones(1, 3)
    _convolution.convolve(one, one + 1, one, d, None, table, y, q, 0, 5.0)
    for first, second, pair in ((one + 2, one, one), (one, one - 1, one), (one, one, one + 1)):
        with pytest.raises(ValueError, match="does not exist"):
            _convolution.convolve(first, second, pair, d, None, table, y, q, 0, 5.0)
    with pytest.raises(ValueError, match="table"):
        _convolution.convolve(one, one + 1, one, d, None, torch.zeros(1, 11, 5), y, q, 0, 5.0)


def test_repulsion_has_its_own_derivative_and_ends_at_the_outer_radius() -> None:
    r = np.linspace(0.5, 2.6, 40)
    inner, outer, pair = np.array([1.0]), np.array([2.4]), np.zeros(len(r), dtype=int)
    energy, slope = zbl_energy_and_slope(["Cu"], pair, r, inner, outer)
    step_size = 1e-6
    above = zbl_energy_and_slope(["Cu"], pair, r + step_size, inner, outer)[0]
    below = zbl_energy_and_slope(["Cu"], pair, r - step_size, inner, outer)[0]
    np.testing.assert_allclose(slope, (above - below) / (2 * step_size), rtol=1e-6, atol=1e-7)
    assert np.all(energy[r > 2.4] == 0.0)
    assert np.all(np.diff(energy[r < 2.3]) < 0.0)
