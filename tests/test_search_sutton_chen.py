"""Sutton-Chen metals in LAMMPS: their table against the plain sums, and published energies of icosahedra."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from ase.cluster import Icosahedron
from plain_clusters import distances

from hea_potential.errors import OutputError
from hea_potential.search.bonds import probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.starts import random_packing
from hea_potential.search.sutton_chen import METALS, SuttonChen

# 13 atoms, in units of eps: Doye and Wales 1998 and the Cambridge Cluster Database.
ICOSAHEDRA = {"9-6": -2808.5765, "12-6": -10968.5082, "10-8": -3280.3843, "12-7": -9436.5928}


def plain_energy(metal: SuttonChen, positions: Floats) -> float:
    """The sums as they are written."""
    reduced = distances(positions) / metal.a
    density = (reduced ** -float(metal.m)).sum(axis=1)
    return float(0.5 * (reduced ** -float(metal.n)).sum() - metal.c * np.sqrt(density).sum())


def minimiser(metal: SuttonChen, size: int, folder: Path) -> Minimiser:
    composition = Composition((metal.element,), (size,))
    pair = metal.pair(folder)
    return Minimiser(composition, pair, probe_bonds(composition, pair), Limits(fmax=1e-4))


@pytest.mark.parametrize("name", METALS)
def test_the_table_gives_the_published_energies(name: str, tmp_path: Path) -> None:
    metal = METALS[name]
    quench = minimiser(metal, 13, tmp_path)(
        Cluster(np.zeros(13, int), Icosahedron(metal.element, 2, 0.95 * metal.a).positions)
    )
    assert quench.outcome == "minimum"
    assert quench.energy == pytest.approx(ICOSAHEDRA[name], abs=1e-4)
    assert quench.energy == pytest.approx(plain_energy(metal, quench.cluster.positions), abs=1e-6)


@pytest.mark.parametrize("name", METALS)
def test_the_table_holds_for_random_minima(name: str, tmp_path: Path) -> None:
    metal = METALS[name]
    minimise = minimiser(metal, 75, tmp_path)
    rng = np.random.default_rng(3)
    for _ in range(3):
        quench = minimise(random_packing(rng, minimise.composition, minimise.bonds))
        assert quench.outcome == "minimum"
        assert quench.energy == pytest.approx(plain_energy(metal, quench.cluster.positions), abs=1e-5)
    minimise.close()


def test_atoms_on_top_of_each_other_come_apart(tmp_path: Path) -> None:
    metal = METALS["12-6"]
    rng = np.random.default_rng(4)
    squeezed = Cluster(np.zeros(13, int), 0.3 * metal.a * rng.normal(size=(13, 3)))
    assert distances(squeezed.positions).min() < 0.2 * metal.a
    assert minimiser(metal, 13, tmp_path)(squeezed).outcome == "minimum"


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="absent"):
        METALS["9-6"].pair(tmp_path / "absent")
