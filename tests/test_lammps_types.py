"""pair_style hea with every way of mapping atom types, tags and units, and beside other pair styles."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from lammps_runs import LammpsAtoms, Outcome, measure, outcome, run_lammps, succeed
from reference import ENERGY_FP64, FORCE_FP64, MODEL, Case, load_cases

CASES = {case.name: case for case in load_cases()}
MIXED = CASES["13 atoms of six elements"]
BULK = CASES["108 atoms of bulk"]
SPREAD = CASES["last atom isolated"]
ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
HEA = "pair_style hea precision double\npair_coeff * * {model} {elements}"
KCAL_PER_MOL = 23.060549  # in an eV, as LAMMPS converts


def hea(*elements: str) -> str:
    return HEA.format(model=MODEL, elements=" ".join(elements))


def run(atoms: LammpsAtoms, folder: Path, styles: str, *, ranks: int = 2, settings: str = "units metal") -> Outcome:
    stdout = succeed(run_lammps(measure(atoms, "only", folder, styles, settings), folder, ranks=ranks))
    return outcome(atoms, "only", folder, stdout)


def assert_reference(got: Outcome, case: Case, order: np.ndarray | None = None) -> None:
    order = np.arange(len(case.atoms)) if order is None else order
    assert abs(got.energy - case.energy) / len(case.atoms) < ENERGY_FP64
    np.testing.assert_allclose(got.forces, case.forces[order], rtol=0, atol=FORCE_FP64)
    np.testing.assert_allclose(got.energies, case.energies[order], rtol=0, atol=ENERGY_FP64 * len(case.atoms))


@pytest.mark.parametrize(
    "types", [("Au", "Pd", "Ni", "Ag", "Pt", "Cu"), (*ELEMENTS, "Au", "Ni")], ids=["permuted", "two of them unused"]
)
def test_any_order_of_types(tmp_path: Path, types: tuple[str, ...]) -> None:
    assert_reference(run(LammpsAtoms(MIXED.atoms, types), tmp_path, hea(*types)), MIXED)


def test_two_types_of_the_same_element(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    kinds = np.array([ELEMENTS.index(s) + 1 for s in BULK.atoms.symbols]) + 6 * rng.integers(0, 2, len(BULK.atoms))
    atoms = LammpsAtoms(BULK.atoms, ELEMENTS * 2, type_of_atom=kinds)
    assert_reference(run(atoms, tmp_path, hea(*ELEMENTS, *ELEMENTS)), BULK)


@pytest.mark.parametrize("case", [MIXED, BULK, SPREAD], ids=str)
def test_tags_with_gaps_in_any_order(tmp_path: Path, case: Case) -> None:
    rng = np.random.default_rng(2)
    ids = 7 + 10 * rng.permutation(len(case.atoms))
    got = run(LammpsAtoms(case.atoms, ELEMENTS, ids=ids), tmp_path, hea(*ELEMENTS))
    assert_reference(got, case, np.argsort(ids))


def test_a_corner_of_four_ranks(tmp_path: Path) -> None:
    """Three ranks own nothing, one of them has no ghosts either."""
    atoms = MIXED.atoms.copy()
    atoms.set_cell([120.0, 120.0, 120.0])
    atoms.positions += 2.0 - atoms.positions.min(axis=0)
    atoms.pbc = True
    corner = LammpsAtoms(atoms, ELEMENTS, boundary="f f f")
    styles = hea(*ELEMENTS)
    got = run(corner, tmp_path, styles, ranks=4, settings="units metal\nprocessors 2 2 1")
    assert_reference(got, MIXED)
    np.testing.assert_allclose(got.extra, [MIXED.sigma, 0.0], rtol=0, atol=1e-8)


def test_recursive_bisection_of_the_domain(tmp_path: Path) -> None:
    balanced = f"comm_style tiled\n{hea(*ELEMENTS)}\nbalance 1.0 rcb"
    assert_reference(run(LammpsAtoms(BULK.atoms, ELEMENTS), tmp_path, balanced, ranks=4), BULK)


def test_null_types_take_no_part(tmp_path: Path) -> None:
    guests = Atoms("He3", positions=MIXED.atoms.positions[:3] + 0.7)
    atoms = LammpsAtoms(guests + MIXED.atoms, ("He", *ELEMENTS))
    got = run(atoms, tmp_path, hea("NULL", *ELEMENTS))
    assert abs(got.energy - MIXED.energy) / len(MIXED.atoms) < ENERGY_FP64
    np.testing.assert_array_equal(got.forces[:3], 0.0)
    np.testing.assert_array_equal(got.energies[:3], 0.0)
    np.testing.assert_allclose(got.forces[3:], MIXED.forces, rtol=0, atol=FORCE_FP64)


LENNARD_JONES = "lj/cut 6.0"


@pytest.mark.parametrize("ranks", [1, 2, 4])
@pytest.mark.parametrize("hybrid", ["hybrid", "hybrid/overlay"])
def test_beside_another_pair_style(tmp_path: Path, hybrid: str, ranks: int) -> None:
    """The sum of both: helium atoms see everything by Lennard-Jones, metals see each other by the potential."""
    guests = Atoms("He4", positions=BULK.atoms.positions[5:9] + np.array([0.9, 0.8, 0.7]))
    atoms = BULK.atoms + guests
    types = ("Ni", "He", *ELEMENTS[1:])
    mapped = ["NULL" if element == "He" else element for element in types]
    metals = ["1", "3*7"]
    other = [
        "pair_coeff 2 2 {name} 0.02 1.5",
        *(f"pair_coeff {min(m, '2')} {max(m, '2')} {{name}} 0.03 1.6" for m in metals),
    ]
    both = "\n".join(
        [
            f"pair_style {hybrid} hea precision double {LENNARD_JONES}",
            f"pair_coeff * * hea {MODEL} {' '.join(mapped)}",
            *(line.format(name="lj/cut") for line in other),
        ]
    )
    alone = "\n".join(
        [
            f"pair_style hybrid/overlay zero 6.0 {LENNARD_JONES}",
            "pair_coeff * * zero",
            *(line.format(name="lj/cut") for line in other),
        ]
    )
    structure = LammpsAtoms(atoms, types)
    structure.write(tmp_path / "start.data")
    deck = "".join(
        f"""
