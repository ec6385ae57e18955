"""HEACalculator as ASE uses it: caching, neighbours, copies, filters, NEB, and what it refuses."""

from __future__ import annotations

import copy
import pickle
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms, units
from ase.build import bulk, fcc111
from ase.calculators.calculator import PropertyNotImplementedError
from ase.calculators.singlepoint import SinglePointCalculator
from ase.db import connect
from ase.filters import FrechetCellFilter, UnitCellFilter
from ase.io import read
from ase.md.verlet import VelocityVerlet
from ase.mep import NEB
from ase.optimize import BFGS
from numpy.typing import NDArray
from random_model import random_model, write_model
from sample_structures import alloy, cluster, slab

from hea_potential import HEACalculator
from hea_potential.errors import InputError, ModelFileError
from hea_potential.neighbours import NeighbourList


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_model(tmp_path_factory.mktemp("model") / "random.safetensors", *random_model(np.random.default_rng(5)))


def energy_and_forces(atoms: Atoms, model: Path) -> tuple[float, NDArray[np.float64]]:
    """Return what a calculator that has seen nothing before computes, with the list of this very structure."""
    fresh = HEACalculator(model, skin=0.0)
    return fresh.get_potential_energy(atoms), fresh.get_forces(atoms)


def assert_as_fresh(atoms: Atoms, calculator: HEACalculator, model: Path) -> None:
    energy, forces = energy_and_forces(atoms, model)
    assert calculator.get_potential_energy(atoms) == pytest.approx(energy, abs=1e-9)
    np.testing.assert_allclose(calculator.get_forces(atoms), forces, atol=1e-9)


def test_one_calculator_serves_structures_of_all_sizes_and_elements(model: Path) -> None:
    rng = np.random.default_rng(0)
    calculator = HEACalculator(model)
    structures = [
        cluster(rng, 13),
        alloy(rng),
        Atoms("Pd"),
        slab(rng),
        cluster(rng, 13, ("Pd",)),
        bulk("Cu"),
        alloy(rng),
    ]
    for atoms in structures * 2:
        assert_as_fresh(atoms, calculator, model)


@pytest.mark.parametrize("build", [alloy, slab, lambda rng: cluster(rng, 20)], ids=["alloy", "slab", "cluster"])
def test_neighbours_that_are_kept_are_complete(model: Path, build: object) -> None:
    rng = np.random.default_rng(1)
    atoms = build(rng)  # type: ignore[operator]
    calculator = HEACalculator(model, skin=0.4)
    renewed = 0
    before: object = None
    for _ in range(40):
        atoms.positions += rng.normal(scale=0.02, size=(len(atoms), 3))
        assert_as_fresh(atoms, calculator, model)
        renewed += calculator._neighbours.first is not before
        before = calculator._neighbours.first
    assert 2 <= renewed < 30


def test_everything_that_changes_the_neighbours_renews_them(model: Path) -> None:
    rng = np.random.default_rng(2)
    atoms = alloy(rng, (1, 2, 2))
    calculator = HEACalculator(model)
    assert_as_fresh(atoms, calculator, model)
    atoms.set_cell(atoms.cell.array * 1.01)
    assert_as_fresh(atoms, calculator, model)
    atoms.pbc = [True, False, True]
    assert_as_fresh(atoms, calculator, model)
    atoms.symbols[0] = "Pd" if atoms.symbols[0] != "Pd" else "Cu"
    assert_as_fresh(atoms, calculator, model)
    atoms.wrap()
    assert_as_fresh(atoms, calculator, model)
    del atoms[1]
    assert_as_fresh(atoms, calculator, model)


def test_self_images_are_counted_once() -> None:
    atoms = bulk("Cu", a=3.6)
    neighbours = NeighbourList(cutoff=2.6, skin=0.0)
    vectors = neighbours.vectors(atoms.positions, atoms.cell.array, atoms.pbc)
    assert len(vectors) == 6  # half of the twelve neighbours in fcc
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 3.6 / np.sqrt(2))
    assert neighbours.first.tolist() == [0, 6]
    assert neighbours.neighbour.tolist() == [0] * 6


