"""The engine against the equations written down plainly, for random models of many shapes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from plain_energy import Edge, PlainModel
from random_model import model_bytes, random_model, write_model

from hea_potential.engine import Model, ModelError, Potential, simd_name

Array = NDArray[np.float64]
ELEMENTS = ("Ni", "Cu", "Pd", "Au")

SHAPES: dict[str, dict[str, Any]] = {
    "all parts": {},
    "no angular features": {"n_angular": 0},
    "no adapters": {"rank_pair": 0, "rank_many": 0},
    "pair adapters alone": {"rank_many": 0},
    "one interaction, all features angular": {"n_interactions": 1, "n_features": 9, "n_angular": 9},
    "shipped": {"n_features": 64, "n_angular": 16, "n_hidden": 64, "n_intervals": 64, "rank_pair": 8, "rank_many": 16},
    "wide and deep": {"n_features": 70, "n_angular": 33, "n_interactions": 3, "n_hidden": 20},
    "silu head": {"activation": "silu"},
    "no repulsion": {"zbl": False},
}


class Structure:
    """Atoms of random types around the points of a lattice, in a box that is periodic or not."""

    def __init__(
        self, rng: np.random.Generator, n: int, n_types: int, *, box: float | None = None, spacing: float = 2.3
    ):
        grid = np.array([(i, j, k) for i in range(3) for j in range(3) for k in range(3)], dtype=float)[:n]
        self.positions = spacing * grid + rng.uniform(-0.3, 0.3, size=(n, 3))
        self.types = rng.integers(n_types, size=n).astype(np.int32)
        self.box = box

    def edges(self, cutoff: float) -> list[Edge]:
        """Half edges within the cutoff, each image of each pair once."""
        reach = range(-2, 3) if self.box else range(1)
        images = [(self.box or 0.0) * np.array([a, b, c], dtype=float) for a in reach for b in reach for c in reach]
        found = []
        for i in range(len(self.types)):
            for j in range(i, len(self.types)):
                for k, image in enumerate(images):
                    if i == j and 2 * k <= len(images):  # of an atom and its own images, half
                        continue
                    d = self.positions[j] - self.positions[i] + image
                    r = float(np.linalg.norm(d))
                    if r < cutoff:
                        found.append(Edge(i, j, r, d / r))
        return found


def arrays(structure: Structure, cutoff: float) -> dict[str, Any]:
    """The engine's arguments."""
    edges = structure.edges(cutoff)
    counts = np.bincount([e.i for e in edges], minlength=len(structure.types))
    return {
        "types": structure.types,
        "first": np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
        "neighbour": np.array([e.j for e in edges], dtype=np.int32),
        "vectors": np.array([e.r * e.u for e in edges]).reshape(-1, 3),
    }


def potential_of(model: tuple[dict[str, Array], dict[str, Any]], precision: Any = "double") -> Potential:
    return Potential(Model(model_bytes(*model)), range(len(model[1]["elements"])), precision)


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize(
    ("n", "n_types", "box"), [(1, 1, None), (9, 1, None), (9, 2, None), (12, 4, None), (4, 3, 4.8)]
)
def test_energy_and_sigma_are_those_of_the_equations(shape: str, n: int, n_types: int, box: float | None) -> None:
    rng = np.random.default_rng(n)
    model = random_model(rng, elements=ELEMENTS, **SHAPES[shape])
    structure = Structure(rng, n, n_types, box=box)
    plain, edges = PlainModel(*model), structure.edges(5.0)
    got = potential_of(model).evaluate(**arrays(structure, 5.0), sigma=True)
    assert got["energy"] == pytest.approx(plain.energy(structure.types, edges), abs=1e-10 * n, rel=0)
    assert got["sigma"] == pytest.approx(plain.sigma(structure.types, edges), abs=1e-10, rel=0)
    assert got["energies"].sum() == pytest.approx(got["energy"], abs=1e-11, rel=0)
    single = potential_of(model, "single").evaluate(**arrays(structure, 5.0))
    assert abs(single["energy"] - got["energy"]) < 1e-5 * n
    np.testing.assert_allclose(single["forces"], got["forces"], rtol=0, atol=1e-4)


@pytest.mark.parametrize("kappa", [0.0, 1.3])
def test_forces_are_the_gradient_of_the_equations(kappa: float) -> None:
    rng = np.random.default_rng(5)
    model = random_model(rng, elements=ELEMENTS)
    structure = Structure(rng, 8, 4)
    plain = PlainModel(*model)

    def objective() -> float:
        edges = structure.edges(5.0)
        return plain.energy(structure.types, edges) - kappa * plain.sigma(structure.types, edges)

    got = potential_of(model).evaluate(**arrays(structure, 5.0), kappa=kappa)["forces"]
    step = 1e-4
    for atom, axis in [(0, 0), (3, 1), (7, 2)]:
        here = structure.positions[atom, axis]
        values = []
        for x in (here + step, here - step):
            structure.positions[atom, axis] = x
            values.append(objective())
        structure.positions[atom, axis] = here
        assert got[atom, axis] == pytest.approx(-(values[0] - values[1]) / (2 * step), abs=1e-6, rel=0)


