"""What a model says of labelled structures, beside their labels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from ase.data import atomic_numbers, chemical_symbols
from numpy.typing import NDArray

from hea_potential.dataset import DataSet
from hea_potential.described import describe
from hea_potential.model_file import read_model_file

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
Advance = Callable[[int], None]  # told how many structures more are done
AT_ONCE = 50  # structures between two steps of progress


@dataclass(frozen=True)
class Predictions:
    """Of n structures with N atoms in all: `rows` (n,) of the data set, `sizes` (n,), and in eV and eV/A energies (n,)
    and forces (N, 3) as labelled and as predicted, `sigma` (n,; NaN without uncertainty) and the energies `apart` (n,)
    of the model's isolated atoms.
    """

    rows: Integers
    sizes: Integers
    apart: Floats
    labelled_energy: Floats
    energy: Floats
    sigma: Floats
    labelled_forces: Floats
    forces: Floats

    @property
    def errors(self) -> Floats:
        """Predicted less labelled energy of each structure (n,), eV."""
        return self.energy - self.labelled_energy

    @property
    def errors_of_atoms(self) -> Floats:
        """The same for an atom (n,), meV."""
        return 1000.0 * self.errors / self.sizes

    @property
    def force_errors(self) -> Floats:
        """Predicted less labelled components of all forces (3N,), eV/A."""
        return (self.forces - self.labelled_forces).ravel()

    @property
    def force_mae(self) -> Floats:
        """Mean absolute error of the force components of each structure (n,), eV/A."""
        firsts = np.concatenate([[0], np.cumsum(self.sizes)[:-1]])
        return np.add.reduceat(np.abs(self.forces - self.labelled_forces).mean(axis=1), firsts) / self.sizes

    def only(self, chosen: NDArray[np.bool_]) -> Predictions:
        """Those of the chosen structures (n,)."""
        of_atoms = np.repeat(chosen, self.sizes)
        is_force = {"labelled_forces", "forces"}
        return Predictions(
            *(getattr(self, each.name)[of_atoms if each.name in is_force else chosen] for each in fields(self))
        )

    def binding(self, energy: Floats) -> Floats:
        """Energies (n,) against isolated atoms, eV/atom."""
        return (energy - self.apart) / self.sizes


def predict(dataset: DataSet, rows: Integers, model: Path, advance: Advance = lambda done: None) -> Predictions:
    """Evaluate a model on these structures of a data set, of which there must be one.

    Raises ModelFileError for a model that cannot be read, InputError for an element that it does not know.
    """
    document = read_model_file(model)
    alone = np.zeros(len(chemical_symbols))
    alone[[atomic_numbers[symbol] for symbol in document.elements]] = document.tensors["e0"]
    energies, sigmas = [], []
    forces: list[Floats] = []
    for group in np.array_split(rows, -(-len(rows) // AT_ONCE)):
        found = describe([dataset.atoms(row) for row in group.tolist()], model)
        energies.append(found.energies)
        sigmas.append(found.sigmas)
        forces.extend(found.forces)
        advance(len(group))
    chosen = dataset.select(rows)
    return Predictions(
        rows,
        chosen.sizes,
        np.add.reduceat(alone[chosen.numbers], chosen.offsets[:-1]),
        chosen.energy,
        np.concatenate(energies),
        np.concatenate(sigmas),
        chosen.forces,
        np.concatenate(forces),
    )


def sample(rows: Integers, most: int) -> Integers:
    """At most so many of the rows, evenly spread over them."""
    if len(rows) <= most:
        return rows
    return rows[np.linspace(0, len(rows) - 1, most).astype(np.int64)]
