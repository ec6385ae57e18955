"""Reference methods by name: what they calculate, their provenance, and what is refused."""

import hashlib
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk, fcc111
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron
from ase.constraints import FixAtoms
from sample_structures import alloy, cluster, slab

from hea_potential import HEACalculator
from hea_potential.errors import InputError, MissingPackageError
from hea_potential.reference import check_elements, reference_method
from hea_potential.reference.boxed import in_a_box
from hea_potential.reference.gpaw import read_settings
from hea_potential.reference.pair_style import LAMMPSError

HEA6 = "pair_style hea\npair_coeff * * hea6 {elements}\n"
METALS = ("Ni", "Cu", "Pd")


def test_emt_is_ase_s_emt_and_says_so():
    method = reference_method("emt")
    assert isinstance(method.calculator(), EMT)
    assert method.provenance["method"] == "emt"
    assert {"python", "numpy", "ase"} <= set(method.provenance["packages"])


def test_any_importable_calculator_is_a_reference():
    method = reference_method("ase.calculators.lj:LennardJones")
    assert type(method.calculator()).__name__ == "LennardJones"
    assert method.provenance["method"] == "ase.calculators.lj:LennardJones"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (
            "vasp",
            "unknown reference method 'vasp'; allowed are emt, sevennet, chgnet, lammps, gpaw and module:callable",
        ),
        ("absent_module:calc", "cannot import absent_module"),
        ("..above:calc", r"cannot import \.\.above"),
        ("ase.calculators.emt:absent", "has no callable absent"),
        ("ase.calculators.emt:parameters", "cannot be called"),
    ],
)
def test_unknown_references_are_refused_with_what_is_allowed(name: str, message: str):
    with pytest.raises(InputError, match=message):
        reference_method(name)


@pytest.mark.parametrize("text", ["def broken(:", "import sys; sys.exit(3)", "1 / 0"])
def test_a_module_that_cannot_be_imported_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    (tmp_path / "broken_module.py").write_text(text)
    with pytest.raises(InputError, match="cannot import broken_module"):
        reference_method("broken_module:calculator")


def test_a_reference_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'hea-potential\[reference\]'"):
        reference_method("sevennet")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("emt:x", "allowed is emt alone"),
        ("sevennet:omni", "allowed is sevennet alone"),
        ("chgnet:0.1", "allowed are chgnet:0.3.0 and chgnet:r2scan"),
        ("lammps", "allowed is lammps:FILE"),
        ("lammps:absent.lmp", "cannot be read"),
    ],
)
def test_what_stands_after_the_colon_is_checked(name: str, message: str):
    with pytest.raises(InputError, match=message):
        reference_method(name)


@pytest.mark.parametrize(
    ("name", "symbols", "message"),
    [
        ("emt", ["Cu", "Fe"], "reference method 'emt': does not know Fe"),
        ("sevennet", ["Cu", "Po", "Am"], "does not know Po, Am"),
        ("chgnet", ["Pu", "Am"], "does not know Am"),
        ("emt", ["Cu", "Xx"], "got Xx; allowed are chemical symbols"),
    ],
)
def test_elements_that_a_method_lacks_are_known_before_it_calculates(name, symbols, message):
    with pytest.raises(InputError, match=message):
        check_elements(name, symbols)
    check_elements(name, ["Ni", "Cu", "Au"])


def write_pair_file(folder: Path, text: str) -> str:
    (folder / "pair.lmp").write_text(text)
    return f"lammps:{folder / 'pair.lmp'}"


def test_a_pair_style_of_lammps_gives_what_the_same_potential_gives_in_ase(tmp_path):
    """Free, periodic in two and three directions, in a left-handed cell, with atoms outside the cell."""
    method = reference_method(write_pair_file(tmp_path, "# the shipped model\n" + HEA6))
    rng = np.random.default_rng(3)
    left_handed = alloy(rng, elements=METALS)
    left_handed.set_cell(left_handed.cell.array[[1, 0, 2]])
    structures = [cluster(rng, 13), alloy(rng, elements=METALS), slab(rng), left_handed, Atoms("Au")]
    for atoms in structures:
        other = atoms.copy()
        atoms.calc, other.calc = method.calculator(), HEACalculator()
        assert atoms.get_potential_energy() == pytest.approx(other.get_potential_energy(), abs=1e-4 * len(atoms))
        np.testing.assert_allclose(atoms.get_forces(), other.get_forces(), atol=2e-3)
        if atoms.pbc.all():
            np.testing.assert_allclose(atoms.get_stress(), other.get_stress(), atol=1e-5)


def test_units_of_lammps_become_those_of_ase(tmp_path):
    """One Lennard-Jones potential in eV and in kcal/mol."""
    atoms = Icosahedron("Cu", 2)
    energies, forces = [], []
    for units, epsilon in (("metal", 0.4), ("real", 0.4 * 23.060547830619)):
        text = f"units {units}\npair_style lj/cut 8.0\npair_coeff * * {epsilon} 2.3\n"
        atoms.calc = reference_method(write_pair_file(tmp_path, text)).calculator()
        energies.append(atoms.get_potential_energy())
        forces.append(atoms.get_forces())
    assert energies[0] == pytest.approx(energies[1], rel=1e-5)
    np.testing.assert_allclose(forces[0], forces[1], atol=1e-4)


