"""LAMMPS instances of one process: built with a box and a pair style, abandoned after errors."""

from __future__ import annotations

from typing import Any

from ase.data import atomic_masses, atomic_numbers

from hea_potential.lammps_instance import abandon, command, new_instance, one_line
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Floats, Integers
from hea_potential.search.pair import Pair, PairError, RefusedLineError


def instance(composition: Composition, pair: Pair, reach: float) -> Any:
    """A LAMMPS instance of this process alone, with a box from -reach to reach and no atoms. Errors name the line at
    fault.
    """
    kinds = len(composition.symbols)
    engine = new_instance()
    masses = [
        f"mass {kind + 1} {atomic_masses[atomic_numbers[symbol]]}" for kind, symbol in enumerate(composition.symbols)
    ]
    run(
        engine,
        f"units {pair.units}",
        "atom_style atomic",
        "atom_modify map array sort 0 0.0",
        "newton on",
        "boundary f f f",
        f"region box block {-reach} {reach} {-reach} {reach} {-reach} {reach}",
        f"create_box {kinds} box",
        *masses,
    )
    for line in pair.lines:
        try:
            command(engine, line)
        except Exception as error:
            abandon(engine)
            raise RefusedLineError(f"LAMMPS refuses the line {line!r}: {one_line(error)}") from error
    return engine


def run(engine: Any, *lines: str) -> None:
    """Give LAMMPS its commands."""
    for line in lines:
        engine.command(line)


def create_atoms(engine: Any, types: Integers, positions: Floats) -> None:
    """Add atoms to the box, numbered from 1."""
    size = len(types)
    kinds = [int(kind) + 1 for kind in types]
    if engine.create_atoms(size, list(range(1, size + 1)), kinds, positions.ravel().tolist()) != size:
        raise PairError(f"LAMMPS created other than {size} atoms")