clear
units metal
{structure.boundary_line}
read_data start.data
{styles}
compute energies all pe/atom pair
compute virials all stress/atom NULL pair
thermo_style custom step pe pxx
run 0
print "TOTAL {name} $(pe:%.17g) $(pxx*vol:%.17g) $(pxy*vol:%.17g)"
write_dump all custom {name}.dump id fx fy fz c_energies c_virials[*] modify sort id format float %.17g
"""
        for name, styles in (("both", both), ("alone", alone))
    )
    stdout = succeed(run_lammps(deck, tmp_path, ranks=ranks))
    totals = {
        line.split()[1]: np.array([float(word) for word in line.split()[2:]])
        for line in stdout.splitlines()
        if line.startswith("TOTAL")
    }
    tables = {name: np.loadtxt(tmp_path / f"{name}.dump", skiprows=9) for name in totals}
    difference = totals["both"] - totals["alone"]
    n = len(BULK.atoms)
    assert abs(difference[0] - BULK.energy) / n < ENERGY_FP64
    np.testing.assert_allclose(difference[1:] / 1.6021765e6, BULK.virial[[0, 3]], rtol=0, atol=1e-8 * n)
    forces = (tables["both"] - tables["alone"])[:, 1:4]
    np.testing.assert_allclose(forces[:n], BULK.forces, rtol=0, atol=FORCE_FP64)
    np.testing.assert_allclose(forces[n:], 0.0, rtol=0, atol=FORCE_FP64)
    energies = (tables["both"] - tables["alone"])[:n, 4]
    np.testing.assert_allclose(energies, BULK.energies, rtol=0, atol=ENERGY_FP64 * n)


def test_units_real(tmp_path: Path) -> None:
    got = run(LammpsAtoms(BULK.atoms, ELEMENTS), tmp_path, hea(*ELEMENTS), settings="units real")
    n = len(BULK.atoms)
    assert abs(got.energy / KCAL_PER_MOL - BULK.energy) / n < ENERGY_FP64
    np.testing.assert_allclose(got.forces / KCAL_PER_MOL, BULK.forces, rtol=0, atol=FORCE_FP64)
    np.testing.assert_allclose(got.energies / KCAL_PER_MOL, BULK.energies, rtol=0, atol=ENERGY_FP64 * n)
    assert abs(got.extra[0] / KCAL_PER_MOL - BULK.sigma) < 1e-8


@pytest.mark.parametrize("ranks", [1, 4])
@pytest.mark.parametrize("case", [MIXED, BULK, SPREAD], ids=str)
def test_kappa_gives_energy_and_forces_of_e_minus_kappa_sigma(tmp_path: Path, case: Case, ranks: int) -> None:
    kappa = 1.5
    styles = hea(*ELEMENTS).replace("double", f"double kappa {kappa}")
    got = run(LammpsAtoms(case.atoms, ELEMENTS), tmp_path, styles, ranks=ranks)
    assert abs(got.energy - (case.energy - kappa * case.sigma)) / len(case.atoms) < ENERGY_FP64
    expected = case.forces + kappa * case.sigma_gradient
    np.testing.assert_allclose(got.forces, expected, rtol=0, atol=FORCE_FP64)
    np.testing.assert_allclose(got.extra[0], case.sigma, rtol=0, atol=1e-8)


@pytest.mark.parametrize("neighbours", ["neighbor 0.3 nsq", "neighbor 3.0 bin"])
def test_any_neighbour_list(tmp_path: Path, neighbours: str) -> None:
    got = run(LammpsAtoms(BULK.atoms, ELEMENTS), tmp_path, f"{hea(*ELEMENTS)}\n{neighbours}")
    assert_reference(got, BULK)
    np.testing.assert_allclose(got.virial, BULK.virial, rtol=0, atol=1e-8 * len(BULK.atoms))


@pytest.mark.parametrize("ranks", [1, 2])
def test_no_atoms_at_all(tmp_path: Path, ranks: int) -> None:
    deck = f"""units metal
region box block 0 10 0 10 0 10
create_box 6 box
mass * 60
{hea(*ELEMENTS)}
compute extra all pair hea
thermo_style custom step pe c_extra[1]
run 0
print "ENERGY $(pe) $(c_extra[1]) $(c_extra[2])"
"""
    stdout = succeed(run_lammps(deck, tmp_path, ranks=ranks))
    assert "\nENERGY 0 0 0\n" in stdout
