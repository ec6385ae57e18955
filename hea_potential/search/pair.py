"""Pair styles as a search takes them: LAMMPS input lines, the shipped potential or any other."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from hea_potential.errors import HEAError, InputError
from hea_potential.model_file import find_model
from hea_potential.search.composition import Composition

UNITS = {"metal": "eV", "real": "kcal/mol", "lj": "epsilon", "electron": "Ha"}


class PairError(HEAError):
    """Lines of a pair style that LAMMPS refuses, or a pair style that does not bind the elements."""


@dataclass(frozen=True)
class Pair:
    """The LAMMPS lines of a pair style, for atom types in the order of the composition, and their unit system."""

    lines: tuple[str, ...]
    units: str = "metal"
    model: str | None = None  # path of the model file, for the pair style `hea`
    kappa: float = 0.0  # the energy is E - kappa sigma, for the pair style `hea`

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
        return Pair((style, coefficients), model=str(path), kappa=kappa)

    @staticmethod
    def of_file(path: Path, composition: Composition) -> Pair:
        """LAMMPS lines from a file; `{elements}` stands for the elements in order, and a line `units` chooses the
        units.
        """
        try:
            text = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise InputError(f"pair file {str(path)!r}: cannot be read: {error}") from error
        lines = [line.split("#")[0].strip() for line in text.replace("&\n", " ").splitlines()]
        units = "metal"
        kept = []
        for line in filter(None, lines):
            command, *words = line.split()
            if command == "units":
                units = words[0] if words else ""
            else:
                kept.append(line.replace("{elements}", " ".join(composition.symbols)))
        if units not in UNITS:
            raise InputError(f"pair file {str(path)!r}: units {units!r}; allowed: {', '.join(UNITS)}")
        if not any(line.startswith("pair_style") for line in kept):
            raise InputError(f"pair file {str(path)!r}: has no line pair_style; it holds {len(kept)} LAMMPS lines")
        return Pair(tuple(kept), units)

    def without_kappa(self, composition: Composition) -> Pair:
        """The pair style whose energy is E alone: what bonds are, the error estimate has no say in."""
        return self if self.model is None or not self.kappa else Pair.of_model(self.model, composition)

    @property
    def energy_unit(self) -> str:
        """The name of the unit of energy."""
        return UNITS[self.units]
