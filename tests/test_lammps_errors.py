"""Bad input to pair_style hea: one clear error that names what, got and allowed, and every rank ends."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from lammps_runs import LammpsAtoms, fail, run_lammps, succeed
from random_model import random_model, write_model
from reference import MODEL

from hea_potential.lammps import plugin_folder

DIMER = LammpsAtoms(Atoms("NiCu", positions=[[0, 0, 0], [1.4, 1.3, 1.2]], cell=[20, 20, 20], pbc=True), ("Ni", "Cu"))


@dataclass(frozen=True)
class Bad:
    """A deck that differs from a good one in one place, and what its error has to say."""

    says: tuple[str, ...]
    style: str = "hea"
    coeff: str = f"* * {MODEL} Ni Cu"
    before: str = "units metal"
    after: str = "run 0"
    positions: list[list[float]] = field(default_factory=lambda: [[0.0, 0.0, 0.0], [1.4, 1.3, 1.2]])


BAD = {
    "unknown option": Bad(("no option 'accuracy'", "precision and kappa"), style="hea accuracy high"),
    "option without value": Bad(("precision needs a value",), style="hea precision"),
    "unknown precision": Bad(("single or double", "got 'half'"), style="hea precision half"),
    "kappa is no number": Bad(("'much'",), style="hea kappa much"),
    "kappa without sigma data": Bad(
        ("kappa 2", "needs a model with uncertainty data", "allowed is kappa 0"),
        style="hea kappa 2",
        coeff="* * nosigma.safetensors Ni Cu",
    ),
    "missing file": Bad(("cannot read model 'gone.safetensors': no such file",), coeff="* * gone.safetensors Ni Cu"),
    "a folder": Bad(("cannot read model './'",), coeff="* * ./ Ni Cu"),
    "unknown name": Bad(("unknown model 'hae6'", "allowed are", "known"), coeff="* * hae6 Ni Cu"),
    "truncated model": Bad(("model 'truncated.safetensors'",), coeff="* * truncated.safetensors Ni Cu"),
    "foreign file": Bad(("model 'foreign.safetensors'",), coeff="* * foreign.safetensors Ni Cu"),
    "future model": Bad(("model 'future.safetensors'", "version"), coeff="* * future.safetensors Ni Cu"),
    "misspelt element": Bad(("element 'NI' of atom type 1", "Ni Cu Pd Ag Pt Au and NULL"), coeff=f"* * {MODEL} NI Cu"),
    "element that the model lacks": Bad(("element 'Fe' of atom type 2", "Ni Cu Pd"), coeff=f"* * {MODEL} Ni Fe"),
    "too few elements": Bad(("each of the 2 atom types, got 1: Ni",), coeff=f"* * {MODEL} Ni"),
    "too many elements": Bad(("each of the 2 atom types, got 3: Ni Cu Pd",), coeff=f"* * {MODEL} Ni Cu Pd"),
    "no elements": Bad(("each of the 2 atom types, got 0",), coeff=f"* * {MODEL}"),
    "only NULL": Bad(("all atom types are NULL",), coeff=f"* * {MODEL} NULL NULL"),
    "coefficients by pair": Bad(("must start with * *",), coeff=f"1 2 {MODEL} Ni Cu"),
    "units lj": Bad(("needs units metal or real, got units lj",), before="units lj"),
    "newton off": Bad(("needs newton on", "newton off"), before="units metal\nnewton off"),
    "atoms on top of each other": Bad(
        ("atoms", "2e-05 A apart", "at least 0.001 A"), positions=[[1.0, 1.0, 1.0], [1.00002, 1.0, 1.0]]
    ),
    "centroid stress": Bad(("centroid",), after="compute s all centroid/stress/atom NULL\nrun 0\nprint $(c_s[1][1])"),
    "fix adapt": Bad(
        ("param kappa not supported",), after="variable k equal 1.0\nfix a all adapt 1 pair hea kappa * * v_k\nrun 0"
    ),
    "unknown field of fix pair": Bad(("cannot extract",), after="fix a all pair 1 hea charge 0\nrun 0"),
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_one_clear_error_and_every_rank_ends(tmp_path: Path, bad: Bad) -> None:
    content = MODEL.read_bytes()
    (tmp_path / "truncated.safetensors").write_bytes(content[:-1000])
    (tmp_path / "foreign.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "future.safetensors").write_bytes(content.replace(b'\\"version\\": 1', b'\\"version\\": 9', 1))
    write_model(tmp_path / "nosigma.safetensors", *random_model(np.random.default_rng(4), sigma=False))
    atoms = DIMER.atoms.copy()
    atoms.positions = bad.positions
    LammpsAtoms(atoms, DIMER.types).write(tmp_path / "start.data")
    deck = f"{bad.before}\nread_data start.data\npair_style {bad.style}\npair_coeff {bad.coeff}\n{bad.after}\n"
    error = fail(run_lammps(deck, tmp_path, ranks=2), tmp_path)
    for words in bad.says:
        assert words in error


def test_positions_that_are_no_numbers(tmp_path: Path) -> None:
    """An atom that flies to infinity between two constructions of the neighbour list."""
    DIMER.write(tmp_path / "start.data")
    deck = f"""units metal