def test_results_are_kept_until_something_changes(model: Path) -> None:
    atoms = cluster(np.random.default_rng(3), 8)
    atoms.calc = calculator = HEACalculator(model)
    atoms.get_potential_energy()
    assert not calculator.calculation_required(atoms, ["forces"])
    first = atoms.get_forces()
    first[:] = 0.0
    assert atoms.get_forces().any(), "a caller's array is a copy"
    atoms.positions[0, 0] += 1e-14
    assert calculator.calculation_required(atoms, ["energy"])
    atoms.get_potential_energy()
    calculator.kappa = 1.0
    assert calculator.calculation_required(atoms, ["energy"])


def test_copies_and_pickles_compute_the_same(model: Path, tmp_path: Path) -> None:
    atoms = cluster(np.random.default_rng(4), 13)
    moved = tmp_path / "moved.safetensors"
    moved.write_bytes(model.read_bytes())
    atoms.calc = HEACalculator(moved, kappa=0.5)
    energy = atoms.get_potential_energy()
    content = pickle.dumps(atoms)
    copied = copy.deepcopy(atoms)
    moved.unlink()  # a copy carries its model with it
    for other in (pickle.loads(content), copied, copy.deepcopy(copied)):
        assert other.calc is not atoms.calc
        other.positions += 1.0
        assert other.get_potential_energy() == pytest.approx(energy, abs=1e-9)
        other.positions[0] += 0.5
        assert other.get_potential_energy() != pytest.approx(energy, abs=1e-9)
    assert atoms.get_potential_energy() == energy
    bare = atoms.copy()
    assert bare.calc is None


def energy_of(atoms: Atoms) -> float:
    return float(atoms.get_potential_energy())


def test_calculators_travel_to_other_processes(model: Path) -> None:
    atoms = cluster(np.random.default_rng(5), 9)
    atoms.calc = HEACalculator(model)
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert pool.submit(energy_of, atoms).result() == atoms.get_potential_energy()


@pytest.mark.parametrize("cell_filter", [FrechetCellFilter, UnitCellFilter])
def test_cells_relax(model: Path, cell_filter: type) -> None:
    atoms = alloy(np.random.default_rng(6), (1, 2, 2))
    atoms.calc = HEACalculator(model)
    before = atoms.get_potential_energy()
    BFGS(cell_filter(atoms), logfile=None, maxstep=0.05).run(fmax=0.02, steps=60)
    assert atoms.get_potential_energy() < before
    assert_as_fresh(atoms, atoms.calc, model)


def test_molecular_dynamics_conserves_the_energy(model: Path) -> None:
    atoms = cluster(np.random.default_rng(7), 13)
    atoms.calc = HEACalculator(model)
    BFGS(atoms, logfile=None, maxstep=0.1).run(fmax=0.05, steps=300)
    atoms.set_momenta(np.random.default_rng(8).normal(scale=0.5, size=(13, 3)))
    total = []
    dynamics = VelocityVerlet(atoms, 0.5 * units.fs)
    dynamics.attach(lambda: total.append(atoms.get_total_energy()))
    dynamics.run(400)
    assert np.ptp(total) < 2e-3
    assert np.ptp([np.mean(total[:100]), np.mean(total[-100:])]) < 2e-4


def test_bands_may_share_a_calculator(model: Path) -> None:
    def band(shared: bool) -> NEB:
        start = fcc111("Cu", (2, 2, 2), a=3.7, vacuum=6.0)
        start += Atoms("Pd", [start.positions[-1] + [1.3, 0.7, 1.9]])
        end = start.copy()
        end.positions[-1, 0] += 1.3
        images = [start, *(start.copy() for _ in range(3)), end]
        one = HEACalculator(model)
        for image in images:
            image.calc = one if shared else HEACalculator(model)
        neb = NEB(images, method="improvedtangent", allow_shared_calculator=shared)
        neb.interpolate()
        return neb

    np.testing.assert_allclose(band(shared=True).get_forces(), band(shared=False).get_forces(), atol=1e-9)


