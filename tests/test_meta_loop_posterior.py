"""What labels say of the last layer, and the model that knows them, against the definitions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.cluster import Icosahedron
from hea_training.meta_loop.label_rows import Evaluator, LabelSums, sums_of
from hea_training.meta_loop.posterior import NOISES, SPREADS, posterior
from hea_training.meta_loop.restricted import for_reference, restricted
from hea_training.meta_loop.wide_heads import states_of, with_prior, with_wide_heads
from numpy.typing import NDArray
from random_model import random_model
from scipy.stats import multivariate_normal

from hea_potential import HEACalculator
from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile, read_model_file, write_model_file

ELEMENTS = ("Ni", "Cu")
Floats = NDArray[np.float64]


def clusters(count: int, seed: int, labels: bool = True) -> list[Atoms]:
    """Shaken icosahedra of nickel and copper, with EMT's labels relative to its isolated atoms of energy zero."""
    rng = np.random.default_rng(seed)
    found = []
    for k in range(count):
        atoms = Icosahedron("Cu", 2)
        atoms.symbols[rng.permutation(13)[: rng.integers(3, 10)]] = "Ni"
        atoms.positions += rng.normal(scale=0.1, size=(13, 3))
        atoms.info["name"] = f"cluster-{seed}-{k}"
        if labels:
            atoms.calc = EMT()
            results = {"energy": atoms.get_potential_energy(), "forces": atoms.get_forces()}
            atoms.calc = SinglePointCalculator(atoms, **results)
        found.append(atoms)
    return found


@pytest.fixture(scope="module")
def model() -> ModelFile:
    """hea6 for two elements, with the isolated atoms of EMT."""
    return for_reference(restricted(read_model_file("hea6"), ELEMENTS), {"Ni": 4.44, "Cu": 3.51})


@pytest.fixture(scope="module")
def small() -> ModelFile:
    """hea6's last layer with a prior for it."""
    return with_prior(restricted(read_model_file("hea6"), ELEMENTS), clusters(2, seed=1, labels=False))


@pytest.fixture(scope="module")
def wide(model: ModelFile) -> ModelFile:
    structures = clusters(6, seed=2, labels=False)
    return with_prior(with_wide_heads(model, structures, 48, np.random.default_rng(0)), structures)


def calculator(model: ModelFile, path: Path) -> HEACalculator:
    write_model_file(path, model)
    return HEACalculator(path)


def energy_of(atoms: Atoms, calculator: HEACalculator) -> float:
    atoms = atoms.copy()
    atoms.calc = calculator
    return float(atoms.get_potential_energy())


def sigma_of(atoms: Atoms, calculator: HEACalculator) -> float:
    atoms = atoms.copy()
    return float(calculator.get_property("energy_std", atoms))


def test_fewer_elements_say_the_same(tmp_path: Path) -> None:
    whole = ModelFile(*random_model(np.random.default_rng(3), elements=("Ni", "Cu", "Au")))
    part = restricted(whole, ("Au", "Ni"))
    atoms = bulk("Au", cubic=True, a=3.9).repeat((2, 1, 1))
    atoms.symbols[:3] = "Ni"
    atoms.rattle(0.1, seed=1)
    one, other = (calculator(each, tmp_path / f"{k}.safetensors") for k, each in enumerate((whole, part)))
    assert energy_of(atoms, one) == pytest.approx(energy_of(atoms, other), abs=1e-10)
    assert sigma_of(atoms, one) > sigma_of(atoms, other) > 0.0  # what the third element leaves open is gone
    with pytest.raises(InputError, match="got Pd; the model knows Ni, Cu, Au"):
        restricted(whole, ("Pd",))


def test_energies_and_forces_are_linear_in_the_last_layer(small: ModelFile, tmp_path: Path) -> None:
    (atoms,) = clusters(1, seed=4, labels=False)
    features, jacobian, energy, forces = Evaluator(small).derivatives(atoms)
    for seed in range(2):
        weights = np.random.default_rng(seed).normal(size=small.tensors["head.out"].shape)
        other = ModelFile({**small.tensors, "head.out": weights}, small.metadata)
        atoms.calc = calculator(other, tmp_path / f"{seed}.safetensors")
        assert atoms.get_potential_energy() == pytest.approx(energy + features @ weights.ravel(), abs=1e-9)
        assert np.allclose(atoms.get_forces().ravel(), forces + jacobian @ weights.ravel(), atol=1e-9)


