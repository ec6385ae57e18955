"""The one file of structures and numbers that every backend is checked against; `generate.py` writes it.

Every number is eV, A, eV/A in float64, computed by `plain_model.py` from the equations of ARCHITECTURE.md.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
MODEL = FOLDER / "model.safetensors"
STRUCTURES = FOLDER / "structures.json"

# How far the backends may differ: energy per atom in eV, forces in eV/A.
ENERGY_FP64, FORCE_FP64 = 1e-9, 1e-8
ENERGY_FP32, FORCE_FP32 = 1e-5, 1e-4


@dataclass(frozen=True)
class Case:
    """One structure and what the reference model says about it."""

    name: str
    atoms: Atoms
    energy: float
    energies: NDArray[np.float64]  # [n], sum to energy
    forces: NDArray[np.float64]  # [n, 3]
    virial: NDArray[np.float64]  # [6] xx yy zz xy xz yz, -dE/dstrain
    sigma: float
    sigma_gradient: NDArray[np.float64]  # [n, 3], dsigma/dx
    beyond: NDArray[np.bool_]  # [n], has a neighbour closer than the pair's smallest training distance

    def __str__(self) -> str:
        return self.name


def load_cases() -> list[Case]:
    """Every case of the file, in its order."""
    return [
        Case(
            name=entry["name"],
            atoms=Atoms(entry["symbols"], positions=entry["positions"], cell=entry["cell"], pbc=entry["pbc"]),
            energy=entry["energy"],
            energies=np.array(entry["energies"]),
            forces=np.array(entry["forces"]),
            virial=np.array(entry["virial"]),
            sigma=entry["sigma"],
            sigma_gradient=np.array(entry["sigma_gradient"]),
            beyond=np.array(entry["beyond"], dtype=bool),
        )
        for entry in json.loads(STRUCTURES.read_text())
    ]
