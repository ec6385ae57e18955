"""SchNetPack's stock SchNet: trained by the same command, and converted to a model file that gives its own numbers."""

from pathlib import Path

import numpy as np
import pytest
import torch
from ase import Atoms
from ase.build import bulk
from hea_training.baseline import predict_baseline, stock_schnet
from hea_training.config import read_config
from hea_training.convert import convert, load_checkpoint
from hea_training.graph import Graphs
from hea_training.network import Architecture
from hea_training.run import train
from schnetpack import properties
from schnetpack.atomistic import Atomwise, Forces, PairwiseDistances
from schnetpack.model import NeuralNetworkPotential
from schnetpack.nn import CosineCutoff, GaussianRBF
from schnetpack.representation import PaiNN, SchNet
from scipy.constants import N_A, calorie, e
from training_structures import ELEMENTS, cluster, write_small_dataset

from hea_potential import HEACalculator
from hea_potential.errors import InputError

ARCH = Architecture(ELEMENTS, n_features=12, n_interactions=3)
E0 = np.array([-1.0, -2.0, -3.5])


def structures() -> list[Atoms]:
    rng = np.random.default_rng(2)
    cell = bulk("Pd", cubic=True)
    cell.symbols[0] = "Cu"
    cell.rattle(0.1, seed=2)
    return [Atoms("Cu"), cluster(rng, 2, ["Ni", "Pd"]), cluster(rng, 13, list(ELEMENTS)), bulk("Ni"), cell]


def assert_same(model: NeuralNetworkPotential, path: Path, unit: float = 1.0) -> None:
    """The model file's energies and forces are the checkpoint's, within single precision and the splines' fit."""
    found = structures()
    zeros = [np.zeros((len(atoms), 3)) for atoms in found]
    graphs = Graphs.build(ELEMENTS, ARCH.cutoff, found, np.zeros(len(found)), zeros)
    energies, forces = predict_baseline(model, graphs)
    start = 0
    for k, atoms in enumerate(found):
        atoms.calc = HEACalculator(path)
        assert atoms.get_potential_energy() == pytest.approx(unit * energies[k], abs=1e-4 * len(atoms))
        np.testing.assert_allclose(atoms.get_forces(), unit * forces[start : start + len(atoms)], atol=5e-4)
        start += len(atoms)


def test_stock_model_converts(tmp_path: Path) -> None:
    torch.manual_seed(1)
    model = stock_schnet(ARCH, E0)
    done = convert(model, ELEMENTS, tmp_path / "converted.safetensors", energy_unit="eV")
    assert done.largest_error < 1e-4
    assert_same(model, done.path)


@pytest.mark.parametrize("n_filters", [8, 20])
def test_other_numbers_of_filters_and_units_convert(tmp_path: Path, n_filters: int) -> None:
    torch.manual_seed(2)
    schnet = SchNet(12, 2, GaussianRBF(15, ARCH.cutoff), CosineCutoff(ARCH.cutoff), n_filters=n_filters)
    model = NeuralNetworkPotential(
        schnet, [PairwiseDistances()], [Atomwise(12, output_key=properties.energy), Forces()]
    )
    done = convert(model, ELEMENTS, tmp_path / "converted.safetensors", energy_unit="kcal/mol")
    assert done.architecture.n_features == max(12, n_filters)
    assert_same(model, done.path, unit=1000.0 * calorie / (N_A * e))


def test_what_the_format_cannot_hold_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "no.safetensors"
    painn = PaiNN(12, 1, GaussianRBF(15, 5.0), CosineCutoff(5.0))
    model = NeuralNetworkPotential(painn, [PairwiseDistances()], [Atomwise(12, output_key=properties.energy), Forces()])
    with pytest.raises(InputError, match="PaiNN; allowed is SchNet"):
        convert(model, ELEMENTS, path, energy_unit="eV")
    stock = stock_schnet(ARCH, E0)
    with pytest.raises(InputError, match="energy unit: got 'Ry'"):
        convert(stock, ELEMENTS, path, energy_unit="Ry")
    with pytest.raises(InputError, match="elements"):
        convert(stock, ["Ni", "Nix"], path, energy_unit="eV")
    with pytest.raises(InputError, match="there is no such file"):
        load_checkpoint(tmp_path / "none")
    (tmp_path / "noise").write_bytes(b"not a checkpoint")
    with pytest.raises(InputError, match="cannot be read"):
        load_checkpoint(tmp_path / "noise")
    assert not path.exists()


def test_baseline_trains_and_converts(tmp_path: Path) -> None:
    write_small_dataset(tmp_path / "small.h5", np.random.default_rng(5))
    (tmp_path / "run.toml").write_text(
        'data = "small.h5"\noutput = "out"\nelements = ["Ni", "Cu", "Pd"]\nmodel = "schnetpack"\n'
        "[architecture]\nn_features = 12\nn_angular = 0\n[training]\nepochs = 2\n"
    )
    config = read_config(tmp_path / "run.toml")
    losses: list[float] = []
    path = train(config, lambda _stratum, _done, _total, loss: losses.append(loss))
    assert len(losses) == 2
    assert losses[1] < losses[0]
    model = load_checkpoint(path)
    done = convert(model, ELEMENTS, tmp_path / "converted.safetensors", energy_unit="eV")
    assert_same(model, done.path)
