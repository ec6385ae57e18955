"""Structures in and out of files for the commands: any format that ASE knows, errors as one line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hea_potential.complete_file import complete_file
from hea_potential.errors import InputError, OutputError

if TYPE_CHECKING:
    from ase import Atoms

    from hea_potential.calculator import HEACalculator

SIGMA = "energy_std"  # the estimated error of an energy, in a structure's information or a database's row
DATABASES = ("db", "json")  # formats of ASE that keep no information of structures, but numbers beside them
HOLD_ALL = ("extxyz", "traj", *DATABASES)  # formats of ASE that hold any structures and all results
ALLOWED = f"{', '.join(f'.{name}' for name in HOLD_ALL[:-1])} and .{HOLD_ALL[-1]}"  # their endings


def read_structures(path: Path) -> list[Atoms]:
    """Read every structure of a file.

    Raises:
        InputError: the file is missing, holds no structure, or ASE cannot read it.
    """
    import ase.io

    if not path.is_file():
        raise InputError(f"structure file: got {path} ({'a folder' if path.is_dir() else 'no such file'})")
    try:
        frames = ase.io.read(path, index=":", parallel=False)  # under mpirun one rank may be the only one that reads
    except Exception as error:  # ASE's readers raise whatever their parsing stumbles over
        reason = " ".join(str(error).split()) or type(error).__name__
        raise InputError(
            f"structure file {path}: ASE cannot read it ({reason}); allowed is a format that ASE knows"
        ) from error
    if not frames:
        raise InputError(f"structure file {path}: got no structure; allowed is 1 or more")
    return list(frames)


@contextmanager
def structure_output(path: Path, like: Sequence[Atoms], *, results: bool) -> Iterator[list[Atoms]]:
    """Give a list to append structures to, as many and of such a kind as in `like`; they are written to `path` if the
    block succeeds. results: whether the file must hold their energies, forces, stresses and `energy_std`.

    Raises:
        OutputError: before the block, if the folder is not writable or the format is not one that ASE can write, or
            that can hold what is to be written.
    """
    format_name = format_of(path)
    with complete_file(path) as temporary:
        if format_name not in HOLD_ALL:
            if results:
                raise OutputError(
                    f"output file: got {path}, and {format_name} holds no energies and forces; {ALLOWED} do"
                )
            write_structures(temporary, like, format_name, path)  # a trial
        frames: list[Atoms] = []
        yield frames
        write_structures(temporary, frames, format_name, path)


def format_of(path: Path) -> str:
    """What ASE calls the format of a file to write. Raises OutputError if ASE cannot write it, or cannot read it again:
    pictures and scripts are no structures.
    """
    from ase.io.formats import UnknownFileTypeError, filetype, ioformats

    try:
        format_name = filetype(str(path), read=False)
    except UnknownFileTypeError:
        format_name = ""
    if format_name not in ioformats:  # ASE takes an unknown ending for a format of that name
        raise OutputError(f"output file: got {path}; allowed are the formats of ASE, such as {ALLOWED}")
    if not ioformats[format_name].can_write:
        raise OutputError(f"output file: got {path} ({format_name}), which ASE only reads; {ALLOWED} are written")
    if not ioformats[format_name].can_read:
        raise OutputError(f"output file: got {path}, and {format_name} holds no structures; {ALLOWED} do")
    return format_name


def write_structures(temporary: Path, frames: Sequence[Atoms], format_name: str, path: Path) -> None:
    """Write structures to a file that will be at `path`. Raises OutputError if the format cannot hold them."""
    import ase.db
    import ase.io
    from ase.io.formats import ioformats

    if len(frames) > 1 and ioformats[format_name].single:
        raise OutputError(f"output file: got {path} for {len(frames)} structures; {format_name} holds one")
    try:
        if format_name in DATABASES:
            with ase.db.connect(temporary, format_name, serial=True, append=False) as database:
                for atoms in frames:
                    database.write(atoms, {name: atoms.info[name] for name in (SIGMA,) if name in atoms.info})
        else:
            ase.io.write(temporary, list(frames), format=format_name)
    except OSError:  # a full disk: `complete_file` says so
        raise
    except Exception as error:  # ASE's writers stumble over structures that their format cannot hold
        reason = " ".join(str(error).split()) or type(error).__name__
        raise OutputError(
            f"output file: ASE cannot write these structures to {path} as {format_name} ({reason}); {ALLOWED} hold any"
        ) from error


def with_results(atoms: Atoms, calculator: HEACalculator) -> Atoms:
    """Return a copy that carries energy, forces and stress as ASE keeps them, and SIGMA in its information; no SIGMA
    where the model has none, not even that of another model which the structure came with.
    """
    from ase.calculators.singlepoint import SinglePointCalculator

    result = atoms.copy()
    result.info.pop(SIGMA, None)
    if calculator.has_sigma:
        result.info[SIGMA] = calculator.get_property(SIGMA, atoms)
    names = ["energy", "forces", "stress"] if atoms.pbc.all() else ["energy", "forces"]
    result.calc = SinglePointCalculator(result, **{name: calculator.get_property(name, atoms) for name in names})
    return result


def results_of(atoms: Atoms) -> dict[str, Any]:
    """What `with_results` gave a structure, as JSON holds it: eV, eV/Angstrom and, of the stress, the largest component
    by size in eV/Angstrom^3; None where there is no stress, and for SIGMA where there is no uncertainty.
    """
    from numpy import abs as sizes
    from numpy.linalg import norm

    energy = float(atoms.get_potential_energy())
    sigma = atoms.info.get(SIGMA)
    return {
        "formula": atoms.get_chemical_formula(empirical=False),
        "atoms": len(atoms),
        "energy": energy,
        "energy_per_atom": energy / len(atoms),
        "largest_force": float(norm(atoms.get_forces(), axis=1).max()),
        "largest_stress": float(sizes(atoms.get_stress()).max()) if atoms.pbc.all() else None,
        SIGMA: None if sigma is None else float(sigma),
    }
