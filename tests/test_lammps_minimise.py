"""The command minimize/lbfgs in decks: the minima of `min_style cg` on any number of ranks, and clear errors."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.cluster import Icosahedron
from lammps_runs import LammpsAtoms, fail, run_lammps, succeed

LENNARD_JONES = "pair_style lj/cut 4.0\npair_modify shift yes\npair_coeff * * 1.0 1.0"
BOND = 1.1
SAY = 'print "DONE $(pe:%.17g) $(v_lbfgs_calls) $(v_lbfgs_fmax:%.17g)"'


def cluster() -> LammpsAtoms:
    """55 atoms near the icosahedron, in a box that its walls cut into domains."""
    atoms = Icosahedron("Ar", 3, latticeconstant=1.1 * np.sqrt(2.0))
    atoms.positions += np.random.default_rng(1).normal(scale=0.05, size=atoms.positions.shape)
    atoms.cell = [12.0, 12.0, 12.0]
    atoms.center()
    return LammpsAtoms(atoms, ("Ar",))


def sheared_crystal() -> LammpsAtoms:
    """A periodic triclinic box with a vacancy, whose atoms cross its faces on their way."""
    atoms = bulk("Ar", "fcc", a=1.56) * (5, 5, 5)
    del atoms[62]
    atoms.set_cell(atoms.cell @ [[1.0, 0.02, 0.0], [0.0, 1.0, 0.03], [0.0, 0.0, 1.0]], scale_atoms=True)
    atoms.positions += np.random.default_rng(2).normal(scale=0.03, size=atoms.positions.shape)
    return LammpsAtoms(atoms, ("Ar",))


def begin(start: LammpsAtoms, folder: Path, styles: str = LENNARD_JONES) -> str:
    start.write(folder / "start.data")
    return f"units lj\n{start.boundary_line}\natom_modify map array\nread_data start.data\n{styles}\n"


def done(stdout: str) -> tuple[float, int, float]:
    """Energy, force calls and largest force of a deck that ends with SAY."""
    (line,) = [line for line in stdout.splitlines() if line.startswith("DONE ")]
    energy, calls, fmax = line.split()[1:]
    return float(energy), int(calls), float(fmax)


@pytest.mark.parametrize("make", [cluster, sheared_crystal])
def test_the_minimum_of_conjugate_gradients_on_any_number_of_ranks(make: object, tmp_path: Path) -> None:
    """With springs and without; the springs of an atom end at its rank, so only numbers of calls may differ."""
    start = begin(make(), tmp_path)  # type: ignore[operator]
    known = f"{start}min_modify norm max\nminimize 0.0 1e-8 10000 100000\nvariable lbfgs_calls equal 0\n"
    known += f"variable lbfgs_fmax equal 0\n{SAY}\n"
    energy, _, _ = done(succeed(run_lammps(known, tmp_path)))
    for ranks in (1, 2, 4):
        calls = {}
        for options in ("", f"bonds {BOND}"):
            deck = f"{start}minimize/lbfgs 0.0 1e-8 1000 1000 {options}\n{SAY}\n"
            found, calls[options], fmax = done(succeed(run_lammps(deck, tmp_path, ranks=ranks)))
            assert found == pytest.approx(energy, abs=1e-10)
            assert fmax <= 1e-8
        assert calls[f"bonds {BOND}"] < calls[""] < 200


def test_what_a_fix_holds_stays_where_it_is(tmp_path: Path) -> None:
    """Though springs tie it to what moves, and the centripetal term pulls at it."""
    crystal = sheared_crystal()
    for options in (f"bonds {BOND}", f"bonds {BOND} compress 0.01"):
        deck = f"""{begin(crystal, tmp_path)}
group held id <= 30
fix hold held setforce 0 0 0
write_dump all custom before.dump id x y z modify sort id format float %.17g
minimize/lbfgs 0.0 1e-6 1000 1000 {options}
write_dump all custom after.dump id x y z modify sort id format float %.17g
{SAY}
"""
        _, _, fmax = done(succeed(run_lammps(deck, tmp_path, ranks=2)))
        before, after = (np.loadtxt(tmp_path / f"{name}.dump", skiprows=9)[:, 1:] for name in ("before", "after"))
        assert fmax <= 1e-6
        np.testing.assert_allclose(before[:30], after[:30], rtol=0, atol=1e-12)  # the box is triclinic: they round
        assert np.abs(after[30:] - before[30:]).max() > 1e-3


def test_the_centripetal_term_is_in_balance_with_the_forces(tmp_path: Path) -> None:
    """At the minimum of E + k sum |x - c|^2 the force of E on an atom is 2 k (x - c)."""
    deck = f"""{begin(cluster(), tmp_path)}
