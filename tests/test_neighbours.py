"""Neighbours against all distances of all images, in any cell, and with atoms that have flown far away."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111
from ase.cluster import Icosahedron
from numpy.typing import NDArray

from hea_potential import HEACalculator
from hea_potential.errors import InputError
from hea_potential.neighbours import NeighbourList

Array = NDArray[np.float64]
REACH = 4.0  # Angstrom


def all_distances(positions: Array, cell: Array, pbc: NDArray[np.bool_]) -> Array:
    """Every distance below REACH, ascending, of each pair of atoms and image twice: nine images each way."""
    periods = np.rint(positions @ np.linalg.pinv(cell[pbc])) if pbc.any() else np.zeros((len(positions), 0))
    home = positions - periods @ cell[pbc]
    images = np.array(list(product(*(range(-9, 10) if periodic else (0,) for periodic in pbc)))) @ cell
    vectors = home[None, :, None] - home[:, None, None] + images
    lengths = np.linalg.norm(vectors.reshape(-1, 3), axis=1)
    return np.sort(lengths[(lengths > 0.0) & (lengths < REACH)])


@pytest.mark.parametrize("pbc", list(product((False, True), repeat=3)), ids=str)
@pytest.mark.parametrize("spread", [2.0, 20.0, 2e3, 1e5])
def test_neighbours_are_those_of_all_images(pbc: tuple[bool, bool, bool], spread: float) -> None:
    rng = np.random.default_rng(int(spread))
    periodic = np.array(pbc)
    for oblique in (0.0, 1.0):
        cell = 3.5 * np.eye(3) + oblique * rng.normal(size=(3, 3))
        positions = spread * rng.normal(size=(8, 3))
        neighbours = NeighbourList(REACH, skin=0.0)
        vectors = neighbours.vectors(positions, cell, periodic)
        np.testing.assert_allclose(
            np.sort(np.linalg.norm(vectors, axis=1)), all_distances(positions, cell, periodic)[::2], atol=1e-7
        )
        first = np.repeat(np.arange(8), np.diff(neighbours.first))
        shift = vectors - (positions[neighbours.neighbour] - positions[first])
        turns = np.linalg.solve(cell.T, shift.T).T
        np.testing.assert_allclose(turns, np.rint(turns) * periodic, atol=1e-7)


@pytest.mark.parametrize("far", [1e4, -1e6, 1e12, -1e20])
@pytest.mark.parametrize("direction", [(1, 0, 0), (1, 1, 0), (1, -1, 1)])
def test_atoms_that_fly_off_are_isolated(direction: tuple[int, int, int], far: float) -> None:
    """One of the directions is a plane of 300 times more cells than it is thick, where vesin divides by zero."""
    calculator = HEACalculator()
    cluster = Icosahedron("Cu", 2)
    apart = cluster + Atoms("Au2", [(far / 2) * np.array(direction), far * np.array(direction)])
    expected = sum(calculator.get_potential_energy(part) for part in (cluster, Atoms("Au"), Atoms("Au")))
    assert calculator.get_potential_energy(apart) == pytest.approx(expected, abs=1e-9)


def test_an_atom_that_leaves_a_surface_forms_a_layer_of_its_own() -> None:
    calculator = HEACalculator()
    slab = fcc111("Cu", (2, 2, 2), vacuum=4.0)
    layer = Atoms("Au", cell=slab.cell, pbc=slab.pbc)
    expected = calculator.get_potential_energy(slab) + calculator.get_potential_energy(layer)
    layer.positions += [3e3, -2e3, 1e6]
    assert calculator.get_potential_energy(slab + layer) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("pbc", [(True, True, True), (True, True, False)], ids=str)
def test_a_cell_too_wide_and_flat_to_be_searched_is_refused(pbc: tuple[bool, bool, bool]) -> None:
    """Where vesin would end the process: with more than 1e5 boxes, in a space as thin as one of them."""
    neighbours = NeighbourList(REACH, skin=0.0)
    positions = np.array([[0.5, 0.5, 0.5]])
    widest = np.diag([1263.0, 1263.0, 3.5])  # 315 x 315 boxes
    assert len(neighbours.vectors(positions, widest, np.array(pbc))) == pbc[2]  # its own image above
    with pytest.raises(InputError, match="got a space of 317 x 317 x 1 boxes of 4 A, too flat"):
        neighbours.vectors(positions, widest * [[1.005], [1.005], [1.0]], np.array(pbc))


def test_a_wide_cell_of_several_boxes_in_height_is_searched() -> None:
    deep = np.diag([1270.0, 1270.0, 10.5])
    positions = np.array([[0.5, 0.5, 0.5], [0.5, 0.5, 9.5]])
    vectors = NeighbourList(REACH, skin=0.0).vectors(positions, deep, np.ones(3, dtype=bool))
    np.testing.assert_allclose(vectors, [[0.0, 0.0, -1.5]])


def test_rows_of_atoms_that_span_a_wide_plane_are_refused() -> None:
    row = np.arange(0.0, 1600.0, 3.9)
    corner = np.concatenate([np.outer(row, [1.0, 0.0, 0.0]), np.outer(row[1:], [0.0, 1.0, 0.0])])
    free = np.zeros(3, dtype=bool)
    neighbours = NeighbourList(REACH, skin=0.0)
    assert len(neighbours.vectors(corner[: len(row)], np.eye(3), free)) == len(row) - 1
    with pytest.raises(InputError, match="too flat for a search of neighbours"):
        neighbours.vectors(corner, np.eye(3), free)