def test_random_features_leave_the_energy_and_see_every_atom(model: ModelFile, tmp_path: Path) -> None:
    structures = clusters(4, seed=5, labels=False)
    wide = with_wide_heads(model, structures, 16, np.random.default_rng(1))
    before, after = (calculator(each, tmp_path / f"{k}.safetensors") for k, each in enumerate((model, wide)))
    assert wide.metadata["n_hidden"] == model.metadata["n_hidden"] + 16
    assert energy_of(structures[0], before) == pytest.approx(energy_of(structures[0], after), abs=1e-9)
    again = with_wide_heads(model, structures, 16, np.random.default_rng(1))
    assert wide.to_bytes() == again.to_bytes()
    # What goes into the random units varies by about one over the atoms that they were made for.
    for element, states in enumerate(states_of(model, structures)):
        assert len(states) == sum((atoms.numbers == (28, 29)[element]).sum() for atoms in structures)
        inputs = states @ wide.tensors["head.hidden.weight"][element, -16:].T
        assert 0.3 < inputs.std(axis=0).mean() < 2.0
    with pytest.raises(InputError, match="got 2 atoms of Ni in 1 structures; allowed are two or more that are not"):
        with_wide_heads(model, [Atoms("Ni2", positions=[[0, 0, 0], [0, 0, 2.4]])], 4, np.random.default_rng(1))


def test_sums_do_not_depend_on_when_labels_came(small: ModelFile) -> None:
    labelled = clusters(3, seed=6)
    once = sums_of(small, labelled)
    in_turn = sums_of(small, labelled, sums_of(small, labelled[:2]))
    assert once.names == in_turn.names == tuple(atoms.info["name"] for atoms in labelled)
    assert once.count == in_turn.count == 3 * 40
    assert np.array_equal(once.matrix, in_turn.matrix)
    assert np.array_equal(once.vector, in_turn.vector)
    assert once.square == in_turn.square


def test_the_posterior_is_that_of_the_normal_distribution(small: ModelFile) -> None:
    """On a grid of a and s the evidence is the density of the labels; mean and covariance are those of conditioning."""
    rng = np.random.default_rng(7)
    width = small.tensors["head.out"].size
    rows, targets = rng.normal(size=(20, width)), rng.normal(size=20)
    sums = LabelSums(rows.T @ rows, rows.T @ targets, float(targets @ targets), 20)
    found = posterior(small, sums)
    precision = small.tensors["gram"] + small.metadata["sigma"]["ridge"] * np.eye(width)
    kernel = rows @ np.linalg.solve(precision, rows.T)

    def log_density(spread: float, noise: float) -> float:
        return float(multivariate_normal(cov=spread * kernel + noise**2 * np.eye(20)).logpdf(targets))

    constant = 20 * np.log(2 * np.pi)
    assert found.evidence == pytest.approx(2 * log_density(found.spread, found.noise) + constant, abs=1e-6)
    for spread, noise in zip(rng.choice(SPREADS[16:], 10), rng.choice(NOISES, 10), strict=True):
        assert 2 * log_density(spread, noise) + constant <= found.evidence + 1e-6
    prior = found.spread * np.linalg.inv(precision)
    total = rows @ prior @ rows.T + found.noise**2 * np.eye(20)
    mean = prior @ rows.T @ np.linalg.solve(total, targets)
    change = found.model.tensors["head.out"] - small.tensors["head.out"]
    assert np.allclose(change.ravel(), mean, atol=1e-6 * np.abs(mean).max())
    covariance = prior - prior @ rows.T @ np.linalg.solve(total, rows @ prior)
    sigma = found.model.metadata["sigma"]
    gram = found.model.tensors["gram"] + sigma["ridge"] * np.eye(width)
    probe = rng.normal(size=width)
    assert sigma["scale"] ** 2 * probe @ np.linalg.solve(gram, probe) == pytest.approx(
        probe @ covariance @ probe, rel=1e-4
    )


def test_few_labels_teach_another_reference_and_say_how_well(wide: ModelFile, tmp_path: Path) -> None:
    unseen = clusters(20, seed=9)
    labels = np.array([atoms.get_potential_energy() for atoms in unseen])
    before = calculator(wide, tmp_path / "before.safetensors")
    after = calculator(posterior(wide, sums_of(wide, clusters(8, seed=8))).model, tmp_path / "after.safetensors")
    wrong = np.array([energy_of(atoms, before) for atoms in unseen]) - labels
    left = np.array([energy_of(atoms, after) for atoms in unseen]) - labels
    assert np.sqrt((left**2).mean()) < 0.1 * np.sqrt((wrong**2).mean())
    z = left / [sigma_of(atoms, after) for atoms in unseen]
    assert 0.3 < np.sqrt((z**2).mean()) < 3.0


def test_what_cannot_be_fitted_is_refused(model: ModelFile, small: ModelFile) -> None:
    without = {name: tensor for name, tensor in model.tensors.items() if name != "gram"}
    metadata = {key: value for key, value in model.metadata.items() if key != "sigma"}
    width = small.tensors["head.out"].size
    with pytest.raises(InputError, match="without uncertainty"):
        posterior(ModelFile(without, metadata), LabelSums.empty(width))
    with pytest.raises(InputError, match="labels: got none"):
        posterior(small, LabelSums.empty(width))
    with pytest.raises(InputError, match="got Au; the model knows Ni, Cu"):
        sums_of(small, [Atoms("Au2", positions=[[0, 0, 0], [0, 0, 2.5]], info={"name": "gold"})])
    with pytest.raises(InputError, match="prior: got no structures"):
        with_prior(model, [])
