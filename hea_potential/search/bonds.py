"""Bond lengths, read off the pair style: what makes starts and moves independent of its units and elements."""

from __future__ import annotations

from typing import Any

import numpy as np

from hea_potential.lammps_instance import abandon, one_line
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Floats
from hea_potential.search.instance import create_atoms, instance, run
from hea_potential.search.pair import Pair, PairError

TETRAHEDRON = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1]]) / np.sqrt(8.0)  # with edges of length 1


def probe_bonds(composition: Composition, pair: Pair) -> Floats:
    """Bond lengths of every two elements, read off the pair style: the edge at which a tetrahedron of the two has the
    lowest energy.

    Returns (S, S) in the pair style's length unit. Raises PairError where LAMMPS refuses the pair style or nothing
    binds.
    """
    kinds = len(composition.symbols)
    bonds = np.zeros((kinds, kinds))
    edges = np.geomspace(0.8, 8.0, 70)
    engine = instance(composition, pair, reach=40.0)
    try:
        run(engine, "neighbor 1.0 nsq", "timer off", "thermo_modify lost error norm no")
        for first in range(kinds):
            for second in range(first, kinds):
                run(engine, "delete_atoms group all compress yes")
                create_atoms(engine, np.array([first, first, second, second]), TETRAHEDRON * edges[0])
                energies = [edge_energy(engine, TETRAHEDRON * edge) for edge in edges]
                best = int(np.argmin(energies))
                if best in (0, len(edges) - 1) or not energies[best] < energies[-1]:
                    pairing = "-".join((composition.symbols[first], composition.symbols[second]))
                    raise PairError(
                        f"the pair style does not bind {pairing}: a tetrahedron with edges from {edges[0]} to "
                        f"{edges[-1]} has its lowest energy, {energies[best]:.6g}, at {edges[best]:.3g}"
                    )
                bonds[first, second] = bonds[second, first] = edges[best]
    except PairError:
        engine.close()
        raise
    except Exception as error:
        abandon(engine)
        raise PairError(f"LAMMPS fails with this pair style: {one_line(error)}") from error
    engine.close()
    return bonds


def bond_energy(composition: Composition, pair: Pair, bonds: Floats) -> float:
    """Energy of a bond in the pair style's unit: a sixth of what a tetrahedron gains over its atoms four bonds apart,
    mean over every two types.
    """
    kinds = len(composition.symbols)
    gains = []
    engine = instance(composition, pair, reach=40.0)
    run(engine, "neighbor 1.0 nsq", "timer off", "thermo_modify lost error norm no")
    for first in range(kinds):
        for second in range(first, kinds):
            run(engine, "delete_atoms group all compress yes")
            corners = TETRAHEDRON * bonds[first, second]
            create_atoms(engine, np.array([first, first, second, second]), corners)
            gains.append(edge_energy(engine, 4.0 * corners) - edge_energy(engine, corners))
    engine.close()
    return float(np.mean(gains)) / 6.0


def edge_energy(engine: Any, corners: Floats) -> float:
    """Energy of the atoms of an instance at given positions."""
    engine.numpy.extract_atom("x")[:] = corners
    engine.command("run 0 post no")
    return float(engine.get_thermo("pe"))
