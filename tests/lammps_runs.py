"""Runs LAMMPS decks as a user does, in processes of their own, and reads back what they print and dump."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from ase import Atoms
from ase.data import atomic_masses, atomic_numbers
from numpy.typing import NDArray

from hea_potential.lammps import plugin_folder

Array = NDArray[np.float64]

SCRIPTS = Path(sysconfig.get_path("scripts"))
TIME_LIMIT = 600.0  # s; a run that takes longer hangs: most take less than one, but machines may be busy
PRESSURE_VOLUME = 1.6021765e6  # bar A^3 in an eV, as LAMMPS has it in units metal
# More ranks than cores: MPICH must give the processor away while it waits, or 4 ranks on 2 cores take 30 times as long.
PATIENT_MPI = {
    "MPIR_CVAR_CH4_PROGRESS_THROTTLE": "1",
    "MPIR_CVAR_CH4_PROGRESS_THROTTLE_NO_PROGRESS_COUNT": "1",
    "MPIR_CVAR_ENABLE_HEAVY_YIELD": "1",
    "MPIR_CVAR_POLLS_BEFORE_YIELD": "1",
}
LOG = "log.deck"
MARGIN = 4.0  # A between a cluster and the box


def run_lammps(
    deck: str, folder: Path, *, ranks: int = 1, environment: Mapping[str, str | None] | None = None
) -> subprocess.CompletedProcess[str]:
    """Run a deck in `folder` under mpirun (ranks = 0: without mpirun) with the plugin on LAMMPS' path.

    `environment` adds variables, or with None takes them away.
    """
    path = folder / "in.deck"
    ours = {"OMP_NUM_THREADS": "1", "LAMMPS_PLUGIN_PATH": plugin_folder(), **PATIENT_MPI}
    variables = {**os.environ, **ours, **(environment or {})}
    path.write_text(deck)
    launcher = [str(SCRIPTS / "mpirun"), "-n", str(ranks)] if ranks else []
    return subprocess.run(
        [*launcher, str(SCRIPTS / "lmp"), "-in", path.name, "-log", LOG],
        cwd=folder,
        env={name: value for name, value in variables.items() if value is not None},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )


def succeed(result: subprocess.CompletedProcess[str]) -> str:
    """Give the output of a run that must end well."""
    assert result.returncode == 0, result.stdout[-3000:] + result.stderr[-3000:]
    return result.stdout


def fail(result: subprocess.CompletedProcess[str], folder: Path) -> str:
    """Give the one error of a run that must end badly.

    From the log as well: when a rank aborts, mpirun may end before it has passed on what the rank printed.
    """
    output = result.stdout + result.stderr + (folder / LOG).read_text()
    errors = {line for line in output.splitlines() if line.startswith("ERROR")}
    assert result.returncode != 0, output
    assert len(errors) == 1, output
    return errors.pop()


@dataclass(frozen=True)
class LammpsAtoms:
    """A structure as LAMMPS wants it: a lower triangular cell, one type per element, atom ids.

    `types` are elements by atom type; the same element may stand for several types, and types without atoms may follow.
    """

    atoms: Atoms
    types: Sequence[str]
    boundary: str = ""
    ids: NDArray[np.int64] | None = None
    type_of_atom: NDArray[np.int64] | None = None  # [n], 1-based; the first type of the atom's element if not given
    rotation: Array = field(init=False)

    def __post_init__(self) -> None:
        q, r = np.linalg.qr(np.asarray(self.atoms.cell.complete()).T)
        object.__setattr__(self, "rotation", q * np.sign(np.diag(r)))

    @property
    def boundary_line(self) -> str:
        return f"boundary {self.boundary or ' '.join('p' if periodic else 'f' for periodic in self.atoms.pbc)}"

    def write(self, path: Path) -> None:
        """Write a LAMMPS data file."""
        positions = self.atoms.positions @ self.rotation
        cell = np.asarray(self.atoms.cell.complete()) @ self.rotation
        low, high = np.zeros(3), np.diag(cell).copy()
        free = ~self.atoms.pbc
        low[free] = positions.min(axis=0)[free] - MARGIN
        high[free] = positions.max(axis=0)[free] + MARGIN
        ids = np.arange(1, len(self.atoms) + 1) if self.ids is None else self.ids
        kinds = self.type_of_atom
        if kinds is None:
            kinds = np.array([list(self.types).index(symbol) + 1 for symbol in self.atoms.symbols])
        lines = ["structure of a test", "", f"{len(self.atoms)} atoms", f"{len(self.types)} atom types", ""]
        lines += [f"{a:.17g} {b:.17g} {x}lo {x}hi" for a, b, x in zip(low, high, "xyz", strict=True)]
        if np.abs(np.tril(cell, -1)).max() > 1e-12:
            lines.append(f"{cell[1, 0]:.17g} {cell[2, 0]:.17g} {cell[2, 1]:.17g} xy xz yz")
        masses = [atomic_masses[atomic_numbers[symbol]] if symbol in atomic_numbers else 1.0 for symbol in self.types]
        lines += ["", "Masses", "", *(f"{k} {mass}" for k, mass in enumerate(masses, start=1))]
        lines += ["", "Atoms # atomic", ""]
        lines += [f"{i} {k} {x:.17g} {y:.17g} {z:.17g}" for i, k, (x, y, z) in zip(ids, kinds, positions, strict=True)]
        path.write_text("\n".join(lines) + "\n")


@dataclass(frozen=True)
class Outcome:
    """What LAMMPS says about one structure, in ASE's axes and the order of ids, in the deck's units."""

    energy: float
    virial: Array  # [6] xx yy zz xy xz yz, in the frame of LAMMPS
    forces: Array  # [n, 3]
    energies: Array  # [n]
    virials: Array  # [n, 6], in the frame of LAMMPS
    extra: Array  # compute pair: sigma, number of atoms beyond training
    beyond: Array  # [n], fix pair


# Prints and dumps everything that Outcome holds, at full precision. `fix pair` wants its pair style by name.
MEASURE = """
compute energies all pe/atom pair
compute virials all stress/atom NULL pair
compute extra all pair hea
fix beyond all pair 1 hea beyond 0
thermo_style custom step pe c_extra[1] pxx vol
run 0
print "OUTCOME {tag} $(pe:%.17g) $(pxx*vol:%.17g) $(pyy*vol:%.17g) $(pzz*vol:%.17g) $(pxy*vol:%.17g) &
$(pxz*vol:%.17g) $(pyz*vol:%.17g) $(c_extra[1]:%.17g) $(c_extra[2]:%.17g)"
write_dump all custom {tag}.dump id fx fy fz c_energies c_virials[*] f_beyond modify sort id format float %.17g
"""


def measure(structure: LammpsAtoms, tag: str, folder: Path, styles: str, settings: str = "units metal") -> str:
    """Give the part of a deck that evaluates a structure with the pair style lines `styles`."""
    structure.write(folder / f"{tag}.data")
    return f"""
