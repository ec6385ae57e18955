"""The last layer in closed form: what it learns, what it leaves, and that the engine's sigma follows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from hea_training.meta_loop.last_layer import gram_of, gram_with, update_last_layer
from random_model import random_model
from training_structures import cluster

from hea_potential.calculator import HEACalculator
from hea_potential.engine import Model, Potential
from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile, write_model_file
from hea_potential.neighbours import NeighbourList

ELEMENTS = ["Ni", "Cu", "Pd"]


def described(model: ModelFile, structures: list[Atoms]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The engine's energies [M], features [M, S*D] and sigmas [M]."""
    engine = Model(model.to_bytes())
    potential = Potential(engine, list(range(len(ELEMENTS))))
    energies, features, sigmas = [], [], []
    for atoms in structures:
        neighbours = NeighbourList(model.cutoff, 0.0)
        vectors = neighbours.vectors(atoms.positions, atoms.cell.array, atoms.pbc)
        types = np.array([ELEMENTS.index(symbol) for symbol in atoms.get_chemical_symbols()], dtype=np.int32)
        found = potential.evaluate(
            types, neighbours.first, neighbours.neighbour, vectors, sigma=True, features=True, forces=False
        )
        energies.append(found["energy"])
        features.append(found["features"])
        sigmas.append(found["sigma"])
    return np.array(energies), np.array(features), np.array(sigmas)


@pytest.fixture(scope="module")
def structures() -> list[Atoms]:
    rng = np.random.default_rng(3)
    return [cluster(rng, int(n), ELEMENTS) for n in rng.integers(4, 14, size=24)]


@pytest.fixture(scope="module")
def model(structures: list[Atoms]) -> ModelFile:
    """A random model whose Gram matrix is that of the first eight structures."""
    tensors, metadata = random_model(np.random.default_rng(4), elements=ELEMENTS)
    old = structures[:8]
    blank = ModelFile({**tensors, "gram": np.zeros_like(tensors["gram"])}, metadata)
    gram = gram_of(described(blank, old)[1], sizes_of(old))
    return ModelFile({**tensors, "gram": gram}, {**metadata, "sigma": {"scale": 0.5, "ridge": 1e-3}})


def sizes_of(structures: list[Atoms]) -> np.ndarray:
    return np.array([len(atoms) for atoms in structures])


def test_labels_of_another_last_layer_are_learnt(model: ModelFile, structures: list[Atoms]) -> None:
    other = np.random.default_rng(5).normal(size=model.tensors["head.out"].shape)
    teacher = ModelFile({**model.tensors, "head.out": other}, model.metadata)
    known, (before, features, _) = described(teacher, structures)[0], described(model, structures)
    updated = update_last_layer(model, features, sizes_of(structures), known - before, weight=1e9)
    after = described(updated, structures)[0]
    assert np.abs(known - before).mean() > 1.0
    np.testing.assert_allclose(after, known, rtol=0, atol=1e-4)


def test_the_update_is_the_minimum_of_its_sum_of_squares(model: ModelFile, structures: list[Atoms]) -> None:
    sizes, rng = sizes_of(structures), np.random.default_rng(6)
    _, features, _ = described(model, structures)
    errors, weight = rng.normal(size=len(structures)), 3.0
    updated = update_last_layer(model, features, sizes, errors, weight=weight)
    change = (updated.tensors["head.out"] - model.tensors["head.out"]).ravel()
    prior = model.tensors["gram"] + model.metadata["sigma"]["ridge"] * np.eye(len(change))

    def cost(v: np.ndarray) -> float:
        return float(v @ prior @ v + weight * ((errors - features @ v) ** 2 / sizes).sum())

    for direction in rng.normal(size=(10, len(change))):
        assert cost(change) < cost(change + 1e-3 * direction)
        slope = (cost(change + 1e-3 * direction) - cost(change - 1e-3 * direction)) / 2e-3
        assert abs(slope) < 1e-7 * np.abs(prior).max()


def test_one_after_the_other_is_all_at_once(model: ModelFile, structures: list[Atoms]) -> None:
    new = structures[8:]
    known = np.random.default_rng(7).normal(size=len(new)) * 2.0
    before, features, _ = described(model, new)
    together = update_last_layer(model, features, sizes_of(new), known - before)
    single = model
    for k, atoms in enumerate(new):
        energy, row, _ = described(single, [atoms])
        single = update_last_layer(single, row, sizes_of([atoms]), known[k : k + 1] - energy)
    np.testing.assert_allclose(single.tensors["gram"], together.tensors["gram"], rtol=1e-12)
    np.testing.assert_allclose(single.tensors["head.out"], together.tensors["head.out"], rtol=1e-6, atol=1e-8)


def test_sigma_falls_where_the_labels_are(model: ModelFile, structures: list[Atoms], tmp_path: Path) -> None:
    new, others = structures[8:9], structures[9:]
    _, features, sigma = described(model, new)
    updated = update_last_layer(model, features, sizes_of(new), np.array([0.3]), weight=100.0)
    assert described(updated, new)[2][0] < 0.2 * sigma[0]
    assert np.all(described(updated, others)[2] <= described(model, others)[2])
    write_model_file(tmp_path / "updated.safetensors", updated)  # what is written is what ASE and LAMMPS read
    atoms = new[0].copy()
    atoms.calc = HEACalculator(tmp_path / "updated.safetensors")
    assert atoms.get_potential_energy() == pytest.approx(described(updated, new)[0][0], abs=1e-10)


def test_the_gram_matrix_alone_leaves_every_energy(model: ModelFile, structures: list[Atoms]) -> None:
    energies, features, _ = described(model, structures)
    wider = gram_with(model, features, sizes_of(structures), weight=2.0)
    expected = model.tensors["gram"] + sum(
        2.0 * np.outer(row, row) / len(a) for row, a in zip(features, structures, strict=True)
    )
    np.testing.assert_allclose(wider.tensors["gram"], expected, rtol=1e-12)
    assert np.array_equal(described(wider, structures)[0], energies)


Call = Callable[[ModelFile, np.ndarray, np.ndarray], ModelFile]
WRONG: dict[str, tuple[str, Call]] = {
    "a model without uncertainty": (
        "without uncertainty",
        lambda m, f, n: update_last_layer(without_sigma(m), f, n, np.zeros(len(n))),
    ),
    "features of another model": ("features", lambda m, f, n: update_last_layer(m, f[:, 1:], n, np.zeros(len(n)))),
    "features that are not finite": ("features", lambda m, f, n: update_last_layer(m, f * np.nan, n, np.zeros(len(n)))),
    "too few labels": ("errors", lambda m, f, n: update_last_layer(m, f, n, np.zeros(len(n) - 1))),
    "a label that is not finite": ("errors", lambda m, f, n: update_last_layer(m, f, n, np.full(len(n), np.inf))),
    "a structure of no atoms": ("sizes", lambda m, f, n: gram_with(m, f, n * 0)),
    "a weight of zero": ("weight", lambda m, f, n: gram_with(m, f, n, weight=0.0)),
}


def without_sigma(model: ModelFile) -> ModelFile:
    tensors = {name: array for name, array in model.tensors.items() if name != "gram"}
    return replace(model, tensors=tensors, metadata={k: v for k, v in model.metadata.items() if k != "sigma"})


@pytest.mark.parametrize("case", WRONG)
def test_what_does_not_fit_is_refused(model: ModelFile, structures: list[Atoms], case: str) -> None:
    message, call = WRONG[case]
    features = described(model, structures)[1]
    with pytest.raises(InputError, match=message):
        call(model, features, sizes_of(structures))
