"""What must not change the energy, and what must change it smoothly."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from hypothesis import given, settings
from hypothesis import strategies as st
from random_model import random_model, write_model
from sample_structures import alloy, cluster, slab
from scipy.spatial.transform import Rotation

from hea_potential import HEACalculator
from hea_potential.model_file import pair_index, read_model_file

ENERGY_TOLERANCE = 1e-10  # eV per atom; rounding only
FORCE_TOLERANCE = 1e-9  # eV/A

seeds = st.integers(0, 2**32 - 1)
sizes = st.integers(1, 20)
properties = settings(max_examples=25, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def calculator(tmp_path_factory: pytest.TempPathFactory) -> HEACalculator:
    path = tmp_path_factory.mktemp("model") / "random.safetensors"
    return HEACalculator(write_model(path, *random_model(np.random.default_rng(4))))


def same(calculator: HEACalculator, one: Atoms, other: Atoms) -> bool:
    difference = abs(calculator.get_potential_energy(one) - calculator.get_potential_energy(other))
    return bool(difference < ENERGY_TOLERANCE * len(one))


@properties
@given(seed=seeds, size=sizes)
def test_rotation_and_reflection(calculator: HEACalculator, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    atoms = cluster(rng, size)
    matrix = Rotation.random(random_state=int(rng.integers(2**31))).as_matrix() * rng.choice([-1, 1])
    rotated = Atoms(atoms.symbols, atoms.positions @ matrix.T)
    assert same(calculator, atoms, rotated)
    np.testing.assert_allclose(
        calculator.get_forces(atoms) @ matrix.T, calculator.get_forces(rotated), atol=FORCE_TOLERANCE
    )


@properties
@given(seed=seeds, shift=st.floats(-1e4, 1e4))
def test_translation(calculator: HEACalculator, seed: int, shift: float) -> None:
    rng = np.random.default_rng(seed)
    for atoms in (cluster(rng, 9), alloy(rng, (1, 2, 1)), slab(rng)):
        moved = atoms.copy()
        moved.positions += shift * rng.normal(size=3)
        # Far from the origin the positions themselves have fewer digits.
        assert abs(calculator.get_potential_energy(atoms) - calculator.get_potential_energy(moved)) < 1e-8 * len(atoms)


@properties
@given(seed=seeds, size=sizes)
def test_permutation(calculator: HEACalculator, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    atoms = cluster(rng, size)
    order = rng.permutation(size)
    assert same(calculator, atoms, atoms[order])
    np.testing.assert_allclose(
        calculator.get_forces(atoms)[order], calculator.get_forces(atoms[order]), atol=FORCE_TOLERANCE
    )


@properties
@given(seed=seeds)
def test_wrapping_and_choice_of_cell(calculator: HEACalculator, seed: int) -> None:
    rng = np.random.default_rng(seed)
    for atoms in (alloy(rng, (1, 2, 1)), slab(rng)):
        wrapped = atoms.copy()
        wrapped.wrap()
        assert same(calculator, atoms, wrapped)
        other_cell = atoms.copy()
        other_cell.set_cell(np.array([[1, 0, 0], [2, 1, 0], [0, 0, 1]]) @ atoms.cell.array)
        assert same(calculator, atoms, other_cell)


@properties
@given(seed=seeds, repeat=st.tuples(*[st.integers(1, 2)] * 3))
def test_repeated_cells(calculator: HEACalculator, seed: int, repeat: tuple[int, int, int]) -> None:
    atoms = alloy(np.random.default_rng(seed), (1, 2, 1))
    many = int(np.prod(repeat))
    expected = many * calculator.get_potential_energy(atoms)
    assert calculator.get_potential_energy(atoms.repeat(repeat)) == pytest.approx(expected, abs=1e-9 * many)


@properties
@given(seed=seeds, size=st.integers(1, 8))
def test_far_parts_do_not_feel_each_other(calculator: HEACalculator, seed: int, size: int) -> None:
    rng = np.random.default_rng(seed)
    one, other = cluster(rng, size), cluster(rng, 5)
    other.positions += 40.0
    apart = calculator.get_potential_energy(one) + calculator.get_potential_energy(other)
    assert calculator.get_potential_energy(one + other) == pytest.approx(apart, abs=1e-9)


def test_an_isolated_atom_has_the_energy_of_the_reference(calculator: HEACalculator) -> None:
    e0 = read_model_file(calculator.source).tensors["e0"]
    for number, symbol in enumerate(calculator.elements):
        atoms = Atoms(symbol)
        assert calculator.get_potential_energy(atoms) == e0[number]
        assert not calculator.get_forces(atoms).any()


def distances_with_a_seam(calculator: HEACalculator, a: str, b: str) -> dict[str, float]:
    """Return the distances at which the description of a pair changes, in Angstrom."""
    model = read_model_file(calculator.source)
    pair = pair_index(model.elements.index(a), model.elements.index(b), len(model.elements))
    least = float(model.tensors["distance.min"][pair])
    interval = model.cutoff / model.metadata["n_intervals"]
    return {
        "cutoff": model.cutoff,
        "clamp": least,
        "knot below the clamp": interval * np.floor(least / interval),
        "knot above the clamp": interval * np.ceil(least / interval),
        "knot": interval * np.round(2.5 / interval),
        "inner end of ZBL's switch": float(model.tensors["zbl.inner"][pair]),
        "outer end of ZBL's switch": float(model.tensors["zbl.outer"][pair]),
    }


@pytest.mark.parametrize("kappa", [0.0, 1.5])
@pytest.mark.parametrize("pair", [("Ni", "Ni"), ("Ni", "Pd"), ("Cu", "Pd")])
def test_energy_and_forces_are_continuous(calculator: HEACalculator, pair: tuple[str, str], kappa: float) -> None:
    """Across a seam, energy and forces differ the less the nearer the two sides are, in proportion."""
    lowered = HEACalculator(calculator.source, kappa=kappa)
    around = Atoms("CuNi", [[1.5, 2.6, 0.0], [0.4, -1.3, 2.9]])  # so that the seam is crossed in company
    for name, distance in distances_with_a_seam(calculator, *pair).items():
        jumps = {}
        for offset in (1e-5, 1e-7):
            sides = [Atoms(pair, [[0, 0, 0], [distance + x, 0, 0]]) + around for x in (-offset, offset)]
            left, right = (lowered.get_forces(atoms) for atoms in sides)
            jumps[offset] = np.abs(right - left).max()
            rise = lowered.get_potential_energy(sides[1]) - lowered.get_potential_energy(sides[0])
            assert rise == pytest.approx(-(left + right)[1, 0] * offset, abs=1e-9), name
        assert jumps[1e-7] < 0.02 * jumps[1e-5] + 1e-8, name


def test_nothing_is_felt_at_the_cutoff(calculator: HEACalculator) -> None:
    cutoff = calculator.cutoff
    at = calculator.get_potential_energy(Atoms("NiPd", [[0, 0, 0], [cutoff, 0, 0]]))
    assert at == calculator.get_potential_energy(Atoms("NiPd", [[0, 0, 0], [2 * cutoff, 0, 0]]))
    just_inside = Atoms("NiPd", [[0, 0, 0], [cutoff - 1e-4, 0, 0]])
    assert abs(calculator.get_potential_energy(just_inside) - at) < 1e-9
    assert np.abs(calculator.get_forces(just_inside)).max() < 1e-6
