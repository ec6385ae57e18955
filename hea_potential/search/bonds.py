"""Bond lengths, read off the pair style: what makes starts and moves independent of its units and elements."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations_with_replacement
from typing import Any

import numpy as np

from hea_potential.lammps_instance import abandon, one_line
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Floats
from hea_potential.search.instance import create_atoms, instance, run
from hea_potential.search.pair import Pair, PairError

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(8.0)  # with edges of length 1
EDGES = np.geomspace(0.8, 8.0, 70)  # of those that are tried


def probe_bonds(composition: Composition, pair: Pair) -> Floats:
    """Bond lengths of every two elements, read off the pair style: the edge at which a tetrahedron of the two has the
    lowest energy.

    Returns (S, S) in the pair style's length unit. Raises PairError where LAMMPS refuses the pair style or nothing
    binds.
    """
    kinds = len(composition.symbols)
    bonds = np.zeros((kinds, kinds))
    tetrahedra = Tetrahedra(composition, pair)
    for first, second in combinations_with_replacement(range(kinds), 2):
        energies = tetrahedra.energies(first, second, EDGES)
        best, least = int(np.argmin(energies)), int(np.argmax(energies < np.inf))
        if best in (least, len(EDGES) - 1) or not energies[best] < energies[-1]:
            tetrahedra.close()
            pairing = "-".join((composition.symbols[first], composition.symbols[second]))
            raise PairError(
                f"the pair style does not bind {pairing}: a tetrahedron with edges from {EDGES[least]:.3g} to "
                f"{EDGES[-1]:.3g} has its lowest energy, {energies[best]:.6g}, at {EDGES[best]:.3g}"
            )
        bonds[first, second] = bonds[second, first] = EDGES[best]
    tetrahedra.close()
    return bonds


def bond_energy(composition: Composition, pair: Pair, bonds: Floats) -> float:
    """Energy of a bond in the pair style's unit: a sixth of what a tetrahedron gains over its atoms four bonds apart,
    mean over every two types. Raises PairError where LAMMPS refuses the pair style.
    """
    tetrahedra = Tetrahedra(composition, pair)
    gains = []
    for first, second in combinations_with_replacement(range(len(composition.symbols)), 2):
        together, apart = tetrahedra.energies(first, second, bonds[first, second] * np.array([1.0, 4.0]))
        gains.append(apart - together)
    tetrahedra.close()
    return float(np.mean(gains)) / 6.0


@lru_cache(maxsize=1000)
def bonds_of(symbols: tuple[str, ...], pair: Pair) -> tuple[tuple[float, ...], ...]:
    """Bond lengths of every two elements, read off the pair style once, whatever the numbers of atoms."""
    one_of_each = Composition(symbols, (1,) * len(symbols))
    bonds = probe_bonds(one_of_each, pair.without_kappa(one_of_each))
    return tuple(tuple(float(bond) for bond in row) for row in bonds)


@lru_cache(maxsize=1000)
def bond_force(symbols: tuple[str, ...], pair: Pair) -> float:
    """The force that a bond amounts to in the pair style's unit: its energy over its length, which are means over every
    two elements. Raises PairError as `probe_bonds`.
    """
    one_of_each = Composition(symbols, (1,) * len(symbols))
    bonds = np.array(bonds_of(symbols, pair))
    return bond_energy(one_of_each, pair.without_kappa(one_of_each), bonds) / float(bonds.mean())


class Tetrahedra:
    """Tetrahedra of two atoms of each of two types, and an instance of LAMMPS that says their energies."""

    def __init__(self, composition: Composition, pair: Pair) -> None:
        self.composition = composition
        self.pair = pair
        self.begin()

    def begin(self) -> None:
        """Begin an instance without atoms."""
        self.engine = instance(self.composition, self.pair, reach=40.0)
        run(self.engine, "neighbor 1.0 nsq", "timer off", "thermo_modify lost error norm no")

    def energies(self, first: int, second: int, edges: Floats) -> Floats:
        """Energies of those with these ascending edges, shape (edges,): infinite from where on LAMMPS refuses atoms as
        close as that, as a table does below its inner cutoff. Raises PairError where it refuses all.
        """
        found = np.full(len(edges), np.inf)
        try:
            run(self.engine, "delete_atoms group all compress yes")
            create_atoms(self.engine, np.array([first, first, second, second]), TETRAHEDRON * edges[-1])
            for place in reversed(range(len(edges))):
                found[place] = edge_energy(self.engine, TETRAHEDRON * edges[place])
        except Exception as error:  # LAMMPS raises plain Exception for everything
            if not np.isfinite(found[-1]):
                abandon(self.engine)
                raise PairError(f"LAMMPS fails with this pair style: {one_line(error)}") from error
            self.close()
            self.begin()
        return found

    def close(self) -> None:
        """End the instance."""
        self.engine.close()


def edge_energy(engine: Any, corners: Floats) -> float:
    """Energy of the atoms of an instance at given positions."""
    engine.numpy.extract_atom("x")[:] = corners
    engine.command("run 0 post no")
    return float(engine.get_thermo("pe"))
