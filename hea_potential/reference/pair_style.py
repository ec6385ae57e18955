"""Any pair style of LAMMPS as an ASE calculator: `lammps:FILE`, a file of LAMMPS lines (`hea_potential.pair_file`)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.lammps import Prism, convert
from ase.data import atomic_masses, chemical_symbols
from ase.stress import voigt_6_to_full_3x3_stress

from hea_potential.errors import HEAError, InputError
from hea_potential.lammps_instance import abandon, command, hashes_of_files, new_instance, one_line
from hea_potential.pair_file import ELEMENTS, PairFile, read_pair_file
from hea_potential.reference.boxed import BoxedCalculator
from hea_potential.reference.method import ReferenceMethod, versions

UNITS = ("metal", "real", "electron")  # of these ASE knows the eV and the Angstrom
VACUUM = 1.0  # A between a cluster and the walls of its box, which it does not feel


class LAMMPSError(HEAError):
    """What LAMMPS refused, and the line if it was one of the pair file."""


def lammps(argument: str = "") -> ReferenceMethod:
    """The pair style of a file, relative to the current folder; files that its lines name are hashed.

    Raises InputError for a file that is not there, or that says only for some structures which atom type is which
    element; LAMMPSError for lines that LAMMPS refuses for all elements is raised when an energy is asked for.
    """
    if not argument:
        raise InputError("reference method lammps: got no file; allowed is lammps:FILE with a file of LAMMPS lines")
    path = Path(argument)
    file = read_pair_file(path)
    if file.units not in UNITS:
        raise InputError(f"pair file {argument!r}: units {file.units!r}; allowed for a reference: {', '.join(UNITS)}")
    named = sorted({word for line in coefficients(file) for word in line.split()[3:] if word in chemical_symbols[1:]})
    if named and not any(ELEMENTS in line for line in file.lines):
        raise InputError(
            f"pair file {argument!r}: names {', '.join(named)}, but structures differ in what their atom types are; "
            f"allowed is {ELEMENTS} in place of the elements"
        )
    provenance = {
        "method": "lammps",
        "units": file.units,
        "lines": list(file.lines),
        "sha256": hashes_of_files(word.strip("\"'") for line in coefficients(file) for word in line.split()[3:]),
        "packages": versions("lammps", "ase"),
    }
    return ReferenceMethod(provenance, partial(PairStyle, file), partial(refused_elements, file))


def coefficients(file: PairFile) -> list[str]:
    """The lines `pair_coeff`."""
    return [line for line in file.lines if line.startswith("pair_coeff")]


def refused_elements(file: PairFile, symbols: Sequence[str]) -> list[str]:
    """Of chemical symbols those for whose lone atom LAMMPS refuses the lines."""
    refused = []
    for symbol in symbols:
        atom = Atoms(symbol, calculator=PairStyle(file))
        try:
            atom.get_potential_energy()
        except LAMMPSError:
            refused.append(symbol)
    return refused


class PairStyle(BoxedCalculator):
    """Energies (eV), forces (eV/A) and stresses (eV/A^3) of a pair style; free, partly and wholly periodic structures.

    Each calculation has a new LAMMPS instance, which costs some 10 ms: nothing is left from one to the next.
    Atom types are the elements of the structure in the order of their atomic numbers.
    """

    def __init__(self, file: PairFile) -> None:
        super().__init__(VACUUM)
        self.file = file

    def evaluate(self, boxed: Atoms, *, with_stress: bool) -> dict[str, Any]:
        """What LAMMPS says, in the units of ASE. Raises LAMMPSError."""
        prism = Prism(boxed.cell.array, boxed.pbc)
        engine = new_instance()
        try:
            self.fill(engine, boxed, prism)
            engine.command("run 0 post no")
            energy = engine.get_thermo("pe")
            forces = np.array(engine.gather_atoms("f", 1, 3)).reshape(-1, 3)
            pressure = np.array([engine.get_thermo(name) for name in ("pxx", "pyy", "pzz", "pyz", "pxz", "pxy")])
        except LAMMPSError:
            abandon(engine)
            raise
        except Exception as error:  # LAMMPS raises Exception itself
            abandon(engine)
            raise LAMMPSError(f"LAMMPS refuses a structure: {one_line(error)}") from error
        engine.close()
        units = self.file.units
        results = {
            "energy": float(convert(energy, "energy", units, "ASE")),
            "forces": prism.vector_to_ase(convert(forces, "force", units, "ASE")),
        }
        if with_stress:
            stress = prism.tensor2_to_ase(voigt_6_to_full_3x3_stress(-convert(pressure, "pressure", units, "ASE")))
            results["stress"] = stress.ravel()[[0, 4, 8, 5, 2, 1]]
        return results

    def fill(self, engine: Any, atoms: Atoms, prism: Prism) -> None:
        """Make box and atoms and give the lines of the pair style. Raises LAMMPSError for a line of those."""
        units = self.file.units
        numbers = np.unique(atoms.numbers)
        xhi, yhi, zhi, xy, xz, yz = convert(prism.get_lammps_prism(), "distance", "ASE", units).tolist()
        boundary = " ".join("p" if periodic else "f" for periodic in atoms.pbc)
        for line in (
            f"units {units}",
            "atom_style atomic",
            "atom_modify map array sort 0 0.0",
            "newton on",
            f"boundary {boundary}",
            "box tilt large",
            f"region box prism 0 {xhi!r} 0 {yhi!r} 0 {zhi!r} {xy!r} {xz!r} {yz!r}",
            f"create_box {len(numbers)} box",
            *(f"mass {kind} {atomic_masses[z]}" for kind, z in enumerate(numbers, start=1)),
        ):
            engine.command(line)
        positions = convert(prism.vector_to_lammps(atoms.positions, wrap=True), "distance", "ASE", units)
        types = (np.searchsorted(numbers, atoms.numbers) + 1).tolist()
        identities = list(range(1, len(atoms) + 1))
        if engine.create_atoms(len(atoms), identities, types, positions.ravel().tolist()) != len(atoms):
            raise LAMMPSError(f"LAMMPS created other than {len(atoms)} atoms; the cell may be degenerate")
        for line in self.file.of_elements([chemical_symbols[z] for z in numbers]):
            try:
                command(engine, line)
            except Exception as error:
                raise LAMMPSError(f"LAMMPS refuses the line {line!r}: {one_line(error)}") from error
        engine.command("thermo_style custom step pe pxx pyy pzz pxy pxz pyz")
