"""The same numbers from a model file in torch and in the engine: checked whenever a model is exported."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from hea_training.model import from_file

from hea_potential import HEACalculator
from hea_potential.dataset import DataSet
from hea_potential.errors import HEAError
from hea_potential.split import Split

__all__ = ["Parity", "ParityError", "check_parity", "parity", "unseen_sample"]

# What the engine may differ by: energy in eV/atom, forces in eV/A; the tests hold the engine to the same.
LIMITS = {"double": (1e-9, 1e-8), "single": (1e-5, 1e-4)}
SAMPLE = 20  # structures on which an exported model is compared
FORCE_SCALE = 30.0  # eV/A; above it, rounding grows with the forces, and so may the difference


class ParityError(HEAError):
    """A model file that the engine evaluates to other numbers than torch: it must not be used."""


@dataclass(frozen=True)
class Parity:
    """Largest differences between the engine and torch in double precision, energies in eV/atom, forces in eV/A; where
    forces exceed FORCE_SCALE, in units of force/FORCE_SCALE.
    """

    structures: int
    double_energy: float
    double_force: float
    single_energy: float
    single_force: float

    def __str__(self) -> str:
        return (
            f"engine against torch on {self.structures} structures, at most: "
            f"double {self.double_energy:.0e} eV/atom, {self.double_force:.0e} eV/A; "
            f"single {self.single_energy:.0e} eV/atom, {self.single_force:.0e} eV/A"
        )

    def as_dict(self) -> dict[str, float]:
        """The numbers by name."""
        return asdict(self)


def parity(path: Path | str, structures: Sequence[Atoms]) -> Parity:
    """Compare a model file (or a shipped model, by name) in the engine and in torch, structure by structure."""
    oracle = from_file(path)
    worst: dict[str, list[float]] = {precision: [0.0, 0.0] for precision in LIMITS}
    expected = [oracle.evaluate(atoms) for atoms in structures]
    for precision, differences in worst.items():
        calculator = HEACalculator(path, precision=precision)  # type: ignore[arg-type]  # its two literals
        for atoms, known in zip(structures, expected, strict=True):
            energy = abs(calculator.get_potential_energy(atoms) - known.energy) / len(atoms)
            forces = np.abs(calculator.get_forces(atoms) - known.forces).max()
            scale = max(1.0, float(np.abs(known.forces).max()) / FORCE_SCALE)
            differences[0] = max(differences[0], float(energy) / scale)
            differences[1] = max(differences[1], float(forces) / scale)
    return Parity(len(structures), *worst["double"], *worst["single"])


def check_parity(path: Path | str, structures: Sequence[Atoms]) -> Parity:
    """Compare, and raise ParityError where a difference exceeds what its precision allows."""
    got = parity(path, structures)
    for precision, (energy, force) in LIMITS.items():
        found = (getattr(got, f"{precision}_energy"), getattr(got, f"{precision}_force"))
        if not (found[0] <= energy and found[1] <= force):
            raise ParityError(
                f"{path}: the engine in {precision} precision differs from torch by {found[0]:.1e} eV/atom and "
                f"{found[1]:.1e} eV/A; allowed are {energy:.0e} and {force:.0e}"
            )
    return got


def unseen_sample(dataset: DataSet, split: Split) -> list[Atoms]:
    """A few structures never trained on, of all sizes, for the parity of an exported model."""
    rows = split.test if len(split.test) else split.train
    by_size = rows[np.argsort(dataset.sizes[rows], kind="stable")]
    chosen = by_size[np.unique(np.linspace(0, len(by_size) - 1, SAMPLE).astype(int))]
    return [dataset.atoms(int(k)) for k in chosen]
