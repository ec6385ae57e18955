"""Files of LAMMPS lines that describe a pair style: the form in which any potential of LAMMPS is named here.

units metal                                       # optional; metal by default
pair_style eam/alloy
pair_coeff * * CuNi.eam.alloy {elements}          # {elements}: chemical symbols in the order of the atom types
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hea_potential.errors import InputError

__all__ = ["UNITS", "PairFile", "read_pair_file"]

UNITS = {"metal": "eV", "real": "kcal/mol", "lj": "epsilon", "electron": "Ha"}  # unit system: unit of energy
ELEMENTS = "{elements}"
CONTINUED = re.compile(r"&[ \t]*\n")
COMMAND = re.compile(r"""(?:[^#"']|"[^"]*"|'[^']*'|["'])*""")  # what stands before a comment; # may stand in quotes


@dataclass(frozen=True)
class PairFile:
    """The lines of a file without comments and without `units`, `{elements}` still in place, and the unit system."""

    lines: tuple[str, ...]
    units: str = "metal"

    def of_elements(self, symbols: Sequence[str]) -> tuple[str, ...]:
        """The lines for atom types that are these elements."""
        return tuple(line.replace(ELEMENTS, " ".join(symbols)) for line in self.lines)


def read_pair_file(path: Path) -> PairFile:
    """Read a file of LAMMPS lines. Raises InputError if it cannot be read, has no pair style, strange units, or a
    command that would end LAMMPS, and this program with it without a word, or leave it without a box.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")  # some editors begin a file with a byte order mark
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"pair file {str(path)!r}: cannot be read: {error}") from error
    lines = [COMMAND.findall(line)[0].strip() for line in CONTINUED.sub(" ", text).splitlines()]
    units = "metal"
    kept = []
    for line in filter(None, lines):
        command, *words = line.split()
        if command in ("quit", "clear"):
            raise InputError(f"pair file {str(path)!r}: has the command {command}; allowed are those of a pair style")
        if command == "units":
            units = words[0] if words else ""
        else:
            kept.append(line)
    if units not in UNITS:
        raise InputError(f"pair file {str(path)!r}: units {units!r}; allowed: {', '.join(UNITS)}")
    if not any(line.startswith("pair_style") for line in kept):
        raise InputError(f"pair file {str(path)!r}: has no line pair_style; it holds {len(kept)} LAMMPS lines")
    return PairFile(tuple(kept), units)