minimize/lbfgs 0.0 1e-8 1000 1000 bonds {BOND} compress 0.75
{SAY}
run 0
write_dump all custom end.dump id x y z fx fy fz modify sort id format float %.17g
print "ENERGY $(pe:%.17g)"
"""
    stdout = succeed(run_lammps(deck, tmp_path, ranks=2))
    table = np.loadtxt(tmp_path / "end.dump", skiprows=9)
    away = table[:, 1:4] - table[:, 1:4].mean(axis=0)
    np.testing.assert_allclose(table[:, 4:], 1.5 * away, rtol=0, atol=2e-8)
    assert f"ENERGY {done(stdout)[0]:.10g}"[:17] in stdout  # what is told as energy is without the term


CHAINS = """units lj
atom_style full
bond_style harmonic
read_data chains.data
bond_coeff 1 100.0 1.0
special_bonds lj/coul 0 1 1
pair_style hybrid/overlay lj/cut 2.5 coul/long 4.0
pair_coeff * * lj/cut 1.0 1.0
pair_coeff * * coul/long
kspace_style ewald 1e-6
"""


def write_chains(folder: Path) -> None:
    """Two charged chains with harmonic bonds, each through the middle of a periodic box."""
    rng = np.random.default_rng(3)
    atoms = [
        f"{i + 1} {i // 8 + 1} 1 {(-1) ** i} " + " ".join(f"{x:.6f}" for x in point)
        for i, point in enumerate(
            np.array([[1.0 + 1.1 * (i % 8), 4.0 + 2.0 * (i // 8), 5.0] for i in range(16)])
            + rng.normal(scale=0.1, size=(16, 3))
        )
    ]
    bonds = [f"{k + 1} 1 {i} {i + 1}" for k, i in enumerate(i for i in range(1, 16) if i != 8)]
    (folder / "chains.data").write_text(
        "chains\n\n16 atoms\n14 bonds\n1 atom types\n1 bond types\n\n0 10 xlo xhi\n0 10 ylo yhi\n0 10 zlo zhi\n\n"
        "Masses\n\n1 1.0\n\nAtoms # full\n\n" + "\n".join(atoms) + "\n\nBonds\n\n" + "\n".join(bonds) + "\n"
    )


def test_bonds_and_charges_take_part(tmp_path: Path) -> None:
    """Two charged chains with harmonic bonds, long-range forces and a hybrid pair style."""
    write_chains(tmp_path)
    deck = f"{CHAINS}min_modify norm max\nminimize 0 0.1 10000 100000\n"
    cg = "minimize 0 1e-3 10000 100000\nvariable lbfgs_calls equal 0\nvariable lbfgs_fmax equal 0"
    known, _, _ = done(succeed(run_lammps(f"{deck}{cg}\n{SAY}", tmp_path)))
    command = f"minimize/lbfgs 0 1e-3 2000 2000 memory 20\n{SAY}"
    for ranks in (1, 2):
        found, calls, fmax = done(succeed(run_lammps(f"{deck}{command}", tmp_path, ranks=ranks)))
        assert found == pytest.approx(known, abs=1e-4)
        assert fmax <= 1e-3
        assert calls < 1000


def test_bonds_between_ranks_are_there_from_the_beginning(tmp_path: Path) -> None:
    """Before anything else was run nobody has ghosts, where the partners of bonds are."""
    write_chains(tmp_path)
    for ranks in (1, 4):
        _, _, fmax = done(succeed(run_lammps(f"{CHAINS}minimize/lbfgs 0 1e-2 999 999\n{SAY}", tmp_path, ranks=ranks)))
        assert fmax <= 1e-2


def test_it_ends_where_it_is_told_to(tmp_path: Path) -> None:
    start = begin(cluster(), tmp_path)
    for words, complaint in (
        ("0.0 0.0 7 1000", "maxiter steps are made"),
        ("0.0 0.0 1000 9", "maxeval force calls are spent"),
        ("1e-3 0.0 1000 1000", "the energy falls by less than etol"),
        ("0.0 0.0 1000 1000", "neither energy nor forces fall any more"),
        ("0.0 1e30 1000 1000", "no force is larger than ftol"),
    ):
        stdout = succeed(run_lammps(f"{start}minimize/lbfgs {words}\n{SAY}\n", tmp_path))
        assert f"L-BFGS minimisation: {complaint}" in stdout
        assert done(stdout)[1] < 1000


BAD = {
    "too few arguments": ("minimize/lbfgs 0 0 10", ("minimize/lbfgs", "missing argument")),
    "no number": ("minimize/lbfgs 0 soft 10 10", ("soft",)),
    "negative": ("minimize/lbfgs 0 -1 10 10", ("ftol -1", "none may be negative")),
    "unknown keyword": (
        "minimize/lbfgs 0 0 10 10 line",
        ("no keyword 'line'", "allowed are memory, dmax, bonds and compress"),
    ),
    "keyword without value": ("minimize/lbfgs 0 0 10 10 dmax", ("dmax wants 1 values", "got 0")),
    "memory of nothing": ("minimize/lbfgs 0 0 10 10 memory 0", ("memory must be positive, got 0",)),
    "too much memory": ("minimize/lbfgs 0 0 10 10 memory 2147483647", ("memory must be at most 1000, got 2147483647",)),
    "memory is no integer": ("minimize/lbfgs 0 0 10 10 memory 2.5", ("2.5",)),
    "too few bonds": ("minimize/lbfgs 0 0 10 10 bonds 1.1 1.2", ("bonds wants 3 values for 2 atom types", "got 2")),
    "bonds without length": ("minimize/lbfgs 0 0 10 10 bonds 1 0 1", ("bonds must be positive, got 0",)),
    "compress outwards": ("minimize/lbfgs 0 0 10 10 compress -1", ("compress must be positive, got -1",)),
    "box relaxation": (
        "fix relax all box/relax iso 0.0\nminimize/lbfgs 0 0 10 10",
        ("moves atoms only", "wants the box relaxed: use minimize"),
    ),
    "a variable in the way": (
        "variable lbfgs_calls equal 3\nminimize/lbfgs 0 0 10 10",
        ("sets the variable lbfgs_calls, but the input has one of this name",),
    ),
}


@pytest.mark.parametrize(("line", "complaints"), BAD.values(), ids=BAD.keys())
def test_one_clear_error_and_every_rank_ends(line: str, complaints: tuple[str, ...], tmp_path: Path) -> None:
    atoms = Atoms("ArKr", positions=[[5, 5, 5], [6.2, 5, 5]], cell=[10, 10, 10], pbc=True)
    deck = f"{begin(LammpsAtoms(atoms, ('Ar', 'Kr')), tmp_path)}{line}\n"
    error = fail(run_lammps(deck, tmp_path, ranks=2), tmp_path)
    for words in complaints:
        assert words in error


def test_no_box_is_one_error(tmp_path: Path) -> None:
    assert "before simulation box" in fail(run_lammps("minimize/lbfgs 0 0 1 1\n", tmp_path, ranks=2), tmp_path)


def test_atoms_that_leave_the_box_are_lost(tmp_path: Path) -> None:
    """Two atoms on top of each other between fixed walls."""
    atoms = Atoms("Ar2", positions=[[0.1, 5, 5], [0.25, 5, 5]], cell=[10, 10, 10])
    deck = f"{begin(LammpsAtoms(atoms, ('Ar',)), tmp_path)}minimize/lbfgs 0 0 1000 1000 dmax 200.0\n"
    assert "Lost atoms: original 2 current" in fail(run_lammps(deck, tmp_path, ranks=2), tmp_path)


def test_atoms_on_top_of_each_other_are_no_minimum(tmp_path: Path) -> None:
    """Their forces are no numbers, which are not larger than ftol: nor are they smaller."""
    atoms = Atoms("Ar2", positions=[[5, 5, 5], [5, 5, 5]], cell=[10, 10, 10], pbc=True)
    deck = f"{begin(LammpsAtoms(atoms, ('Ar',)), tmp_path)}minimize/lbfgs 0 1e-4 100 100\n{SAY}\n"
    stdout = succeed(run_lammps(deck, tmp_path))
    assert "L-BFGS minimisation: neither energy nor forces fall any more" in stdout
    assert done(stdout)[1:] == (1, np.inf)
