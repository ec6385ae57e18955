"""Pair styles as a search takes them: LAMMPS input lines, the shipped potential or any other."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hea_potential.errors import HEAError, InputError
from hea_potential.lammps_instance import hashes_of_files
from hea_potential.model_file import find_model
from hea_potential.pair_file import UNITS, read_pair_file
from hea_potential.search.composition import Composition

WORD = re.compile(r"""\"[^\"]*\"|'[^']*'|\S+""")


class PairError(HEAError):
    """Lines of a pair style that LAMMPS refuses, or a pair style that does not bind the elements."""


class RefusedLineError(PairError):
    """A line of a pair style that LAMMPS refuses: wrong, or with a file that cannot be read."""


@dataclass(frozen=True)
class Pair:
    """The LAMMPS lines of a pair style, for atom types in the order of the composition, and their unit system."""

    lines: tuple[str, ...]
    units: str = "metal"
    model: str | None = None  # path of the model file, for the pair style `hea`
    kappa: float = 0.0  # the energy is E - kappa sigma, for the pair style `hea`
    files: tuple[tuple[str, str], ...] = ()  # named by the lines, and the SHA-256 of what they hold

    @staticmethod
    def of_model(model: str | Path, composition: Composition, kappa: float = 0.0) -> Pair:
        """The pair style `hea` with a model by its name or path; its energy is E - kappa sigma.

        Raises ModelFileError if there is none of it, InputError for a kappa that is not finite.
        """
        if not math.isfinite(kappa):
            raise InputError(f"kappa: got {kappa}; allowed are finite numbers")
        path = find_model(model).resolve()
        style = f"pair_style hea kappa {kappa!r}" if kappa else "pair_style hea"
        coefficients = f'pair_coeff * * "{path}" {" ".join(composition.symbols)}'
        lines = (style, coefficients)
        return Pair(lines, model=str(path), kappa=kappa, files=files_of(lines))

    @staticmethod
    def of_file(path: Path, composition: Composition) -> Pair:
        """LAMMPS lines from a file; `{elements}` stands for the elements in order, and a line `units` chooses the
        units.
        """
        file = read_pair_file(path)
        lines = file.of_elements(composition.symbols)
        return Pair(lines, file.units, files=files_of(lines))

    def without_kappa(self, composition: Composition) -> Pair:
        """The pair style whose energy is E alone: what bonds are, the error estimate has no say in."""
        return self if self.model is None or not self.kappa else Pair.of_model(self.model, composition)

    @property
    def energy_unit(self) -> str:
        """The name of the unit of energy."""
        return UNITS[self.units]


def files_of(lines: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """The files that LAMMPS lines name, with the SHA-256 of what they hold: a search with other tables is another one,
    whatever their names.
    """
    return tuple(hashes_of_files(word.strip("\"'") for line in lines for word in WORD.findall(line)).items())
