"""One labelled structure of a data set, rounded to what is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms

from hea_potential.errors import InputError

__all__ = ["FORCE_DECIMALS", "POSITION_DECIMALS", "Frame", "rounded"]

# Decimals kept in A, eV, eV/A and eV/A^3: below the noise of single-precision references, and they pack well.
POSITION_DECIMALS, ENERGY_DECIMALS, FORCE_DECIMALS, STRESS_DECIMALS = 6, 6, 5, 7


@dataclass(frozen=True)
class Frame:
    """One labelled structure: arrays as in the table of `hea_potential.dataset`, for one k."""

    name: str
    kind: str
    group: str
    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    energy: float
    forces: np.ndarray
    stress: np.ndarray

    def __post_init__(self) -> None:
        """Refuse what is not finite, naming the structure."""
        for what in ("positions", "cell", "energy", "forces"):
            if not np.all(np.isfinite(getattr(self, what))):
                raise InputError(f"structure {self.name!r}: {what} must be finite, got NaN or infinity")
        if self.pbc.all() and not np.all(np.isfinite(self.stress)):
            raise InputError(f"structure {self.name!r}: the stress of a periodic structure must be finite")
        if len(self.numbers) == 0:
            raise InputError(f"structure {self.name!r} has no atoms; at least one is needed")

    @classmethod
    def from_results(cls, atoms: Atoms, name: str, kind: str, group: str, results: dict[str, Any]) -> Frame:
        """A frame from ASE atoms and the `energy`, `forces` and (when periodic) `stress` of a calculator, rounded."""
        periodic = bool(atoms.pbc.all())
        stress = rounded(results["stress"], STRESS_DECIMALS) if periodic else np.full(6, np.nan)
        return cls(
            name=name,
            kind=kind,
            group=group,
            numbers=atoms.numbers.astype(np.uint8),
            positions=rounded(atoms.positions, POSITION_DECIMALS),
            cell=rounded(atoms.cell.array, POSITION_DECIMALS),
            pbc=atoms.pbc.copy(),
            energy=float(rounded(results["energy"], ENERGY_DECIMALS)),
            forces=rounded(results["forces"], FORCE_DECIMALS),
            stress=stress,
        )


def rounded(values: Any, decimals: int) -> np.ndarray:
    """Values in double precision, rounded there: the result does not depend on the precision they came in."""
    return np.round(np.asarray(values, dtype=np.float64), decimals)
