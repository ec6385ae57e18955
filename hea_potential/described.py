"""What a model says of many structures: energies, sigma, forces and last-layer features, by the engine.

The features f of a structure are those of its atoms' last layers summed by element (ARCHITECTURE.md, section 2): S * D
numbers, of which the energy is a linear function, E = e0 + w . f + ZBL. So they are what a closed-form update of the
last layer, the uncertainty and the choice of structures that teach the most need.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from ase import Atoms
from ase.data import chemical_symbols
from numpy.typing import NDArray
from scipy.linalg import solve_triangular

from hea_potential.engine import Model, ModelError, Potential
from hea_potential.errors import InputError, ModelFileError
from hea_potential.model_file import find_model, read_model_file
from hea_potential.neighbours import NeighbourList

__all__ = ["Described", "describe", "in_units_of_sigma"]

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Described:
    """What a model says of n structures.

    Attributes:
        energies: (n,), eV.
        sigmas: (n,), eV, the estimated standard deviations of the energies; NaN if the model has no uncertainty.
        features: (n, S * D), last-layer features summed by element, elements in the model's order.
        forces: an array (n_atoms, 3) for each structure, eV/A.
    """

    energies: Floats
    sigmas: Floats
    features: Floats
    forces: tuple[Floats, ...]

    @property
    def largest_forces(self) -> Floats:
        """(n,), eV/A: the length of the largest force on an atom of each structure."""
        return np.array([np.sqrt((forces**2).sum(axis=1).max()) for forces in self.forces])


def describe(
    structures: Sequence[Atoms],
    model: str | os.PathLike[str] = "hea6",
    *,
    precision: Literal["double", "single"] = "double",
) -> Described:
    """Evaluate a model, given by its name or path, on structures of any size, free or periodic.

    Raises ModelFileError for a model that is not there or damaged; InputError for a structure without atoms, with an
    element that the model lacks, with positions that are not finite or with overlapping atoms: it is named.
    """
    path = find_model(model)
    try:
        read = Model(path.read_bytes())
    except (OSError, ModelError) as error:
        raise ModelFileError(f"model file {path}: {error}") from error
    potential = Potential(read, list(range(len(read.elements))), precision)
    type_of = np.full(len(chemical_symbols), -1, dtype=np.int32)
    type_of[read.atomic_numbers] = range(len(read.elements))
    found = []
    for number, atoms in enumerate(structures):
        try:
            found.append(evaluated(atoms, potential, type_of, read.has_sigma))
        except ValueError as error:  # the engine's, or an InputError from here
            name = atoms.info.get("name", f"number {number}")
            raise InputError(f"structure {name} ({atoms.symbols}), model {model}: {error}") from error
    return Described(
        np.array([each["energy"] for each in found]),
        np.array([each.get("sigma", np.nan) for each in found]),
        np.array([each["features"] for each in found]).reshape(len(found), len(read.elements) * read.n_hidden),
        tuple(each["forces"] for each in found),
    )


def evaluated(atoms: Atoms, potential: Potential, type_of: NDArray[np.int32], sigma: bool) -> dict[str, Any]:
    """The engine's results for one structure. Raises ValueError."""
    if len(atoms) == 0:
        raise InputError("has no atoms; allowed is 1 or more")
    types = type_of[atoms.numbers]
    if (types < 0).any():
        lacking = sorted({chemical_symbols[z] for z in atoms.numbers[types < 0]})
        known = [chemical_symbols[z] for z in np.flatnonzero(type_of >= 0)]
        raise InputError(f"has {', '.join(lacking)}; the model knows {', '.join(known)}")
    neighbours = NeighbourList(potential.cutoff, skin=0.0)
    vectors = neighbours.vectors(atoms.positions, atoms.cell.array, atoms.pbc)
    return potential.evaluate(
        types, neighbours.first, neighbours.neighbour, vectors, sigma=sigma, forces=True, features=True
    )


def in_units_of_sigma(features: Floats, model: str | os.PathLike[str] = "hea6") -> Floats:
    """Features (n, S * D) in coordinates x whose lengths are in eV: |x| is a structure's sigma.

    x = c L^-1 f with L L^T = Gram + lambda, so that |x|^2 = c^2 f^T (Gram + lambda)^-1 f (Bigi et al. 2024). The
    distance of two structures, |x - y|, is the standard deviation that the model estimates for the difference of their
    energies.

    Raises InputError for a model without uncertainty, or features of another width.
    """
    read = read_model_file(model)
    if not read.has_sigma:
        raise InputError(f"model {model}: has no uncertainty, by which structures are told apart; train it with one")
    gram, sigma = read.tensors["gram"].astype(np.float64), read.metadata["sigma"]
    if features.ndim != 2 or features.shape[1] != len(gram):
        raise InputError(f"features: got shape {features.shape}; those of model {model} are (n, {len(gram)})")
    factor = np.linalg.cholesky(gram + float(sigma["ridge"]) * np.eye(len(gram)))
    return float(sigma["scale"]) * solve_triangular(factor, features.T, lower=True).T
