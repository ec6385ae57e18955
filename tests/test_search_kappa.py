"""Searches in E - kappa sigma of a model: what they find are minima of just that, as ASE sees it."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pytest
from ase import Atoms
from rich.console import Console

from hea_potential import HEACalculator
from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile, read_model_file, write_model_file
from hea_potential.report.search_report import search_report
from hea_potential.search import Archive, Composition, search
from hea_potential.search.journal import RunFolderError
from hea_potential.search.minimise import Limits
from hea_potential.search.series import members_of, write_series
from hea_potential.search.state import Run
from hea_potential.search.summary import illustrate, report

FORMULA = "Cu4Au3"
KAPPA = 3.0


def found(kappa: float, folder: Path) -> Archive:
    archive = search(FORMULA, kappa=kappa, budget=20, seed=1, out=folder, limits=Limits(fmax=0.005))
    assert archive is not None
    return archive


def test_what_is_found_are_minima_of_energy_less_kappa_sigma(tmp_path: Path) -> None:
    archive = found(KAPPA, tmp_path / "run")
    symbols = Composition.parse(FORMULA).names
    assert len(archive) > 3
    for minimum in archive.lowest(3):
        atoms = Atoms(symbols(minimum.cluster.types), positions=minimum.cluster.positions)
        atoms.calc = HEACalculator("hea6", kappa=KAPPA)
        assert atoms.get_potential_energy() == pytest.approx(minimum.energy, abs=1e-4)
        assert np.linalg.norm(atoms.get_forces(), axis=1).max() < 0.05
        atoms.calc = HEACalculator("hea6")
        assert atoms.get_potential_energy() > minimum.energy + 0.01
        assert np.linalg.norm(atoms.get_forces(), axis=1).max() > 0.05  # and not minima of the energy


def test_bonds_are_those_of_the_energy_and_another_kappa_is_another_search(tmp_path: Path) -> None:
    plain, optimistic = found(0.0, tmp_path / "plain"), found(KAPPA, tmp_path / "optimistic")
    assert np.array_equal(plain.bonds, optimistic.bonds)
    with pytest.raises(RunFolderError, match="holds a search with pair"):
        found(KAPPA, tmp_path / "plain")


def test_a_model_without_uncertainty_has_no_kappa(tmp_path: Path) -> None:
    model = read_model_file("hea6")
    tensors = {name: tensor for name, tensor in model.tensors.items() if name != "gram"}
    metadata = {key: value for key, value in model.metadata.items() if key != "sigma"}
    path = tmp_path / "plain.safetensors"
    write_model_file(path, ModelFile(tensors, metadata))
    with pytest.raises(InputError, match=r"kappa 1\.0 for the model .*which has no uncertainty"):
        search(FORMULA, model=path, kappa=1.0, budget=5)


@pytest.mark.parametrize(("kappa", "said"), [(0.0, "energy"), (KAPPA, "E-3*sigma"), (-1.5, "E+1.5*sigma")])
def test_it_is_said_that_what_is_minimised_is_not_the_energy(kappa: float, said: str, tmp_path: Path) -> None:
    runs: list[Run] = []
    search(FORMULA, kappa=kappa, budget=5, seed=1, out=tmp_path, observers=[runs.append])
    report(runs[-1], Console(width=150, file=(printed := StringIO())))
    assert f" {said}, eV " in printed.getvalue()
    illustrate(runs[-1])
    assert f'"{said}, eV"' in (tmp_path / "view.html").read_text()
    write_series(tmp_path, members_of(runs[-1:]))
    assert f",{said} (eV)," in (tmp_path / "compositions.csv").read_text()
    facts = [row.key_value_pairs for row in ase.db.connect(tmp_path / "minima.db", serial=True).select()]
    facts += [ase.io.read(tmp_path / name).info for name in ("lowest.extxyz", "best.extxyz")]
    assert [each.get("kappa", 0.0) for each in facts] == [kappa] * len(facts)
    assert len(facts) > 2
    told = search_report(tmp_path)
    assert any(f"{said} of the model" in remark for remark in told.remarks) == (kappa != 0.0)
    assert (f"--kappa {kappa:g}" in str(told.sections)) == (kappa != 0.0)
