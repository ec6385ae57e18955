"""pair_style hea on 1, 2 and 4 ranks against ASE and the reference file that every backend is checked against."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from lammps_runs import LammpsAtoms, Outcome, measure, outcome, run_lammps, succeed, virial_in_lammps_frame
from reference import ENERGY_FP32, ENERGY_FP64, FORCE_FP32, FORCE_FP64, MODEL, Case, load_cases

from hea_potential import HEACalculator

CASES = load_cases()
RANKS = (1, 2, 4)
VIRIAL_FP64 = 1e-8  # eV per atom
ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")


def styles(precision: str, elements: tuple[str, ...] = ELEMENTS) -> str:
    return f"pair_style hea precision {precision}\npair_coeff * * {MODEL} {' '.join(elements)}"


def variants() -> dict[str, tuple[Case, LammpsAtoms]]:
    """Every case, and clusters once more with shrink-wrapped boundaries and in a corner that leaves ranks empty."""
    found = {}
    for index, case in enumerate(CASES):
        found[f"case{index:02d}"] = (case, LammpsAtoms(case.atoms, ELEMENTS))
        if not case.atoms.pbc.any() and len(case.atoms) > 1:
            found[f"shrink{index:02d}"] = (case, LammpsAtoms(case.atoms, ELEMENTS, boundary="s s s"))
    return found


VARIANTS = variants()


@pytest.fixture(scope="module", params=RANKS, ids="{}ranks".format)
def double(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return evaluate("double", request.param, tmp_path_factory.mktemp("double"))


@pytest.fixture(scope="module")
def calculator() -> HEACalculator:
    return HEACalculator(MODEL)


@pytest.fixture(scope="module")
def single(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Outcome]:
    return evaluate("single", 2, tmp_path_factory.mktemp("single"))


def evaluate(precision: str, ranks: int, folder: Path) -> dict[str, Outcome]:
    """Give the outcome of every variant, from one LAMMPS process."""
    deck = "".join(measure(atoms, tag, folder, styles(precision)) for tag, (_, atoms) in VARIANTS.items())
    stdout = succeed(run_lammps(deck, folder, ranks=ranks))
    return {tag: outcome(atoms, tag, folder, stdout) for tag, (_, atoms) in VARIANTS.items()}


@pytest.mark.parametrize("tag", VARIANTS, ids=[f"{case.name} ({tag})" for tag, (case, _) in VARIANTS.items()])
def test_double_precision_gives_the_reference_numbers(double: dict[str, Outcome], tag: str) -> None:
    case, atoms = VARIANTS[tag]
    got = double[tag]
    n = len(case.atoms)
    assert abs(got.energy - case.energy) / n < ENERGY_FP64
    np.testing.assert_allclose(got.forces, case.forces, rtol=0, atol=FORCE_FP64)
    np.testing.assert_allclose(got.energies, case.energies, rtol=0, atol=ENERGY_FP64 * n)
    expected = virial_in_lammps_frame(case.virial, atoms.rotation)
    np.testing.assert_allclose(got.virial, expected, rtol=0, atol=VIRIAL_FP64 * n)
    np.testing.assert_allclose(got.virials.sum(axis=0), expected, rtol=0, atol=VIRIAL_FP64 * n)
    np.testing.assert_allclose(got.extra, [case.sigma, case.beyond.sum()], rtol=0, atol=1e-8)
    np.testing.assert_array_equal(got.beyond, case.beyond)


@pytest.mark.parametrize("tag", VARIANTS, ids=[f"{case.name} ({tag})" for tag, (case, _) in VARIANTS.items()])
def test_double_precision_agrees_with_ase(double: dict[str, Outcome], calculator: HEACalculator, tag: str) -> None:
    case, _ = VARIANTS[tag]
    atoms = case.atoms.copy()
    atoms.calc = calculator
    assert abs(double[tag].energy - atoms.get_potential_energy()) / len(atoms) < ENERGY_FP64
    np.testing.assert_allclose(double[tag].forces, atoms.get_forces(), rtol=0, atol=FORCE_FP64)


@pytest.mark.parametrize("tag", VARIANTS, ids=[f"{case.name} ({tag})" for tag, (case, _) in VARIANTS.items()])
def test_single_precision_is_close(single: dict[str, Outcome], tag: str) -> None:
    case, _ = VARIANTS[tag]
    got = single[tag]
    assert abs(got.energy - case.energy) / len(case.atoms) < ENERGY_FP32
    np.testing.assert_allclose(got.forces, case.forces, rtol=0, atol=FORCE_FP32)
    np.testing.assert_array_equal(got.beyond, case.beyond)
