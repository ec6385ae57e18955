"""`hea data`: a user's own labelled structures become a data set, or one line says what they lack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.emt import EMT
from ase.calculators.singlepoint import SinglePointCalculator
from ase.constraints import FixAtoms
from typer.testing import CliRunner

from hea_potential.cli import app
from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError


def labelled(atoms: Atoms, **info: str) -> Atoms:
    """A structure with the results of EMT, as ASE writes and reads them."""
    atoms.calc = EMT()
    names = ["energy", "forces", "stress"] if atoms.pbc.all() else ["energy", "forces"]
    atoms.calc = SinglePointCalculator(atoms, **{name: atoms.calc.get_property(name, atoms) for name in names})
    atoms.info |= info
    return atoms


def structures() -> list[Atoms]:
    """An atom, a dimer and a strained crystal."""
    crystal = bulk("Cu", cubic=True)
    strain = np.eye(3) + np.array([[0.01, 0.02, 0], [0, -0.01, 0.03], [0, 0, 0.02]])
    crystal.set_cell(crystal.cell.array @ strain, scale_atoms=True)
    dimer = Atoms("CuAu", positions=[[0, 0, 0], [0, 0.3, 2.4]], constraint=FixAtoms([0]))
    return [labelled(Atoms("Cu")), labelled(dimer, group="pairs"), labelled(crystal)]


def run(*words: object) -> Any:
    return CliRunner().invoke(app, ["data", *map(str, words), "--method", "EMT"])


def test_a_data_set_holds_what_the_files_say(tmp_path: Path) -> None:
    given = structures()
    ase.io.write(tmp_path / "some.extxyz", given[:2])
    ase.io.write(tmp_path / "some.v2.traj", given[2])
    result = run(tmp_path / "some.extxyz", tmp_path / "some.v2.traj", "-o", tmp_path / "set.h5")
    assert result.exit_code == 0, result.exception
    dataset = read_dataset(tmp_path / "set.h5")
    assert dataset.sha256() in result.stdout
    assert dataset.name.tolist() == ["000-some-000000", "000-some-000001", "001-some_v2-000000"]
    assert dataset.kind.tolist() == ["atom", "dimer", "structure"]
    assert dataset.group.tolist() == ["000-some-000000", "pairs", "001-some_v2-000000"]
    assert dataset.provenance["reference"]["method"] == "EMT"
    assert [each["name"] for each in dataset.provenance["files"]] == ["some.extxyz", "some.v2.traj"]
    for k, atoms in enumerate(given):
        assert dataset.energy[k] == pytest.approx(atoms.calc.results["energy"], abs=1e-6)
        assert dataset.atoms(k).get_forces() == pytest.approx(atoms.calc.results["forces"], abs=1e-5)
    assert np.abs(dataset.atoms(1).get_forces()[0]).max() > 0.1, "of a fixed atom as well"
    assert dataset.stress[2] == pytest.approx(given[2].calc.results["stress"], abs=1e-7)


def test_labels_may_have_other_names(tmp_path: Path) -> None:
    renamed = []
    for atoms in structures():
        results, atoms.calc = atoms.calc.results, None
        atoms.info["REF_energy"], atoms.arrays["REF_forces"] = results["energy"], results["forces"]
        if "stress" in results:
            xx, yy, zz, yz, xz, xy = results["stress"]
            atoms.info["REF_stress"] = np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]])
        renamed.append(atoms)
    ase.io.write(tmp_path / "mine.extxyz", renamed)
    keys = ("--energy", "REF_energy", "--forces", "REF_forces", "--stress", "REF_stress")
    result = run(tmp_path / "mine.extxyz", "-o", tmp_path / "set.h5", *keys)
    assert result.exit_code == 0, result.exception
    ase.io.write(tmp_path / "usual.extxyz", structures())
    assert run(tmp_path / "usual.extxyz", "-o", tmp_path / "usual.h5").exit_code == 0
    one, other = (read_dataset(tmp_path / name) for name in ("set.h5", "usual.h5"))
    for what in ("energy", "forces", "stress", "positions"):
        assert getattr(one, what) == pytest.approx(getattr(other, what), abs=1e-7, nan_ok=True)


def test_what_is_missing_is_said(tmp_path: Path) -> None:
    some = structures()
    del some[1].calc.results["forces"]
    del some[2].calc.results["stress"]
    ase.io.write(tmp_path / "some.traj", [*some, Atoms("Cu")])
    result = run(tmp_path / "some.traj", "-o", tmp_path / "set.h5")
    assert isinstance(result.exception, HEAError)
    message = str(result.exception)
    assert "3 of 4 structures lack labels" in message
    assert "forces: 000-some-000001, 000-some-000003" in message
    assert "stress: 000-some-000002" in message
    assert not (tmp_path / "set.h5").exists()


@pytest.mark.parametrize(
    ("energy", "message"),
    [("low", "energy is .*low.*; allowed are numbers"), (np.nan, "energy must be finite"), ([1.0, 2.0], "shape")],
)
def test_labels_that_cannot_be_are_refused(tmp_path: Path, energy: object, message: str) -> None:
    atoms = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.3]], info={"e": energy})
    atoms.arrays["f"] = np.zeros((2, 3))
    ase.io.write(tmp_path / "some.extxyz", atoms)
    result = run(tmp_path / "some.extxyz", "-o", tmp_path / "set.h5", "--energy", "e", "--forces", "f")
    assert isinstance(result.exception, HEAError)
    with pytest.raises(HEAError, match=message):
        raise result.exception
    assert not (tmp_path / "set.h5").exists()


def test_no_data_set_is_overwritten(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "some.extxyz", structures())
    (tmp_path / "set.h5").write_text("precious")
    result = run(tmp_path / "some.extxyz", "-o", tmp_path / "set.h5")
    assert "exists already" in str(result.exception)
    assert (tmp_path / "set.h5").read_text() == "precious"


def test_a_file_given_twice_and_a_method_without_words_are_refused(tmp_path: Path) -> None:
    ase.io.write(tmp_path / "some.extxyz", structures())
    (tmp_path / "copy.extxyz").write_bytes((tmp_path / "some.extxyz").read_bytes())
    twice = run(tmp_path / "some.extxyz", tmp_path / "copy.extxyz", "-o", tmp_path / "set.h5")
    assert "copy.extxyz holds the same as" in str(twice.exception)
    unsaid = CliRunner().invoke(
        app, ["data", str(tmp_path / "some.extxyz"), "-o", str(tmp_path / "set.h5"), "--method", " "]
    )
    assert "allowed are words" in str(unsaid.exception)
    assert not (tmp_path / "set.h5").exists()
