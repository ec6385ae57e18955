"""ASE's effective medium theory in LAMMPS: the table against ASE's own calculator."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.calculators.emt import EMT

from hea_potential.errors import InputError
from hea_potential.search import emt
from hea_potential.search.bonds import probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster
from hea_potential.search.instance import create_atoms, instance
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.starts import random_packing


def ase_energy(composition: Composition, cluster: Cluster) -> tuple[float, np.ndarray]:
    atoms = Atoms(composition.names(cluster.types), positions=cluster.positions, calculator=EMT())
    return atoms.get_potential_energy(), atoms.get_forces()


@pytest.mark.parametrize("formula", ["Cu19Au19", "Ni3Cu4Pd5Ag2Pt6Au5", "Al13"])
def test_the_table_is_what_ase_computes(formula: str, tmp_path: Path) -> None:
    composition = Composition.parse(formula)
    pair = emt.pair(composition.symbols, tmp_path)
    bonds = probe_bonds(composition, pair)
    minimise = Minimiser(composition, pair, bonds, Limits(fmax=0.005))
    lammps = instance(composition, pair, 40.0)
    rng = np.random.default_rng(2)
    starts = [random_packing(rng, composition, bonds).ordered() for _ in range(3)]
    create_atoms(lammps, composition.types, starts[0].positions)
    for start in starts:
        relaxed = minimise(start)
        assert relaxed.outcome == "minimum"
        for cluster in (start, relaxed.cluster):
            lammps.numpy.extract_atom("x")[:] = cluster.positions
            lammps.command("run 0")
            energy, forces = ase_energy(composition, cluster)
            assert lammps.get_thermo("pe") == pytest.approx(energy, abs=1e-4)
            assert lammps.numpy.extract_atom("f") == pytest.approx(forces, abs=1e-3)
    minimise.close()
    lammps.close()


def test_an_atom_alone_has_the_energy_that_ase_gives_it(tmp_path: Path) -> None:
    composition = Composition.parse("Cu1Au1")
    lammps = instance(composition, emt.pair(composition.symbols, tmp_path), 40.0)
    apart = Cluster(composition.types, np.array([[0.0, 0.0, 0.0], [20.0, 0.0, 0.0]]))
    create_atoms(lammps, apart.types, apart.positions)
    lammps.command("run 0")
    assert lammps.get_thermo("pe") == pytest.approx(ase_energy(composition, apart)[0], abs=1e-6)
    lammps.close()


def test_elements_without_parameters_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="EMT: no parameters for 'Fe'; allowed: Al, Cu"):
        emt.pair(("Cu", "Fe"), tmp_path)
