"""`best_ordering`: a cluster with the ordering of lowest energy that is found for it."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from test_search_homotops import icosahedron, scan_of

from hea_potential import HEACalculator
from hea_potential.errors import InputError, ModelFileError
from hea_potential.search import best_ordering


def test_best_ordering_relaxes_and_lowers_the_energy() -> None:
    atoms = icosahedron(("Ag", 11), ("Cu", 2))
    best = best_ordering(atoms, seed=1)
    assert best.symbols.formula.count() == {"Ag": 11, "Cu": 2}
    assert np.linalg.norm(best.get_forces(), axis=1).max() <= 0.01
    assert best.symbols[np.argmin(np.linalg.norm(best.positions - best.positions.mean(axis=0), axis=1))] == "Cu"
    atoms.calc = HEACalculator()
    assert best.get_potential_energy() < atoms.get_potential_energy() - 0.1
    best.calc = atoms.calc
    scan, types = scan_of(best, ("Ag", "Cu"))
    energy = scan.order(types)
    assert scan.exchanges(scan.unlike_pairs()).min() > energy - 1e-5  # no swap of the relaxed cluster is lower


def test_masses_and_moments_of_elements_that_change_places_are_dropped() -> None:
    atoms = icosahedron(("Ag", 11), ("Cu", 2))
    atoms.set_masses([1.0 + place for place in range(13)])
    atoms.set_initial_magnetic_moments(np.arange(13.0))
    atoms.set_tags(range(13))
    best = best_ordering(atoms, relax=False)
    assert best.get_masses().tolist() == Atoms(best.symbols).get_masses().tolist()
    assert not best.has("initial_magmoms")
    assert best.get_tags().tolist() == list(range(13))


def test_bad_input_is_one_error() -> None:
    atoms = icosahedron(("Cu", 6), ("Au", 7))
    periodic, broken, unknown, overlapping = (atoms.copy() for _ in range(4))
    periodic.pbc = [True, False, False]
    broken.positions[4, 1] = np.nan
    unknown.symbols[2] = "Fe"
    overlapping.positions[3] = overlapping.positions[2]
    for given, words in (
        (icosahedron(("Cu", 13)), "got 13 atoms of Cu; allowed are clusters of two elements or more"),
        (Atoms(), "got 0 atoms of no element"),
        (periodic, "periodic in no direction"),
        (broken, "for atom 4; allowed are finite numbers"),
        (unknown, "got Fe; the model hea6 knows Ni, Cu"),
        (overlapping, "atoms 2 and 3 overlap"),
    ):
        with pytest.raises(InputError, match=words):
            best_ordering(given)
    for arguments, words in (
        ({"descents": 0}, "0 descents"),
        ({"rounds": 0}, "0 rounds"),
        ({"fmax": -1.0}, "fmax is -1.0"),
        ({"seed": -1}, "seed -1"),
    ):
        with pytest.raises(InputError, match=words):
            best_ordering(atoms, **arguments)  # type: ignore[arg-type]
    with pytest.raises(ModelFileError, match="nowhere"):
        best_ordering(atoms, model="nowhere")
