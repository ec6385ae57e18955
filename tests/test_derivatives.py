"""Forces, stresses and virials are the derivatives of the energy, with and without the uncertainty's share."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from numpy.typing import NDArray
from random_model import random_model, write_model
from sample_structures import alloy, cluster, slab

from hea_potential import HEACalculator

FORCE_TOLERANCE = 1e-6  # eV/A
STRESS_TOLERANCE = 1e-7  # eV/A^3
STEP = 1e-4  # A
# Central differences of fourth order: where ZBL rises steeply, second order is off by more than the tolerance.
STENCIL = {1: 2 / 3, -1: -2 / 3, 2: -1 / 12, -2: 1 / 12}

STRUCTURES: dict[str, Callable[[np.random.Generator], Atoms]] = {
    "dimer": lambda rng: Atoms("NiCu", [[0.1, 0.2, 0.3], [1.7, 1.1, -0.6]]),
    "close dimer, where ZBL takes over": lambda rng: Atoms("PdCu", [[0, 0, 0], [0.3, 0.4, 1.0]]),
    "cluster": lambda rng: cluster(rng, 13),
    "cluster with an isolated atom": lambda rng: cluster(rng, 12) + Atoms("Pd", [[30, 0, 0]]),
    "alloy": alloy,
    "cell smaller than the cutoff": lambda rng: alloy(rng, (1, 1, 2)),
    "one atom in a cell": lambda rng: bulk("Pd", a=3.9),
    "slab": slab,
}


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random model with everything in it: angles, adapters, ZBL, uncertainty."""
    return write_model(tmp_path_factory.mktemp("model") / "random.safetensors", *random_model(np.random.default_rng(3)))


def central_forces(atoms: Atoms, calculator: HEACalculator) -> NDArray[np.float64]:
    """Return minus the central differences of the energy, eV/A."""
    forces = np.zeros((len(atoms), 3))
    for atom, axis in np.ndindex(forces.shape):
        moved = atoms.copy()
        for steps, weight in STENCIL.items():
            moved.positions[atom, axis] = atoms.positions[atom, axis] + steps * STEP
            forces[atom, axis] -= weight * calculator.get_potential_energy(moved) / STEP
    return forces


def central_stress(atoms: Atoms, calculator: HEACalculator) -> NDArray[np.float64]:
    """Return the derivatives of the energy with respect to symmetric strain over the volume; ASE's order, eV/A^3."""
    stress = np.zeros(6)
    for number, (i, j) in enumerate([(0, 0), (1, 1), (2, 2), (1, 2), (0, 2), (0, 1)]):
        for steps, weight in STENCIL.items():
            strain = np.eye(3)
            strain[i, j] += steps * STEP / 2
            strain[j, i] += steps * STEP / 2
            strained = atoms.copy()
            strained.set_cell(atoms.cell.array @ strain, scale_atoms=False)
            strained.positions = atoms.positions @ strain
            stress[number] += weight * calculator.get_potential_energy(strained) / STEP / atoms.cell.volume
    return stress


@pytest.mark.parametrize("kappa", [0.0, 1.5], ids=["energy", "energy and uncertainty"])
@pytest.mark.parametrize("name", STRUCTURES)
def test_forces_are_the_negative_gradient(model: Path, name: str, kappa: float) -> None:
    atoms = STRUCTURES[name](np.random.default_rng(7))
    calculator = HEACalculator(model, kappa=kappa)
    forces = calculator.get_forces(atoms)
    assert np.abs(forces - central_forces(atoms, calculator)).max() < FORCE_TOLERANCE
    assert np.abs(forces.sum(axis=0)).max() < 1e-10


@pytest.mark.parametrize("kappa", [0.0, 1.5], ids=["energy", "energy and uncertainty"])
@pytest.mark.parametrize("name", ["alloy", "cell smaller than the cutoff", "one atom in a cell"])
def test_stress_is_the_derivative_with_respect_to_strain(model: Path, name: str, kappa: float) -> None:
    atoms = STRUCTURES[name](np.random.default_rng(8))
    calculator = HEACalculator(model, kappa=kappa)
    stress = calculator.get_stress(atoms)
    assert np.abs(stress).max() > 100 * STRESS_TOLERANCE, "a stress of zero would prove nothing"
    assert np.abs(stress - central_stress(atoms, calculator)).max() < STRESS_TOLERANCE


@pytest.mark.parametrize("kappa", [0.0, 1.5], ids=["energy", "energy and uncertainty"])
def test_stresses_of_the_atoms_sum_to_the_stress(model: Path, kappa: float) -> None:
    atoms = alloy(np.random.default_rng(9))
    atoms.calc = HEACalculator(model, kappa=kappa)
    np.testing.assert_allclose(atoms.get_stresses().sum(axis=0), atoms.get_stress(), atol=1e-13)


def test_kappa_subtracts_the_uncertainty(model: Path) -> None:
    atoms = cluster(np.random.default_rng(10), 13)
    plain, lowered = HEACalculator(model), HEACalculator(model, kappa=2.0)
    sigma = plain.get_property("energy_std", atoms)
    assert sigma > 0
    assert plain.get_potential_energy(atoms) - 2.0 * sigma == pytest.approx(
        lowered.get_potential_energy(atoms), abs=1e-10
    )
    assert lowered.get_property("energy_std", atoms) == pytest.approx(sigma, abs=1e-12)


def test_energies_of_the_atoms_sum_to_the_energy_without_uncertainty(model: Path) -> None:
    atoms = cluster(np.random.default_rng(11), 13)
    energy = HEACalculator(model).get_potential_energy(atoms)
    assert HEACalculator(model, kappa=2.0).get_potential_energies(atoms).sum() == pytest.approx(energy, abs=1e-10)


def test_single_precision_is_close_to_double(model: Path) -> None:
    atoms = alloy(np.random.default_rng(12), (3, 3, 3))
    double, single = HEACalculator(model), HEACalculator(model, precision="single")
    assert abs(double.get_potential_energy(atoms) - single.get_potential_energy(atoms)) / len(atoms) < 1e-5
    assert np.abs(double.get_forces(atoms) - single.get_forces(atoms)).max() < 1e-4
    assert np.abs(double.get_forces(atoms) - single.get_forces(atoms)).max() > 0
