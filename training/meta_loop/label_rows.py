"""What labels say of a model's last layer: energies and forces are linear in its weights.

For weights w (`head.out`, W = S*D numbers) E = f . w + E' and F = J w + F', where E' and F' (isolated atoms and ZBL) do
not depend on w, f are the last-layer features summed by element and J = -df/dr. The engine gives J by evaluating with
unit vectors instead of w. So a label is 1 + 3N rows of a linear regression, and many labels are the sums of their
products.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from hea_potential.engine import Model, Potential
from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile
from hea_potential.neighbours import NeighbourList

__all__ = ["Evaluator", "LabelSums", "sums_of"]

Floats = NDArray[np.float64]

LARGE_FORCE = 1.0  # eV/A: structures with larger forces (root mean square) count less, a search never comes back there


class Evaluator:
    """The engine, asked for what the weights of a model's last layer do."""

    def __init__(self, model: ModelFile) -> None:
        self.elements = model.elements
        self.width = model.tensors["head.out"].size
        self.hidden = int(model.metadata["n_hidden"])
        self.potential = Potential(Model(model.to_bytes()), list(range(len(model.elements))), "double")

    def structure(self, atoms: Atoms) -> tuple[NDArray[np.int32], NDArray[np.int64], NDArray[np.int32], Floats]:
        """Types and half edges as the engine takes them. Raises InputError for an element that the model lacks."""
        if absent := sorted(set(atoms.symbols) - set(self.elements)):
            raise InputError(f"elements: got {', '.join(absent)}; the model knows {', '.join(self.elements)}")
        neighbours = NeighbourList(self.potential.cutoff, skin=0.0)
        vectors = neighbours.vectors(atoms.positions, atoms.cell.array, atoms.pbc)
        types = np.array([self.elements.index(symbol) for symbol in atoms.symbols], dtype=np.int32)
        return types, neighbours.first, neighbours.neighbour, vectors

    def derivatives(self, atoms: Atoms) -> tuple[Floats, Floats, float, Floats]:
        """f [W], J [3N, W] (1/A), E' (eV) and F' [3N] (eV/A) of a structure; InputError as `structure`."""
        structure = self.structure(atoms)
        rest = self.potential.evaluate(*structure, last_layer=np.zeros(self.width), features=True)
        jacobian = np.zeros((3 * len(atoms), self.width))
        for weight in self.weights(structure[0]):
            forces = self.potential.evaluate(*structure, last_layer=self.unit(weight))["forces"]
            jacobian[:, weight] = (forces - rest["forces"]).ravel()
        return rest["features"], jacobian, rest["energy"], rest["forces"].ravel()

    def atom_features(self, atoms: Atoms) -> tuple[NDArray[np.int32], Floats]:
        """Types [N] and last-layer features [N, D] of the atoms; InputError as `structure`."""
        structure = self.structure(atoms)
        rest = self.potential.evaluate(*structure, last_layer=np.zeros(self.width), forces=False)["energies"]
        features = np.zeros((len(atoms), self.hidden))
        for weight in self.weights(structure[0]):
            energies = self.potential.evaluate(*structure, last_layer=self.unit(weight), forces=False)["energies"]
            features[:, weight % self.hidden] += energies - rest
        return structure[0], features

    def weights(self, types: NDArray[np.int32]) -> list[int]:
        """The weights of the elements that occur."""
        return [element * self.hidden + k for element in np.unique(types).tolist() for k in range(self.hidden)]

    def unit(self, weight: int) -> Floats:
        """All weights zero but one."""
        unit = np.zeros(self.width)
        unit[weight] = 1.0
        return unit


@dataclass(frozen=True)
class LabelSums:
    """Sums over the rows X [n, W] and targets y [n] of labels: X^T X, X^T y, y^T y, n and the labels' names.

    A row of an energy is divided by the root of the number of atoms, as in a loss of errors an atom; what is left is
    in eV/A. Targets are what is missing to the label with the weights that the model has.
    """

    matrix: Floats
    vector: Floats
    square: float
    count: int
    names: tuple[str, ...] = ()

    @staticmethod
    def empty(width: int) -> LabelSums:
        """No labels."""
        return LabelSums(np.zeros((width, width)), np.zeros(width), 0.0, 0)


def sums_of(model: ModelFile, labelled: Iterable[Atoms], before: LabelSums | None = None) -> LabelSums:
    """The sums of structures whose calculators hold energies (eV) and forces (eV/A), added to those before;
    `info["name"]` tells them apart, and those that are in the sums are not added again. A structure counts by
    1 / (1 + F^2 / LARGE_FORCE^2), F the root mean square of its forces. InputError for an element the model lacks.
    """
    weights = model.tensors["head.out"].astype(np.float64).ravel()
    sums = before or LabelSums.empty(len(weights))
    evaluate = Evaluator(model)
    for atoms in labelled:
        name = str(atoms.info["name"])
        if name in sums.names:
            continue
        features, jacobian, energy, forces = evaluate.derivatives(atoms)
        labels = atoms.get_forces(apply_constraint=False).ravel()
        root = np.sqrt(len(atoms))
        rows = np.concatenate([features[None] / root, jacobian])
        rest = np.concatenate([[(atoms.get_potential_energy(apply_constraint=False) - energy) / root], labels - forces])
        target = rest - rows @ weights
        share = 1.0 / (1.0 + (labels**2).mean() / LARGE_FORCE**2)
        sums = LabelSums(
            sums.matrix + share * rows.T @ rows,
            sums.vector + share * rows.T @ target,
            sums.square + share * float(target @ target),
            sums.count + len(target),
            (*sums.names, name),
        )
    return sums
