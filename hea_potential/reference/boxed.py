"""Clusters and slabs for calculators that know only boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes


def in_a_box(atoms: Atoms, vacuum: float, *, periodic: bool) -> Atoms:
    """A copy with at least `vacuum` Angstrom between the atoms and each side of the cell that is not periodic.

    Cell vectors of directions that are not periodic are made anew, at right angles to the others. `periodic` makes the
    copy periodic in all directions.
    """
    boxed = atoms.copy()
    free = np.flatnonzero(~boxed.pbc)
    if len(free):
        boxed.cell[free] = 0.0
        boxed.cell = boxed.cell.complete()
        boxed.center(vacuum=vacuum, axis=free.tolist())
    if periodic:
        boxed.pbc = True
    return boxed


class Boxed(Calculator):
    """Another calculator, that sees every structure in a box; no stress unless the structure itself is periodic.

    Results are `energy` (that of which the forces are the gradient, where the other calculator tells two), `forces`
    and, for structures that are periodic in three directions, `stress`.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "forces", "stress"]

    def __init__(self, calculator: Any, vacuum: float, *, periodic: bool) -> None:
        super().__init__()
        self.calculator, self.vacuum, self.periodic = calculator, vacuum, periodic

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill `results`. Raises whatever the other calculator raises."""
        super().calculate(atoms, properties, system_changes)
        boxed = in_a_box(self.atoms, self.vacuum, periodic=self.periodic)
        boxed.calc = self.calculator
        consistent = "free_energy" in self.calculator.implemented_properties
        energy = boxed.get_potential_energy(force_consistent=consistent)
        self.results = {"energy": float(energy), "forces": boxed.get_forces()}
        if self.atoms.pbc.all() and "stress" in properties:
            self.results["stress"] = boxed.get_stress()
