"""The command line: what it prints, what it writes, and that a mistake costs one line."""

from __future__ import annotations

import hashlib
import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import ase.db
import ase.io
import numpy as np
import pytest
from ase.build import bulk
from random_model import random_model, write_model
from sample_structures import alloy, cluster

from hea_potential import HEACalculator, __version__
from hea_potential.cli import COMMANDS
from hea_potential.cli.evaluate import MOST_ROWS
from hea_potential.cli.loading import EXTRA_TRAIN, needing_training
from hea_potential.cli.structure_files import structure_output, with_results
from hea_potential.errors import HEAError, MissingPackageError, OutputError


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tensors, document = random_model(np.random.default_rng(6))
    document["errors"] = {"elements": {"energy": 3.25, "forces": 41.0}, "pairs": {"energy": 4.5}}
    document["provenance"] = {"reference": "a [random] model", "seed": 6}
    return write_model(tmp_path_factory.mktemp("model") / "random.safetensors", tensors, document)


def hea(*arguments: object) -> subprocess.CompletedProcess[str]:
    """Run the command line as a user does, in a process of its own."""
    command = [sys.executable, "-c", "from hea_potential.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, env={**ENVIRONMENT})


ENVIRONMENT = {**os.environ, "COLUMNS": "120"}


def refused(*arguments: object) -> str:
    """Run a command that has to fail; return its one line."""
    found = hea(*arguments)
    assert found.returncode == 2, found
    assert found.stdout == ""
    assert found.stderr.startswith("hea: error: ")
    assert found.stderr.count("\n") == 1
    return found.stderr


def test_version_and_list_of_commands() -> None:
    assert hea("--version").stdout == f"hea-potential {__version__}\n"
    found = hea("--help").stdout
    assert all(f" {name} " in found for name in COMMANDS)
    unknown = hea("relaxx")
    assert unknown.returncode == 2
    assert "relax" in unknown.stderr


@pytest.mark.parametrize("words", [(), ("--version",), ("search", "--help"), ("bench",)])
def test_of_ranks_the_first_alone_prints_help(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    alone = hea(*words)
    assert alone.stdout
    for name in ("PMI_RANK", "OMPI_COMM_WORLD_RANK"):  # as MPICH and Open MPI tell it to their processes
        for rank in ("0", "1"):
            with monkeypatch.context() as launched:
                launched.setitem(ENVIRONMENT, name, rank)
                found = hea(*words)
            assert found.stdout == (alone.stdout if rank == "0" else "")
            assert found.stderr == alone.stderr == ""


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    found = hea(command, "--help")
    assert found.returncode == 0
    assert "Example" in found.stdout
    assert f"hea {command} " in found.stdout.split("Example", 1)[1]


def test_info_shows_the_card(model: Path) -> None:
    found = hea("info", model)
    assert found.returncode == 0, found.stderr
    for words in ("Ni Cu Pd", "Ni-Pd", "a [random] model", "3.25", "pairs", "5 Angstrom"):
        assert words in found.stdout
    assert json.loads(hea("info", model, "--json").stdout)["provenance"]["seed"] == 6


def test_what_is_shown_is_never_cut(model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ENVIRONMENT, "COLUMNS", "80")
    assert hashlib.sha256(model.read_bytes()).hexdigest() in hea("info", model).stdout
    atoms = cluster(np.random.default_rng(0), 40)
    atoms.write(tmp_path / "in.extxyz")
    energy = HEACalculator(model).get_potential_energy(ase.io.read(tmp_path / "in.extxyz"))
    for command, shown in ((("eval",), f"{energy:.6f}"), (("relax", "--steps", 1), f"{energy:.4f}")):
        found = hea(*command, tmp_path / "in.extxyz", "-o", tmp_path / "out.extxyz", "-m", model)
        assert atoms.get_chemical_formula() in found.stdout  # there is no terminal: the page is wide
        assert shown in found.stdout


def test_a_narrow_terminal_folds_formulas_and_keeps_numbers() -> None:
    from rich.console import Console

    from hea_potential.cli.tables import uncut_table

    table = uncut_table("structure", "formula", "E, eV", folds="formula")
    table.add_row("0", "Ag10Au5Cu10Ni10Pd10Pt10", "-213.441455")
    console = Console(width=40)
    with console.capture() as page:
        console.print(table)
    assert "-213.441455" in page.get()
    assert "…" not in page.get()


def test_eval_writes_what_the_calculator_computes(model: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    frames = [cluster(rng, 7), alloy(rng, (1, 1, 2))]
    ase.io.write(tmp_path / "in.extxyz", frames)
    found = hea("eval", tmp_path / "in.extxyz", "-o", tmp_path / "out.extxyz", "--model", model)
    assert found.returncode == 0, found.stderr
    calculator = HEACalculator(model)
    for atoms, result in zip(frames, ase.io.read(tmp_path / "out.extxyz", index=":"), strict=True):
        assert result.get_potential_energy() == pytest.approx(calculator.get_potential_energy(atoms), abs=1e-5)
        np.testing.assert_allclose(result.get_forces(), calculator.get_forces(atoms), atol=1e-4)
        assert result.info["energy_std"] == pytest.approx(calculator.get_property("energy_std", atoms), rel=1e-5)
        assert f"{calculator.get_potential_energy(atoms):.6f}"[:-2] in found.stdout
    np.testing.assert_allclose(result.get_stress(), calculator.get_stress(frames[1]), atol=1e-5)


@pytest.mark.parametrize("ending", ["extxyz", "xyz", "traj", "db", "json"])
def test_a_file_of_results_holds_all_of_them(model: Path, tmp_path: Path, ending: str) -> None:
    rng, calculator = np.random.default_rng(5), HEACalculator(model)
    results = [with_results(atoms, calculator) for atoms in (cluster(rng, 7), alloy(rng, (1, 1, 2)))]
    path = tmp_path / f"out.{ending}"
    with structure_output(path, results, results=True) as written:
        written.extend(results)
    for atoms, found in zip(results, ase.io.read(path, index=":"), strict=True):
        assert found.calc.results.keys() == atoms.calc.results.keys()
        for name, values in atoms.calc.results.items():
            np.testing.assert_allclose(found.calc.results[name], values, atol=1e-6)
    rows = [row.energy_std for row in ase.db.connect(path).select()] if ending in ("db", "json") else None
    sigmas = rows or [found.info["energy_std"] for found in ase.io.read(path, index=":")]
    assert sigmas == pytest.approx([atoms.info["energy_std"] for atoms in results], rel=1e-6)


def test_relaxed_structures_go_into_files_that_hold_no_results(model: Path, tmp_path: Path) -> None:
    alloy(np.random.default_rng(2), (1, 1, 2)).write(tmp_path / "in.traj")
    found = hea("relax", tmp_path / "in.traj", "-o", tmp_path / "POSCAR", "-m", model, "--fmax", 100)
    assert found.returncode == 0, found.stderr
    assert len(ase.io.read(tmp_path / "POSCAR")) == len(ase.io.read(tmp_path / "in.traj"))


def test_a_format_of_one_structure_is_refused_for_several_before_they_are_relaxed(model: Path, tmp_path: Path) -> None:
    slabs = [alloy(np.random.default_rng(seed), (1, 1, 2)) for seed in (1, 2)]
    with (
        pytest.raises(OutputError, match="for 2 structures; vasp holds one"),
        structure_output(tmp_path / "POSCAR", slabs, results=False),
    ):
        pytest.fail("they would be relaxed")
    assert not list(tmp_path.iterdir())


def test_results_are_lines_of_json(model: Path, tmp_path: Path) -> None:
    """As many as there are structures, also beyond those that a table shows."""
    calculator = HEACalculator(model)
    frames = [cluster(np.random.default_rng(k), 4) for k in range(MOST_ROWS + 1)]
    ase.io.write(tmp_path / "in.traj", frames)
    found = hea("eval", tmp_path / "in.traj", "-m", model, "--json")
    assert found.returncode == 0, found.stderr
    lines = [json.loads(line) for line in found.stdout.splitlines()]
    assert [line["structure"] for line in lines] == list(range(len(frames)))
    energy = calculator.get_potential_energy(frames[-1])
    assert lines[-1] == {
        "structure": MOST_ROWS,
        "formula": frames[-1].get_chemical_formula(empirical=False),
        "atoms": 4,
        "energy": pytest.approx(energy, abs=1e-9),
        "energy_per_atom": pytest.approx(energy / 4, abs=1e-9),
        "largest_force": pytest.approx(np.linalg.norm(calculator.get_forces(frames[-1]), axis=1).max(), abs=1e-9),
        "largest_stress": None,
        "energy_std": pytest.approx(calculator.get_property("energy_std", frames[-1]), rel=1e-9),
    }


def test_no_error_of_another_model_is_told(model: Path, tmp_path: Path) -> None:
    write_model(tmp_path / "unsure.safetensors", *random_model(np.random.default_rng(6), sigma=False))
    cluster(np.random.default_rng(1), 4).write(tmp_path / "in.extxyz")
    assert hea("eval", tmp_path / "in.extxyz", "-m", model, "-o", tmp_path / "first.extxyz").returncode == 0
    assert "energy_std" in ase.io.read(tmp_path / "first.extxyz").info
    words = ("-m", tmp_path / "unsure.safetensors", "-o", tmp_path / "second.extxyz")
    found = hea("eval", tmp_path / "first.extxyz", *words, "--json")
    assert json.loads(found.stdout)["energy_std"] is None
    assert "energy_std" not in ase.io.read(tmp_path / "second.extxyz").info


def test_what_became_of_relaxed_structures_is_lines_of_json(model: Path, tmp_path: Path) -> None:
    atoms = cluster(np.random.default_rng(1), 5)
    atoms.write(tmp_path / "in.traj")
    found = hea("relax", tmp_path / "in.traj", "-o", tmp_path / "out.traj", "-m", model, "--json", "--steps", 3)
    assert found.returncode == 1
    line = json.loads(found.stdout)
    result = ase.io.read(tmp_path / "out.traj")
    assert line["energy_before"] == pytest.approx(HEACalculator(model).get_potential_energy(atoms), abs=1e-9)
    assert line["energy"] == pytest.approx(result.get_potential_energy(), abs=1e-9)
    assert line["largest_force"] == pytest.approx(np.linalg.norm(result.get_forces(), axis=1).max(), abs=1e-9)
    assert (line["relaxed"], line["steps"]) == (False, 3)


@pytest.mark.parametrize("cell", [("--cell",), ()])
def test_forces_on_atoms_and_stress_are_told_apart(cell: tuple[str, ...], model: Path, tmp_path: Path) -> None:
    """The atom of a squeezed crystal is at rest, whatever its cell wants."""
    bulk("Cu", a=3.0).write(tmp_path / "in.traj")
    words = (tmp_path / "in.traj", "-o", tmp_path / "out.traj", "-m", model, "--steps", 1, *cell)
    line = json.loads(hea("relax", *words, "--json").stdout)
    result = ase.io.read(tmp_path / "out.traj")
    assert line["largest_force"] == pytest.approx(0.0, abs=1e-6)
    assert line["largest_stress"] == pytest.approx(np.abs(result.get_stress()).max(), abs=1e-9)
    assert line["largest_stress"] > 0.01
    assert line["relaxed"] == (not cell)
    assert (f"{line['largest_stress']:.5f}" in hea("relax", *words).stdout) == bool(cell)


def test_relax_finds_a_minimum(model: Path, tmp_path: Path) -> None:
    atoms = cluster(np.random.default_rng(1), 5)
    atoms.write(tmp_path / "in.xyz")
    found = hea("relax", tmp_path / "in.xyz", "-o", tmp_path / "out.extxyz", "--model", model, "--fmax", 0.02)
    assert found.returncode == 0, found
    result = ase.io.read(tmp_path / "out.extxyz")
    assert np.linalg.norm(result.get_forces(), axis=1).max() < 0.021
    assert result.get_potential_energy() < HEACalculator(model).get_potential_energy(atoms)


def test_relax_says_when_it_is_not_done(model: Path, tmp_path: Path) -> None:
    alloy(np.random.default_rng(2), (1, 1, 2)).write(tmp_path / "in.traj")
    found = hea("relax", tmp_path / "in.traj", "-o", tmp_path / "out.traj", "--model", model, "--cell", "--steps", 1)
    assert found.returncode == 1
    assert "not every structure was relaxed" in found.stderr
    assert (tmp_path / "out.traj").is_file()


def test_mistakes_cost_one_line_and_leave_nothing(model: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.extxyz"
    cluster(np.random.default_rng(3), 5).write(good)
    foreign = tmp_path / "foreign.xyz"
    foreign.write_text("these are\nno coordinates\n")
    iron = tmp_path / "iron.xyz"
    iron.write_text("1\n\nFe 0 0 0\n")
    before = sorted(tmp_path.iterdir())
    out = tmp_path / "out.extxyz"
    assert "no such file" in refused("info", tmp_path / "absent.safetensors")
    assert "safetensors" in refused("info", good)
    for command in ("eval", "relax"):
        assert "absent.xyz" in refused(command, tmp_path / "absent.xyz", "-o", out, "-m", model)
        assert "foreign.xyz" in refused(command, foreign, "-o", out, "-m", model)
        assert "no such file" in refused(command, good, "-o", out, "-m", tmp_path / "absent.safetensors")
        assert "got Fe" in refused(command, iron, "-o", out, "-m", model)
        assert "missing" in refused(command, good, "-o", tmp_path / "missing" / "out.extxyz", "-m", model)
        assert "a folder" in refused(command, good, "-o", tmp_path, "-m", model)
        assert "formats of ASE" in refused(command, good, "-o", tmp_path / "out.nonsense", "-m", model)
    assert "png holds no structures" in refused("relax", good, "-o", tmp_path / "out.png", "-m", model)
    assert "cif holds no energies and forces; .extxyz" in refused("eval", good, "-o", tmp_path / "out.cif", "-m", model)
    without_cell = hea("relax", good, "-o", tmp_path / "out.lammps-data", "-m", model)
    assert without_cell.returncode == 2
    assert "as lammps-data (Singular matrix)" in without_cell.stderr.splitlines()[-1]  # numpy may warn before
    assert "periodic" in refused("relax", good, "-o", out, "-m", model, "--cell")
    assert sorted(tmp_path.iterdir()) == before


def test_an_unwritable_folder_is_found_before_the_work(model: Path, tmp_path: Path) -> None:
    good = tmp_path / "good.extxyz"
    cluster(np.random.default_rng(4), 5).write(good)
    # A file in the place of a folder is unwritable for everyone, the administrator included.
    assert "Not a directory" in refused("relax", good, "-o", good / "out.extxyz", "-m", model)


@pytest.mark.parametrize("package", EXTRA_TRAIN)
def test_a_package_of_training_that_is_missing_is_named(package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    message = rf"hea train needs {package}, .* 'hea-potential\[train\]'"
    with pytest.raises(MissingPackageError, match=message), needing_training("hea train"):
        importlib.import_module(package)


def test_another_error_of_an_import_is_shown_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "damaged.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')\n")
    (tmp_path / "in_need.py").write_text("import no_such_module\n")
    for module, reason in (("damaged", "libgomp.so.1: cannot open"), ("in_need", "No module named 'no_such_module'")):
        with pytest.raises(HEAError, match=reason) as caught, needing_training("hea train"):
            importlib.import_module(module)
        assert not isinstance(caught.value, MissingPackageError)