def test_the_provenance_of_a_pair_style_has_its_lines_and_the_hashes_of_its_files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "table.eam").write_text("numbers")
    provenance = reference_method(
        write_pair_file(tmp_path, "pair_style eam/alloy\npair_coeff * * table.eam {elements}")
    ).provenance
    assert provenance["lines"] == ["pair_style eam/alloy", "pair_coeff * * table.eam {elements}"]
    assert provenance["sha256"] == {"table.eam": hashlib.sha256(b"numbers").hexdigest()}
    shipped = reference_method(
        write_pair_file(tmp_path, "pair_style eam/alloy\npair_coeff * * CuNi.eam.alloy {elements}")
    ).provenance
    assert list(shipped["sha256"]) == ["CuNi.eam.alloy"]


def test_what_lammps_refuses_is_an_error_that_names_the_line(tmp_path):
    atoms = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.3]])
    atoms.calc = reference_method(write_pair_file(tmp_path, "pair_style nonsense 3")).calculator()
    with pytest.raises(LAMMPSError, match="refuses the line 'pair_style nonsense 3'"):
        atoms.get_potential_energy()


def test_a_pair_file_knows_which_elements_it_has(tmp_path):
    name = write_pair_file(tmp_path, HEA6)
    check_elements(name, METALS)
    with pytest.raises(InputError, match="does not know Fe"):
        check_elements(name, ["Cu", "Fe"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pair_style eam/alloy\npair_coeff * * CuNi.eam.alloy Cu Ni", "names Cu, Ni, .*allowed is {elements}"),
        ("units lj\npair_style lj/cut 3\npair_coeff * * 1 1", "units 'lj'; allowed for a reference: metal, real"),
        ("units nonsense\npair_style lj/cut 3", "units 'nonsense'"),
        ("pair_coeff * * 1 1", "has no line pair_style"),
    ],
)
def test_pair_files_that_cannot_be_a_reference_are_refused(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        reference_method(write_pair_file(tmp_path, text))


def test_a_box_has_vacuum_where_the_structure_is_not_periodic():
    layer = fcc111("Cu", (2, 2, 3), a=3.7)
    boxed = in_a_box(layer, 6.0, periodic=True)
    assert boxed.pbc.all()
    np.testing.assert_allclose(boxed.cell[:2], layer.cell[:2])
    heights = boxed.get_scaled_positions(wrap=False)[:, 2] * boxed.cell.lengths()[2]
    assert heights.min() == pytest.approx(6.0)
    assert boxed.cell.lengths()[2] - heights.max() == pytest.approx(6.0)
    np.testing.assert_allclose(boxed.get_all_distances(), layer.get_all_distances())
    layer.set_constraint(FixAtoms([0]))
    assert not in_a_box(layer, 6.0, periodic=True).constraints  # or the forces on these atoms would be lost
    assert in_a_box(Atoms("Cu"), 5.0, periodic=True).cell.lengths().tolist() == [10.0] * 3
    assert (in_a_box(bulk("Cu"), 5.0, periodic=True).cell == bulk("Cu").cell).all()


def test_chgnet_calculates_bulk_and_clusters_in_a_box():
    """The bulk against CHGNet's own calculator; a cluster turned and moved has the same energy."""
    method = reference_method("chgnet")
    assert method.provenance["model"] == "0.3.0"
    calculator = method.calculator()
    metal = bulk("Cu", cubic=True)
    metal.rattle(0.05, seed=1)
    plain, metal.calc = metal.copy(), calculator
    plain.calc = calculator.calculator
    assert metal.get_potential_energy() == pytest.approx(plain.get_potential_energy(), abs=1e-6)
    np.testing.assert_allclose(metal.get_stress(), plain.get_stress(), atol=1e-6)
    assert -4.2 < metal.get_potential_energy() / 4 < -3.9  # PBE in the Materials Project: -4.10 eV/atom
    particle = Icosahedron("Cu", 2)
    particle.rattle(0.1, seed=2)
    particle.calc = calculator
    energy, forces = particle.get_potential_energy(), particle.get_forces()
    particle.rotate(50, (1, 2, 3))
    particle.positions += 7.0
    assert particle.get_potential_energy() == pytest.approx(energy, abs=1e-4)
    turned = Atoms(positions=forces)
    turned.rotate(50, (1, 2, 3))
    np.testing.assert_allclose(particle.get_forces(), turned.positions, atol=1e-3)


def test_settings_of_gpaw_are_checked_before_anything_is_calculated(tmp_path):
    file = tmp_path / "gpaw.toml"
    file.write_text("vacuum = 5.0\n[parameters]\nxc = 'LDA'\n")
    assert read_settings(file).parameters == {"xc": "LDA"}
    for text, message in (
        ("vacum = 5.0", "got vacum; allowed: vacuum, initial_moments, parameters"),
        ("vacuum = -1", "vacuum is -1; allowed is a positive length"),
        ("parameters = 3", "parameters is 3; allowed is a table"),
        ("vacuum = ", "cannot be read"),
    ):
        file.write_text(text)
        with pytest.raises(InputError, match=message):
            read_settings(file)