def test_results_go_into_files_and_databases(model: Path, tmp_path: Path) -> None:
    atoms = alloy(np.random.default_rng(9), (1, 1, 2))
    atoms.calc = HEACalculator(model)
    energy, forces = atoms.get_potential_energy(), atoms.get_forces()
    for name in ("structure.extxyz", "structure.traj"):
        atoms.write(tmp_path / name)
        again = read(tmp_path / name)
        assert isinstance(again.calc, SinglePointCalculator)
        assert again.get_potential_energy() == pytest.approx(energy, abs=1e-7)
        np.testing.assert_allclose(again.get_forces(), forces, atol=1e-7)
    database = connect(tmp_path / "structures.db")
    row = database.get(database.write(atoms))
    assert (row.calculator, row.energy) == ("hea", energy)
    assert row.calculator_parameters["precision"] == "double"


def test_properties_that_are_not_there_are_refused_clearly(model: Path, tmp_path: Path) -> None:
    calculator = HEACalculator(model)
    atoms = slab(np.random.default_rng(10))
    for name in ("stress", "stresses"):
        with pytest.raises(PropertyNotImplementedError, match=r"got pbc \[True, True, False\]"):
            calculator.get_property(name, atoms)
    with pytest.raises(PropertyNotImplementedError):
        calculator.get_property("dipole", atoms)
    assert np.isfinite(calculator.get_potential_energy(atoms))

    certain = write_model(tmp_path / "certain.safetensors", *random_model(np.random.default_rng(0), sigma=False))
    with pytest.raises(PropertyNotImplementedError, match="without uncertainty"):
        HEACalculator(certain).get_property("energy_std", atoms)
    with pytest.raises(InputError, match="no uncertainty"):
        HEACalculator(certain, kappa=1.0)


def test_structures_that_cannot_be_computed_are_refused_clearly(model: Path) -> None:
    calculator = HEACalculator(model)
    atoms = cluster(np.random.default_rng(11), 6)
    with pytest.raises(InputError, match="0 atoms"):
        calculator.get_potential_energy(Atoms())
    for symbols, name in (("CuFe", "Fe"), ("XCu", "X"), ("CuOg", "Og")):
        with pytest.raises(InputError, match=rf"elements: got {name}; .* knows Ni, Cu, Pd"):
            calculator.get_potential_energy(Atoms(symbols, np.eye(3)[:2]))
    for number in (np.nan, np.inf, -np.inf):
        broken = atoms.copy()
        broken.positions[4, 1] = number
        with pytest.raises(InputError, match=r"positions: got .* for atom 4"):
            calculator.get_potential_energy(broken)
        assert np.isfinite(calculator.get_potential_energy(atoms))
        with pytest.raises(InputError, match=r"positions: got .* for atom 4"):
            calculator.get_forces(broken)
    overlapping = atoms.copy()
    overlapping.positions[2] = overlapping.positions[5] + 1e-5
    with pytest.raises(InputError, match=r"2 .*5|5 .*2"):
        calculator.get_potential_energy(overlapping)
    flat = atoms.copy()
    flat.pbc = True
    with pytest.raises(InputError, match="cell"):
        calculator.get_potential_energy(flat)
    flat.cell = [np.nan, 5.0, 5.0]
    with pytest.raises(InputError, match="cell"):
        calculator.get_potential_energy(flat)
    assert_as_fresh(atoms, calculator, model)


def test_arguments_out_of_range_are_refused_clearly(model: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'half'; allowed are double, single"):
        HEACalculator(model, precision="half")  # type: ignore[arg-type]
    with pytest.raises(InputError, match="skin"):
        HEACalculator(model, skin=-0.1)
    with pytest.raises(InputError, match="kappa"):
        HEACalculator(model, kappa=np.nan)
    with pytest.raises(ModelFileError, match="no such file"):
        HEACalculator(tmp_path / "absent.safetensors")
    (tmp_path / "broken.safetensors").write_bytes(model.read_bytes()[:1000])
    with pytest.raises(ModelFileError, match=r"broken\.safetensors"):
        HEACalculator(tmp_path / "broken.safetensors")
