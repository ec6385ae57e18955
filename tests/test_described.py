"""What a model says of many structures: the calculator's numbers, features of which the energy is linear, errors."""

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from random_model import random_model, write_model
from sample_structures import alloy, cluster, slab

from hea_potential import HEACalculator
from hea_potential.described import describe, in_units_of_sigma
from hea_potential.errors import InputError, ModelFileError
from hea_potential.model_file import read_model_file


@pytest.fixture
def structures() -> list[Atoms]:
    rng = np.random.default_rng(7)
    return [cluster(rng, 9), Atoms("Pd"), alloy(rng), slab(rng), cluster(rng, 4, elements=("Cu",))]


def model(path: Path, **options: object) -> Path:
    return write_model(path / "model.safetensors", *random_model(np.random.default_rng(2), **options))


def test_numbers_are_the_calculator_s(tmp_path, structures):
    path = model(tmp_path)
    found = describe(structures, path)
    for k, atoms in enumerate(structures):
        atoms.calc = HEACalculator(path)
        assert found.energies[k] == pytest.approx(atoms.get_potential_energy(), abs=1e-10)
        assert found.sigmas[k] == pytest.approx(atoms.calc.get_property("energy_std", atoms), abs=1e-10)
        np.testing.assert_allclose(found.forces[k], atoms.get_forces(), atol=1e-10)
        assert found.largest_forces[k] == pytest.approx(np.linalg.norm(atoms.get_forces(), axis=1).max())


def test_the_energy_is_linear_in_the_features(tmp_path, structures):
    path = model(tmp_path, zbl=False)
    found, read = describe(structures, path), read_model_file(path)
    e0 = dict(zip(read.elements, read.tensors["e0"], strict=True))
    alone = np.array([sum(e0[symbol] for symbol in atoms.symbols) for atoms in structures])
    np.testing.assert_allclose(found.energies, alone + found.features @ read.tensors["head.out"].ravel(), atol=1e-10)


def test_in_units_of_sigma_lengths_are_sigmas_and_distances_those_of_differences(tmp_path, structures):
    path = model(tmp_path)
    found, read = describe(structures, path), read_model_file(path)
    places = in_units_of_sigma(found.features, path)
    np.testing.assert_allclose(np.linalg.norm(places, axis=1), found.sigmas, rtol=1e-9)
    sigma = read.metadata["sigma"]
    difference = found.features[0] - found.features[2]
    rigid = np.linalg.inv(read.tensors["gram"] + sigma["ridge"] * np.eye(len(difference)))
    expected = sigma["scale"] * np.sqrt(difference @ rigid @ difference)
    assert np.linalg.norm(places[0] - places[2]) == pytest.approx(expected, rel=1e-9)


def test_a_model_without_uncertainty_describes_but_has_no_distances(tmp_path, structures):
    path = model(tmp_path, sigma=False)
    found = describe(structures, path)
    assert np.isnan(found.sigmas).all()
    assert np.isfinite(found.energies).all()
    with pytest.raises(InputError, match="has no uncertainty"):
        in_units_of_sigma(found.features, path)


def test_no_structures_are_described_by_empty_arrays(tmp_path):
    path = model(tmp_path)
    found = describe([], path)
    assert found.features.shape == (0, 3 * 12)
    assert in_units_of_sigma(found.features, path).shape == (0, 3 * 12)


@pytest.mark.parametrize(
    ("atoms", "message"),
    [
        (
            Atoms("CuAg", [[0, 0, 0], [0, 0, 2.5]], info={"name": "bad"}),
            "structure bad .*has Ag; the model knows Ni, Cu",
        ),
        (Atoms(), "structure number 1 .*has no atoms"),
        (Atoms("Cu2", [[0, 0, 0], [0, 0, np.nan]]), "structure number 1 .*finite"),
        (Atoms("Cu2", [[0, 0, 0], [0, 0, 1e-5]]), "structure number 1 "),
    ],
)
def test_a_structure_at_fault_is_named(tmp_path, atoms, message):
    with pytest.raises(InputError, match=message):
        describe([Atoms("Cu"), atoms], model(tmp_path))


def test_features_of_another_width_and_damaged_models_are_refused(tmp_path):
    path = model(tmp_path)
    with pytest.raises(InputError, match=r"got shape \(2, 5\); those of model .* are \(n, 36\)"):
        in_units_of_sigma(np.zeros((2, 5)), path)
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelFileError, match="model file"):
        describe([Atoms("Cu")], path)