read_data start.data
pair_style hea
pair_coeff * * {MODEL} Ni Cu
neigh_modify delay 1000 every 1000 check no
fix move all nve
run 1
variable infinite atom exp(1000.0*id)
group far id 2
velocity far set v_infinite 0 0
run 5
"""
    assert "must be finite" in fail(run_lammps(deck, tmp_path, ranks=2), tmp_path)


def test_a_plugin_for_another_lammps_refuses_to_run(tmp_path: Path) -> None:
    """The built library with another version's number in it."""
    library = (Path(plugin_folder()) / "heaplugin.so").read_bytes()
    assert library.count(b"20250722\0") == 1
    (tmp_path / "otherplugin.so").write_bytes(library.replace(b"20250722\0", b"20240829\0"))
    deck = """plugin unload pair hea
plugin load ./otherplugin.so
units metal
region box block 0 1 0 1 0 1
create_box 1 box
{}
"""
    error = fail(run_lammps(deck.format("pair_style hea"), tmp_path, ranks=2), tmp_path)
    assert "was built for LAMMPS version 20240829 but runs in version 20250722" in error
    # other decks of that LAMMPS are not disturbed
    succeed(run_lammps(deck.format("pair_style zero 5.0"), tmp_path))


def test_bonds_between_atoms_of_the_potential_need_special_bonds_of_one(tmp_path: Path) -> None:
    (tmp_path / "bonded.data").write_text(
        "bonded\n\n2 atoms\n1 bonds\n2 atom types\n1 bond types\n\n0 20 xlo xhi\n0 20 ylo yhi\n0 20 zlo zhi\n\n"
        "Masses\n\n1 58.69\n2 63.55\n\nAtoms # bond\n\n1 1 1 5 5 5\n2 1 2 7 5 5\n\nBonds\n\n1 1 1 2\n"
    )
    deck = f"""units metal
atom_style bond
bond_style zero
{{}}
read_data bonded.data
bond_coeff *
pair_style hea
pair_coeff * * {MODEL} Ni Cu
{{}}
"""
    for command in ("run 0", "minimize/lbfgs 0 0.1 10 10"):
        error = fail(run_lammps(deck.format("", command), tmp_path, ranks=2), tmp_path)
        assert "use 'special_bonds lj 1 1 1'" in error
        succeed(run_lammps(deck.format("special_bonds lj/coul 1 1 1", command), tmp_path, ranks=2))


def test_a_good_deck_runs(tmp_path: Path) -> None:
    """What the bad decks differ from."""
    good = Bad(())
    DIMER.write(tmp_path / "start.data")
    assert np.allclose(good.positions, DIMER.atoms.positions)
    deck = f"{good.before}\nread_data start.data\npair_style {good.style}\npair_coeff {good.coeff}\n{good.after}\n"
    succeed(run_lammps(deck, tmp_path, ranks=2))
