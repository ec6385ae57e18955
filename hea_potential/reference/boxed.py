"""Clusters and slabs for calculators that know only boxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np
from ase import Atoms
from ase.calculators.calculator import Calculator, all_changes


def in_a_box(atoms: Atoms, vacuum: float, *, periodic: bool) -> Atoms:
    """A copy with at least `vacuum` Angstrom between the atoms and each side of the cell that is not periodic, without
    constraints: a calculator's forces are those of all atoms.

    Cell vectors of directions that are not periodic are made anew, at right angles to the others. `periodic` makes the
    copy periodic in all directions.
    """
    boxed = atoms.copy()
    boxed.set_constraint()
    free = np.flatnonzero(~boxed.pbc)
    if len(free):
        boxed.cell[free] = 0.0
        boxed.cell = boxed.cell.complete()
        boxed.center(vacuum=vacuum, axis=free.tolist())
    if periodic:
        boxed.pbc = True
    return boxed


class BoxedCalculator(Calculator):
    """A calculator that evaluates every structure in a box. Its `energy` is the one whose gradient the forces are, so
    `free_energy` is the same; `stress` is there for structures that are periodic in three directions.

    What evaluates is `evaluate`, which others of this class define.
    """

    implemented_properties: ClassVar[list[str]] = ["energy", "free_energy", "forces", "stress"]

    def __init__(self, vacuum: float, *, periodic: bool = False) -> None:
        """`vacuum` (A) and `periodic` as for `in_a_box`."""
        super().__init__()
        self.vacuum, self.periodic = vacuum, periodic

    def evaluate(self, boxed: Atoms, *, with_stress: bool) -> dict[str, Any]:
        """`energy` (eV), `forces` (N, 3) (eV/A) and, if it is asked for, `stress` (6,) (eV/A^3) of a structure in its
        box. Raises whatever it may: labelling takes any error for the outcome of a structure.
        """
        raise NotImplementedError

    def calculate(
        self,
        atoms: Atoms | None = None,
        properties: Sequence[str] = ("energy",),
        system_changes: Sequence[str] = tuple(all_changes),
    ) -> None:
        """Fill `results`. Raises what `evaluate` raises."""
        super().calculate(atoms, properties, system_changes)
        boxed = in_a_box(self.atoms, self.vacuum, periodic=self.periodic)
        results = self.evaluate(boxed, with_stress=bool(self.atoms.pbc.all()))
        self.results = {**results, "free_energy": results["energy"]}


class Boxed(BoxedCalculator):
    """Another calculator, that sees every structure in a box."""

    def __init__(self, calculator: Any, vacuum: float, *, periodic: bool) -> None:
        super().__init__(vacuum, periodic=periodic)
        self.calculator = calculator

    def evaluate(self, boxed: Atoms, *, with_stress: bool) -> dict[str, Any]:
        """What the other calculator says. Raises what that raises."""
        boxed.calc = self.calculator
        consistent = "free_energy" in self.calculator.implemented_properties
        energy = float(boxed.get_potential_energy(force_consistent=consistent))
        results = {"energy": energy, "forces": boxed.get_forces()}
        return results | ({"stress": boxed.get_stress()} if with_stress else {})
