"""`hea order`: clusters in, the same clusters with better orderings out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.cluster import Icosahedron
from typer.testing import CliRunner

from hea_potential import HEACalculator
from hea_potential.cli import app
from hea_potential.errors import HEAError
from hea_potential.search import best_ordering


def icosahedron(inside: str, seed: int) -> Atoms:
    """Eleven atoms of silver and two of copper at random places, but for that in the centre."""
    symbols = ["Ag"] * 11 + ["Cu"] * 2
    symbols.remove(inside)
    atoms = Icosahedron("Ag", 2)
    atoms.symbols = [inside, *np.random.default_rng(seed).permutation(symbols)]
    return atoms


def hea_order(*words: object) -> Any:
    return CliRunner().invoke(app, ["order", *map(str, words)])


def energies(frames: list[Atoms]) -> list[float]:
    return [frame.get_potential_energy() for frame in frames]


def test_the_command_finds_what_the_function_finds(tmp_path: Path) -> None:
    given = [icosahedron("Ag", 1), icosahedron("Cu", 2)]
    ase.io.write(tmp_path / "in.extxyz", given)
    done = hea_order(tmp_path / "in.extxyz", "-o", tmp_path / "out.extxyz", "--seed", 3, "--json")
    assert done.exit_code == 0, done.output
    found = ase.io.read(tmp_path / "out.extxyz", ":")
    expected = [best_ordering(atoms, seed=3) for atoms in ase.io.read(tmp_path / "in.extxyz", ":")]
    assert energies(found) == pytest.approx(energies(expected), abs=1e-6)
    assert [frame.get_chemical_symbols() for frame in found] == [frame.get_chemical_symbols() for frame in expected]
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    for line, before, after in zip(lines, given, found, strict=True):
        assert after.symbols[0] == "Cu"
        assert line["energy"] == pytest.approx(after.get_potential_energy(), abs=1e-6)
        assert line["exchanged"] == sum(before.numbers != after.numbers)
        before.calc = HEACalculator()
        assert line["energy"] <= line["energy_before"] + 1e-6 < before.get_potential_energy()
        assert line["largest_force"] <= 0.01
    assert lines[0]["energy"] < lines[0]["energy_before"] - 0.1  # copper goes inside


def test_fixed_atoms_stay_where_they_are(tmp_path: Path) -> None:
    given = icosahedron("Ag", 1)
    given.write(tmp_path / "in.xyz")
    done = hea_order(tmp_path / "in.xyz", "-o", tmp_path / "out.traj", "--fixed")
    assert done.exit_code == 0, done.output
    found = ase.io.read(tmp_path / "out.traj")
    np.testing.assert_allclose(found.positions, given.positions, atol=1e-6)
    given.calc = HEACalculator()
    before, after = given.get_potential_energy(), found.get_potential_energy()
    for words in ("Ag11Cu2", f"{before:.4f}", f"{after:.4f}", f"{before - after:.4f}"[:-1]):
        assert words in done.stdout
    assert after < before - 0.1


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        (Icosahedron("Cu", 2), "structure 1 of .* got 13 atoms of Cu; allowed are clusters of two elements or more"),
        (bulk("CuAu", "rocksalt", a=5.0), r"structure 1 of .* periodic in no direction"),
        (Atoms("FeCu", [[0, 0, 0], [0, 0, 2.5]]), "structure 1 of .* got Fe"),
    ],
)
def test_what_has_no_ordering_is_refused_and_nothing_written(wrong: Atoms, complaint: str, tmp_path: Path) -> None:
    ase.io.write(tmp_path / "in.traj", [icosahedron("Cu", 1), wrong])
    with pytest.raises(HEAError, match=complaint):
        raise hea_order(tmp_path / "in.traj", "-o", tmp_path / "out.traj").exception
    assert not (tmp_path / "out.traj").exists()
