"""The shipped model at work: dynamics, repulsion, random starts, phonons."""

from __future__ import annotations

from itertools import combinations_with_replacement

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk
from ase.cluster import Icosahedron
from ase.md.velocitydistribution import Stationary, ZeroRotation
from ase.md.verlet import VelocityVerlet
from ase.optimize import BFGS
from numpy.typing import NDArray
from phonopy import Phonopy
from phonopy.structure.atoms import PhonopyAtoms
from sample_structures import shortest_distance

from hea_potential import HEACalculator

METALS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
PAIRS = list(combinations_with_replacement(METALS, 2))


@pytest.fixture(scope="module")
def calculator() -> HEACalculator:
    return HEACalculator("hea6")


def mixed_cluster(rng: np.random.Generator) -> Atoms:
    """A Mackay icosahedron of 55 atoms of all six metals, not relaxed."""
    atoms = Icosahedron("Pd", 3, latticeconstant=3.95)
    atoms.symbols = rng.permutation([*METALS * 9, "Au"])
    atoms.pbc, atoms.cell = False, np.zeros((3, 3))
    return atoms


def test_it_knows_the_six_metals(calculator: HEACalculator) -> None:
    assert sorted(calculator.elements) == sorted(METALS)
    assert calculator.has_sigma


def test_dynamics_conserve_the_energy(calculator: HEACalculator) -> None:
    """55 atoms at 600 K, 2 fs, 20 ps: the total energy drifts by less than 0.1 meV an atom."""
    atoms = mixed_cluster(np.random.default_rng(1))
    atoms.calc = calculator
    BFGS(atoms, logfile=None).run(fmax=0.05, steps=200)
    # Half of the kinetic energy goes into the potential energy of the vibrations.
    masses = atoms.get_masses()[:, None]
    atoms.set_momenta(np.random.default_rng(2).normal(size=(len(atoms), 3)) * np.sqrt(masses * units.kB * 1200))
    Stationary(atoms)
    ZeroRotation(atoms)
    dynamics = VelocityVerlet(atoms, 2.0 * units.fs)
    dynamics.run(250)
    energies, temperatures = [], []
    for _ in range(2000):
        dynamics.run(5)
        energies.append(atoms.get_total_energy())
        temperatures.append(atoms.get_temperature())
    assert 400 < np.mean(temperatures) < 800
    time = np.linspace(0.0, 1.0, len(energies))
    drift = np.polyfit(time, energies, 1)[0]
    assert abs(drift) / len(atoms) < 1e-4


@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
def test_dimers_repel_ever_more(calculator: HEACalculator, pair: tuple[str, str]) -> None:
    """From the minimum down to 0.3 A the energy rises with every step."""
    distances = np.arange(0.3, 4.0, 0.01)
    energies = np.array([calculator.get_potential_energy(Atoms(pair, [[0, 0, 0], [r, 0, 0]])) for r in distances])
    minimum = int(np.argmin(energies))
    assert 1.8 < distances[minimum] < 3.2
    assert (np.diff(energies[: minimum + 1]) < 0).all()


def relaxed(atoms: Atoms, calculator: HEACalculator, fmax: float = 0.05, steps: int = 10000) -> Atoms:
    """FIRE (Bitzek et al. 2006) without ASE's bookkeeping, which takes longer than the forces of 13 atoms."""
    positions: NDArray[np.float64] = atoms.positions
    velocity = np.zeros_like(positions)
    step, mixing, downhill = 0.05, 0.1, 0
    for _ in range(steps):
        forces = calculator.get_forces(atoms)
        if (forces**2).sum(axis=1).max() < fmax**2:
            return atoms
        if (forces * velocity).sum() > 0:
            velocity += mixing * (forces * np.linalg.norm(velocity) / np.linalg.norm(forces) - velocity)
            downhill += 1
            if downhill > 5:
                step, mixing = min(1.1 * step, 0.3), 0.99 * mixing
        else:
            velocity[:], step, mixing, downhill = 0.0, 0.5 * step, 0.1, 0
        velocity += step * forces
        move = step * velocity
        positions += move * min(1.0, 0.2 / np.linalg.norm(move, axis=1).max())
    raise AssertionError(f"not relaxed after {steps} steps: {atoms}")


def random_ball(rng: np.random.Generator) -> Atoms:
    """13 atoms anywhere in a ball of 4 A, some of them almost on top of each other."""
    directions = rng.normal(size=(13, 3))
    radii = 4.0 * rng.random(13) ** (1 / 3)
    return Atoms(rng.choice(METALS, 13), directions / np.linalg.norm(directions, axis=1)[:, None] * radii[:, None])


def relax_random_balls(calculator: HEACalculator, seeds: range) -> None:
    for seed in seeds:
        atoms = relaxed(random_ball(np.random.default_rng(seed)), calculator)
        assert shortest_distance(atoms) > 1.9, f"start {seed} collapsed"
        assert -6.0 < calculator.get_potential_energy(atoms) / 13 < 0.0, f"start {seed}"


def test_random_balls_relax_without_collapse(calculator: HEACalculator) -> None:
    relax_random_balls(calculator, range(100))


@pytest.mark.slow
def test_a_thousand_random_balls_relax_without_collapse(calculator: HEACalculator) -> None:
    relax_random_balls(calculator, range(1000))


def test_phonons_of_copper(calculator: HEACalculator) -> None:
    """With phonopy: no soft modes, three acoustic ones, and the highest frequency near the measured 7.3 THz."""
    atoms = bulk("Cu", a=3.61)
    cell = PhonopyAtoms(
        symbols=list(atoms.symbols), cell=atoms.cell.array, scaled_positions=atoms.get_scaled_positions()
    )
    phonons = Phonopy(cell, supercell_matrix=3 * np.eye(3, dtype=int))
    phonons.generate_displacements(distance=0.01)
    forces = []
    for supercell in phonons.supercells_with_displacements:
        displaced = Atoms(supercell.symbols, supercell.positions, cell=supercell.cell, pbc=True)
        forces.append(calculator.get_forces(displaced))
    phonons.forces = forces
    phonons.produce_force_constants()
    assert np.abs(phonons.run_qpoints([[0, 0, 0]]).frequencies[0]).max() < 0.05
    phonons.run_mesh([6, 6, 6], is_gamma_center=True)
    frequencies = phonons.mesh.frequencies
    assert frequencies.min() > -0.05
    assert 6.0 < frequencies.max() < 8.5
