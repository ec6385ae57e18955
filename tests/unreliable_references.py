"""References that fail, each in its own way, and structures to label with them."""

import os

import numpy as np
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT


def structures(count: int) -> list[Atoms]:
    rng = np.random.default_rng(4)
    made = []
    for k in range(count):
        atoms = bulk("Cu", cubic=True) if k % 2 else Atoms("AuAg", positions=[[0, 0, 0], [0, 0, 2.6]])
        atoms.positions = np.round(atoms.positions + rng.normal(0.0, 0.03, atoms.positions.shape), 6)
        atoms.info = {"name": f"s{k}", "kind": "test", "group": f"g{k // 2}"}
        made.append(atoms)
    return made


def dimers(count: int) -> list[Atoms]:
    """Dimers d0, d1, ... whose places tell what Careless does with them."""
    return [Atoms("Cu2", positions=[[k, 0, 0], [k, 0, 2.2 + 0.01 * k]], info={"name": f"d{k}"}) for k in range(count)]


class Unreliable(Calculator):
    """NaN forces for silver, an exception for palladium, an exception the first time for platinum, EMT for the rest."""

    implemented_properties = ("energy", "forces", "stress")
    failures = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if "Pd" in atoms.symbols:
            raise RuntimeError("did not converge")
        if "Pt" in atoms.symbols and Unreliable.failures == 0:
            Unreliable.failures += 1
            raise RuntimeError("the first time is the hardest")
        plain = atoms.copy()
        plain.calc = EMT()
        self.results = {"energy": plain.get_potential_energy(), "forces": plain.get_forces()}
        if "Ag" in atoms.symbols:
            self.results["forces"][0, 0] = np.nan


class Careless(Calculator):
    """EMT, but of five structures, told apart by the first atom's x, one raises and one gives NaN."""

    implemented_properties = ("energy", "forces")
    fatal = False

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        place = round(atoms.positions[0, 0]) % 5
        if place == 1:
            raise RuntimeError("did not converge")
        if place == 2 and self.fatal:
            os._exit(1)
        plain = atoms.copy()
        plain.calc = EMT()
        self.results = {"energy": plain.get_potential_energy(), "forces": plain.get_forces()}
        if place == 3:
            self.results["energy"] = np.nan


class Deadly(Careless):
    """Besides, one structure in five ends its process, as a crash of a compiled reference does."""

    fatal = True


class DeadlyAt32(EMT):
    """EMT that ends its process for the structure whose first atom is at x = 32 A."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        if atoms is not None and atoms.positions[0, 0] == 32.0:
            os._exit(1)
        super().calculate(atoms, properties, system_changes)


class Interrupted(EMT):
    """EMT until somebody presses Ctrl-C, which is when the structure's first atom is at x = 5 A."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        if atoms is not None and atoms.positions[0, 0] == 5.0:
            raise KeyboardInterrupt
        super().calculate(atoms, properties, system_changes)


class Fatal(Calculator):
    """Ends its process whatever the structure."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        os._exit(1)


def unusable():
    raise RuntimeError("no weights")
