"""Structures in and out of files for the commands: any format that ASE knows, errors as one line."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from hea_potential.complete_file import complete_file
from hea_potential.errors import InputError, OutputError

if TYPE_CHECKING:
    from ase import Atoms

    from hea_potential.calculator import HEACalculator


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
def structure_output(path: Path) -> Iterator[list[Atoms]]:
    """Give a list to append structures to; they are written to `path` if the block succeeds.

    Raises:
        OutputError: before the block, if the folder is not writable or the format is not one that ASE can write; after
            it, if the format cannot hold the structures.
    """
    import ase.io
    from ase.io.formats import UnknownFileTypeError, filetype, ioformats

    try:
        format_name = filetype(str(path), read=False)
    except UnknownFileTypeError:
        format_name = ""
    if format_name not in ioformats:  # ASE takes an unknown ending for a format of that name
        raise OutputError(f"output file: got {path}; allowed are the formats of ASE, such as .extxyz or .traj")
    if not ioformats[format_name].can_write:
        raise OutputError(
            f"output file: got {path} ({format_name}), which ASE only reads; .extxyz and .traj are written"
        )
    with complete_file(path) as temporary:
        frames: list[Atoms] = []
        yield frames
        if len(frames) > 1 and ioformats[format_name].single:
            raise OutputError(f"output file: got {path} for {len(frames)} structures; {format_name} holds one")
        try:
            ase.io.write(temporary, frames, format=format_name)
        except OSError:  # a full disk: `complete_file` says so
            raise
        except Exception as error:  # ASE's writers stumble over structures that their format cannot hold
            reason = " ".join(str(error).split()) or type(error).__name__
            raise OutputError(
                f"output file: ASE cannot write these structures to {path} as {format_name} ({reason}); "
                ".extxyz and .traj hold any"
            ) from error


def with_results(atoms: Atoms, calculator: HEACalculator) -> Atoms:
    """Return a copy that carries energy, forces and stress as ASE keeps them, and `energy_std` in its information."""
    from ase.calculators.singlepoint import SinglePointCalculator

    result = atoms.copy()
    if calculator.has_sigma:
        result.info["energy_std"] = calculator.get_property("energy_std", atoms)
    names = ["energy", "forces", "stress"] if atoms.pbc.all() else ["energy", "forces"]
    result.calc = SinglePointCalculator(result, **{name: calculator.get_property(name, atoms) for name in names})
    return result