clear
{settings}
atom_modify map yes
{structure.boundary_line}
read_data {tag}.data
{styles}
{MEASURE.format(tag=tag)}
"""


def outcome(structure: LammpsAtoms, tag: str, folder: Path, stdout: str) -> Outcome:
    """Read what `measure` left."""
    (line,) = [line for line in stdout.splitlines() if line.startswith(f"OUTCOME {tag} ")]
    numbers = np.array([float(word) for word in line.split()[len(tag.split()) + 1 :]])
    table = np.loadtxt(folder / f"{tag}.dump", skiprows=9, ndmin=2)
    return Outcome(
        energy=float(numbers[0]),
        virial=numbers[1:7] / PRESSURE_VOLUME,
        forces=table[:, 1:4] @ structure.rotation.T,
        energies=table[:, 4],
        virials=-table[:, 5:11] / PRESSURE_VOLUME,
        extra=numbers[7:],
        beyond=table[:, 11],
    )


def virial_in_lammps_frame(virial: Array, rotation: Array) -> Array:
    """Turn a virial [6] from ASE's axes into those of LAMMPS."""
    xx, yy, zz, xy, xz, yz = virial
    turned = rotation.T @ np.array([[xx, xy, xz], [xy, yy, yz], [xz, yz, zz]]) @ rotation
    components: Array = turned[[0, 1, 2, 0, 0, 1], [0, 1, 2, 1, 2, 2]]
    return components