@pytest.mark.parametrize("precision", ["double", "single"])
def test_a_decomposition_gives_the_same_numbers(precision: str) -> None:
    rng = np.random.default_rng(6)
    model = random_model(rng, elements=ELEMENTS)
    structure = Structure(rng, 6, 4, box=5.2)
    given = arrays(structure, 5.0)
    potential = potential_of(model, precision)
    whole = potential.evaluate(**given, kappa=0.4, atom_virial=True)

    # Every edge leads to a ghost of its own, so that nothing is right unless it went through the exchange.
    owner = given["neighbour"]
    ghosts = {
        "types": np.concatenate([structure.types, structure.types[owner]]),
        "first": given["first"],
        "neighbour": (6 + np.arange(len(owner))).astype(np.int32),
        "vectors": given["vectors"],
    }
    parts = potential.evaluate(**ghosts, kappa=0.4, atom_virial=True, owner=owner.tolist())
    atol = 1e-12 if precision == "double" else 1e-5
    for name in ("energy", "sigma", "virial"):
        np.testing.assert_allclose(parts[name], whole[name], rtol=0, atol=10 * atol)
    for name in ("forces", "energies", "atom_virial"):
        collected = parts[name][:6].copy()
        np.add.at(collected, owner, parts[name][6:])
        np.testing.assert_allclose(collected, whole[name], rtol=0, atol=atol, err_msg=name)


def test_a_million_edges_cost_no_accuracy() -> None:
    rng = np.random.default_rng(7)
    model = random_model(rng, elements=ELEMENTS, n_features=16, n_angular=4)
    structure = Structure(rng, 27, 4, box=3 * 2.3)
    given = arrays(structure, 5.0)
    small = potential_of(model).evaluate(**given)
    copies = 1_000_000 // len(given["neighbour"]) + 1
    shift = np.repeat(27 * np.arange(copies), len(given["neighbour"]))
    large = potential_of(model).evaluate(
        np.tile(given["types"], copies),
        np.concatenate([[0], np.cumsum(np.tile(np.diff(given["first"]), copies))]),
        (np.tile(given["neighbour"], copies) + shift).astype(np.int32),
        np.tile(given["vectors"], (copies, 1)),
    )
    assert large["energy"] / copies == pytest.approx(small["energy"], rel=1e-12)
    np.testing.assert_allclose(large["forces"][-27:], small["forces"], rtol=0, atol=1e-12)


def test_features_add_up_by_element() -> None:
    rng = np.random.default_rng(8)
    model = random_model(rng, elements=ELEMENTS)
    structure = Structure(rng, 9, 3)
    plain = PlainModel(*model)
    expected = np.zeros((4, 12))
    np.add.at(expected, structure.types, plain.features(structure.types, structure.edges(5.0)))
    got = potential_of(model).evaluate(**arrays(structure, 5.0), features=True, forces=False)
    np.testing.assert_allclose(got["features"], expected.ravel(), rtol=0, atol=1e-12)
    assert "forces" not in got


def test_another_last_layer_is_another_model() -> None:
    rng = np.random.default_rng(8)
    tensors, document = random_model(rng, elements=ELEMENTS)
    structure = Structure(rng, 8, 4)
    weights = rng.normal(size=tensors["head.out"].shape)
    given = potential_of((tensors, document)).evaluate(
        **arrays(structure, 5.0), kappa=0.5, last_layer=weights.ravel(), atom_virial=True
    )
    made = potential_of(({**tensors, "head.out": weights}, document)).evaluate(
        **arrays(structure, 5.0), kappa=0.5, atom_virial=True
    )
    for name, value in made.items():
        np.testing.assert_array_equal(given[name], value)


def test_models_are_read_from_paths_and_bytes(tmp_path: Path) -> None:
    model = random_model(np.random.default_rng(9), elements=ELEMENTS)
    path = write_model(tmp_path / "model.safetensors", *model)
    for source in (path, str(path), path.read_bytes()):
        read = Model(source)
        assert read.elements == list(ELEMENTS)
        assert read.has_sigma
        np.testing.assert_array_equal(read.tensor("in2f"), model[0]["in2f"].ravel())
    with pytest.raises(KeyError):
        read.tensor("other")


def test_bad_arguments_are_named(tmp_path: Path) -> None:
    model = random_model(np.random.default_rng(10), elements=ELEMENTS, sigma=False)
    potential = potential_of(model)
    good = arrays(Structure(np.random.default_rng(10), 3, 2), 5.0)
    potential.evaluate(**good)
    bad: list[tuple[dict[str, Any], str]] = [
        ({"vectors": good["vectors"][:-1]}, "vectors has .* rows, allowed are"),
        ({"vectors": np.nan * good["vectors"]}, "distance vector of atoms 0 and 1 is"),
        ({"vectors": 1e-9 * good["vectors"]}, "atoms 0 and 1 overlap"),
        ({"first": good["first"][:0]}, "first is empty"),
        ({"first": good["first"] + 1}, "first runs from 1 to"),
        ({"types": good["types"][:2]}, "types has 2 rows"),
        ({"types": good["types"] + 9}, "atom 0 has the type"),
        ({"kappa": 1.0}, "the model has no uncertainty"),
        ({"owner": [0]}, "owner has 1 members"),
        ({"last_layer": np.zeros(3)}, "last_layer has 3 rows"),
    ]
    for change, words in bad:
        with pytest.raises(ValueError, match=words):
            potential.evaluate(**{**good, **change})
    with pytest.raises(ValueError, match="precision is 'half'"):
        potential_of(model, "half")
    with pytest.raises(ModelError, match="cannot be opened"):
        Model(tmp_path / "none.safetensors")
    assert issubclass(ModelError, ValueError)


def test_the_instruction_set_has_a_name() -> None:
    assert simd_name() in ("avx512", "avx2", "baseline")
