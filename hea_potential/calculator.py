"""HEACalculator: the potential as an ASE calculator. It converts arrays for the engine and computes nothing itself."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import numpy as np
from ase import Atoms
from ase.calculators.calculator import BaseCalculator, PropertyNotImplementedError, all_changes
from ase.data import chemical_symbols
from numpy.typing import NDArray

from hea_potential.engine import Model, ModelError, Potential
from hea_potential.errors import InputError, ModelFileError
from hea_potential.model_file import find_model
from hea_potential.neighbours import NeighbourList

__all__ = ["HEACalculator"]

PRECISIONS = ("double", "single")
FROM_ENGINE_ORDER = [0, 1, 2, 5, 4, 3]  # xx yy zz xy xz yz of the engine to xx yy zz yz xz xy of ASE


class HEACalculator(BaseCalculator):
    """Stratified SchNet potential for high-entropy alloys.

        atoms.calc = HEACalculator()                                  # the shipped six-element model
        atoms.calc = HEACalculator("my.safetensors", kappa=2.0)

    Properties, in eV and Angstrom, with ASE's signs and orders:

    - `energy`, `free_energy`: E - kappa sigma; `forces` [n, 3]: its negative gradient.
    - `stress` [6]: for structures that are periodic in all three directions; of E - kappa sigma as well.
    - `energies` [n]: of the atoms, without sigma; they sum to E. An isolated atom has the reference method's energy.
    - `stresses` [n, 6]: of the atoms, each pair shared by halves, divided by the cell's volume; they sum to `stress`.
    - `energy_std`: sigma, the estimated standard deviation of E (last-layer prediction rigidity).

    One calculator may serve many structures in turn: different elements, numbers of atoms, cells. It can be copied and
    pickled, and carries its model with it.
    """

    implemented_properties: ClassVar[list[str]] = [
        "energy",
        "free_energy",
        "forces",
        "stress",
        "energies",
        "stresses",
        "energy_std",
    ]

    def __init__(
        self,
        model: str | os.PathLike[str] = "hea6",
        *,
        kappa: float = 0.0,
        precision: Literal["double", "single"] = "double",
        skin: float = 0.5,
    ) -> None:
        """Load a model.

        Args:
            model: name of a shipped model, or path of a model file.
            kappa: weight of the uncertainty in energy and forces. Above zero relaxes to what is likely low in energy or
                unknown, as an active search wants it; 0 is the potential itself.
            precision: arithmetic of the engine. "double" by default: phonons, saddle points and relaxations to small
                forces need smooth energies, and at ASE's speed it costs little. "single" is good to 1e-5 eV/atom and
                1e-4 eV/Angstrom, enough for molecular dynamics.
            skin: in Angstrom; neighbours are searched anew when an atom has moved by half of it.

        Raises:
            ModelFileError: the model is not there, damaged or of another version.
            InputError: an argument out of range, or kappa for a model without uncertainty.
        """
        super().__init__(use_cache=False)  # check_state below compares faster
        if precision not in PRECISIONS:
            raise InputError(f"precision: got {precision!r}; allowed are {', '.join(PRECISIONS)}")
        if not 0.0 <= skin < np.inf:
            raise InputError(f"skin: got {skin!r}; allowed is 0 Angstrom or more")
        path = find_model(model)
        self.precision = precision
        self.skin = float(skin)
        self.source = str(model)
        try:
            self._content = path.read_bytes()
        except OSError as error:
            raise ModelFileError(f"model file {path}: {error.strerror}; allowed is a readable file") from error
        self._build()
        self.kappa = kappa

    def _build(self) -> None:
        """Make the engine's objects from the bytes of the model file."""
        try:
            self._model = Model(self._content)
        except ModelError as error:
            raise ModelFileError(f"model file {self.source}: {error}") from error
        elements = list(range(len(self._model.elements)))
        self._potential = Potential(self._model, elements, self.precision)
        self._type_of = np.full(len(chemical_symbols), -1, dtype=np.int32)
        self._type_of[self._model.atomic_numbers] = elements
        self._numbers = np.zeros(0, dtype=int)
        self._types = np.zeros(0, dtype=np.int32)
        self._neighbours = NeighbourList(self.cutoff, self.skin)

    def __getstate__(self) -> dict[str, Any]:
        """Return what a copy is made from: the model's bytes instead of the engine's objects."""
        engine_objects = ("_model", "_potential", "_type_of", "_numbers", "_types", "_neighbours")
        return {key: value for key, value in self.__dict__.items() if key not in engine_objects}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._build()

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols that the model knows."""
        return tuple(self._model.elements)

    @property
    def cutoff(self) -> float:
        """Cutoff radius in Angstrom."""
        return float(self._model.cutoff)

    @property
    def has_sigma(self) -> bool:
        """Whether the model estimates its uncertainty."""
        return bool(self._model.has_sigma)

    @property
    def kappa(self) -> float:
        """Weight of the uncertainty in energy, forces and stress; setting it discards what was computed."""
        return self._kappa

    @kappa.setter
    def kappa(self, kappa: float) -> None:
        if not np.isfinite(kappa):
            raise InputError(f"kappa: got {kappa!r}; allowed are finite numbers")
        if kappa != 0.0 and not self.has_sigma:
            raise InputError(f"kappa: got {kappa!r} for {self.source}, which has no uncertainty; allowed is 0")
        self._kappa = float(kappa)
        self.reset()

    def reset(self) -> None:
        """Forget the last structure and its results."""
        self.atoms: Atoms | None = None
        self.results: dict[str, Any] = {}

    def _get_name(self) -> str:
        return "hea"

    def todict(self) -> dict[str, Any]:
        """Return the arguments, as ASE's databases keep them."""
        return {"model": self.source, "kappa": self.kappa, "precision": self.precision, "skin": self.skin}

    def check_state(self, atoms: Atoms, tol: float = 0.0) -> list[str]:
        """Return what has changed since the last calculation, of the things that the energy depends on."""
        last = self.atoms
        if last is None or len(last) != len(atoms):
            return list(all_changes)
        changes = [name for name in ("positions", "numbers") if (last.arrays[name] != atoms.arrays[name]).any()]
        if (last.pbc != atoms.pbc).any():
            changes.append("pbc")
        if (last.cell.array != atoms.cell.array).any():
            changes.append("cell")
        return changes

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill `results` for a structure; ASE calls this when a property is asked for that is not there.

        Raises:
            InputError: no atoms, an element that the model lacks, positions that are not finite, overlapping atoms.
            PropertyNotImplementedError: stress without three periodic directions, energy_std without uncertainty.
        """
        structure: Atoms = self.atoms if atoms is None else atoms
        if structure is None:
            raise InputError("atoms: got none; allowed is a structure")
        self.check_properties(properties, structure.pbc)
        types = self._types_of(structure.numbers)
        vectors = self._neighbours.vectors(structure.positions, structure.cell.array, structure.pbc)
        try:
            found = self._potential.evaluate(
                types,
                self._neighbours.first,
                self._neighbours.neighbour,
                vectors,
                kappa=self._kappa,
                sigma="energy_std" in properties,
                atom_virial="stresses" in properties,
            )
        except ValueError as error:
            raise InputError(str(error)) from error
        if structure is not self.atoms:
            self.atoms = structure.copy()
        energy = found["energy"] - self._kappa * found.get("sigma", 0.0)  # the engine's is plain E
        self.results = {
            "energy": energy,
            "free_energy": energy,
            "forces": found["forces"],
            "energies": found["energies"],
        }
        if structure.pbc.all():
            volume = structure.cell.volume
            self.results["stress"] = -found["virial"][FROM_ENGINE_ORDER] / volume
            if "stresses" in properties:
                self.results["stresses"] = -found["atom_virial"][:, FROM_ENGINE_ORDER] / volume
        if "sigma" in found:
            self.results["energy_std"] = found["sigma"]

    def check_properties(self, properties: Sequence[str], pbc: NDArray[np.bool_]) -> None:
        """Refuse properties that the structure or the model does not have."""
        for name in ("stress", "stresses"):
            if name in properties and not pbc.all():
                raise PropertyNotImplementedError(
                    f"{name}: got pbc {pbc.tolist()}; it is defined where all three directions are periodic"
                )
        if "energy_std" in properties and not self.has_sigma:
            raise PropertyNotImplementedError(f"energy_std: the model {self.source} was made without uncertainty")

    def _types_of(self, numbers: NDArray[np.integer]) -> NDArray[np.int32]:
        """Return the engine's type of each atom."""
        if len(numbers) == len(self._numbers) > 0 and (numbers == self._numbers).all():
            return self._types
        if len(numbers) == 0:
            raise InputError("atoms: got a structure of 0 atoms; allowed is 1 or more")
        unknown = sorted({int(z) for z in np.unique(numbers) if not (0 <= z < 119 and self._type_of[z] >= 0)})
        if unknown:
            got = ", ".join(chemical_symbols[z] if 0 <= z < len(chemical_symbols) else str(z) for z in unknown)
            raise InputError(f"elements: got {got}; the model {self.source} knows {', '.join(self.elements)}")
        self._types = self._type_of[numbers]
        self._numbers = numbers.copy()
        return self._types
