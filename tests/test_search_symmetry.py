"""Point groups, orbits, and the starts and moves that use them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from hea_potential.clusters._clusters import orbit, packed_orbits
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, coordination
from hea_potential.search.moves import MOVES
from hea_potential.search.starts import STARTS
from hea_potential.search.surface import resurface
from hea_potential.search.symmetrise import symmetric_packing
from hea_potential.search.symmetry import POINT_GROUPS, compiled_group, places, point_group

ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
ORDERS = {
    **{"Cs": 2, "Ci": 2, "C1": 1, "C5": 5, "C3v": 6, "C4h": 8, "S4": 4, "S10": 10, "S12": 12, "D2": 4, "D5": 10},
    **{"D3h": 12, "D2d": 8, "D5d": 20, "T": 12, "Td": 24, "Th": 24, "O": 24, "Oh": 48, "I": 60, "Ih": 120},
}
# Sizes of the orbits of points on symmetry elements, from the general one to the centre.
ORBITS = {
    "Ih": {120, 60, 30, 20, 12, 1},
    "Oh": {48, 24, 12, 8, 6, 1},
    "Td": {24, 12, 6, 4, 1},
    "D5h": {20, 10, 5, 2, 1},
    "C3v": {6, 3, 1},
    "S4": {4, 2, 1},
}
seeds = st.integers(0, 2**32 - 1)
groups = st.sampled_from(POINT_GROUPS)


def same_points(one: NDArray[np.float64], other: NDArray[np.float64]) -> bool:
    """Whether two sets hold the same points in any order."""
    gaps = np.linalg.norm(one[:, None] - other[None], axis=2)
    return one.shape == other.shape and gaps.min(axis=1).max() < 1e-9 and gaps.min(axis=0).max() < 1e-9


@pytest.mark.parametrize("name", [*POINT_GROUPS, "C1", "C7v", "D10h", "S20"])
def test_a_point_group_is_a_group_of_orthogonal_matrices(name: str) -> None:
    operations = point_group(name)
    assert np.allclose(operations @ operations.transpose(0, 2, 1), np.eye(3))
    products = np.einsum("aij,bjk->abik", operations, operations).reshape(-1, 1, 3, 3)
    gaps = np.abs(products - operations).max(axis=(2, 3))
    assert gaps.min(axis=1).max() < 1e-9
    # Every operation is there once.
    assert (np.count_nonzero(gaps < 1e-9, axis=1) == 1).all()


@pytest.mark.parametrize("name", ORDERS)
def test_point_groups_have_their_orders(name: str) -> None:
    assert len(point_group(name)) == ORDERS[name]


def test_improper_operations_are_half_or_none() -> None:
    for name in POINT_GROUPS:
        improper = np.linalg.det(point_group(name)) < 0.0
        assert improper.sum() == (0 if name[0] in "CDTOI" and name[-1] not in "vhdsi" else len(improper) // 2)


@pytest.mark.parametrize("name", ["", "D1", "Od", "Id", "C3d", "D3v", "S3", "S0", "C0", "D0h", "Q", "C2vh"])
def test_other_names_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match="allowed: Schoenflies symbols"):
        point_group(name)


@settings(max_examples=60, deadline=None)
@given(name=groups, seed=seeds)
def test_orbits_are_invariant_and_keep_their_distance(name: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    operations = point_group(name)
    points = orbit(rng.normal(scale=1.5, size=3), operations, 0.8)
    assert len(operations) % len(points) == 0
    assert all(same_points(points @ operation.T, points) for operation in operations)
    gaps = np.linalg.norm(points[:, None] - points[None], axis=2) + 9.0 * np.eye(len(points))
    assert gaps.min() >= 0.8 - 1e-9


@pytest.mark.parametrize("name", ORBITS)
def test_points_near_symmetry_elements_make_the_special_orbits(name: str) -> None:
    rng = np.random.default_rng(0)
    assert {len(orbit(rng.normal(scale=4.0, size=3), point_group(name), 1.0)) for _ in range(400)} <= ORBITS[name]
    assert {place.size for place in places(name)} == ORBITS[name]
    for place in places(name):
        for onto in place.projections:
            points = orbit(10.0 * onto @ rng.normal(size=3), point_group(name), 1e-3)
            assert len(points) == place.size
            assert np.allclose(onto @ onto, onto)
            assert np.isclose(np.trace(onto), place.dimension)


def test_a_point_within_reach_of_the_centre_becomes_it() -> None:
    for name in ("Ci", "S4", "D5h", "Ih"):
        assert np.array_equal(orbit(np.full(3, 1e-3), point_group(name), 0.8).round(12), np.zeros((1, 3)))


def packed(rng: np.random.Generator, name: str, size: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Orbits of so many points with room for all, and the number of points of each."""
    return packed_orbits(rng.bit_generator.capsule, compiled_group(name), size, float(size), 2.5)


@settings(max_examples=60, deadline=None)
@given(name=groups, size=st.integers(1, 120), seed=seeds)
def test_packed_orbits_are_symmetric_and_add_up(name: str, size: int, seed: int) -> None:
    positions, sizes = packed(np.random.default_rng(seed), name, size)
    assert sizes.sum() == len(positions)
    assert 0 <= size - len(positions) < min(place.size for place in places(name) if place.dimension > 0)
    if len(positions):
        assert all(same_points(positions @ operation.T, positions) for operation in point_group(name))


@pytest.mark.parametrize(
    ("name", "size", "sizes"),
    [
        ("Td", 98, {4, 6, 12, 24}),  # all but the centre are even
        ("Td", 99, {1, 4, 6, 12, 24}),
        ("D5h", 75, {1, 2, 5, 10, 20}),
        ("Ih", 55, {1, 12, 30}),  # there is no other way
        ("C3", 5, {1, 3}),
    ],
)
def test_orbits_of_every_kind_add_up_to_a_number_of_points(name: str, size: int, sizes: set[int]) -> None:
    rng = np.random.default_rng(0)
    drawn = [packed(rng, name, size) for _ in range(200)]
    assert all(len(positions) == size for positions, _ in drawn)
    centres = [np.count_nonzero(np.linalg.norm(positions, axis=1) < 1e-9) for positions, _ in drawn]
    assert max(centres) <= 1
    assert {int(each) for _, found in drawn for each in found} == sizes


@pytest.mark.parametrize("size", [1, 2, 3, 4, 7, 13, 38, 150])
@pytest.mark.parametrize("kinds", [1, 2, 6])
def test_symmetric_starts_have_every_size(size: int, kinds: int) -> None:
    kinds = min(size, kinds)
    counts = [size // kinds + (kind < size % kinds) for kind in range(kinds)]
    composition = Composition(ELEMENTS[:kinds], tuple(counts))
    bonds = np.full((kinds, kinds), 2.5)
    for seed in range(4):
        one, again = (symmetric_packing(np.random.default_rng(seed), composition, bonds) for _ in range(2))
        assert np.array_equal(np.sort(one.types), composition.types)
        assert np.isfinite(one.positions).all()
        assert np.array_equal(one.positions, again.positions)
        assert np.array_equal(one.types, again.types)


@pytest.mark.parametrize("size", [3, 4, 5])
def test_symmetric_starts_are_not_on_a_line(size: int) -> None:
    composition, bonds = Composition(("Cu",), (size,)), np.array([[2.5]])
    starts = [symmetric_packing(np.random.default_rng(seed), composition, bonds).positions for seed in range(200)]
    widths = [np.linalg.svd(start - start.mean(axis=0), compute_uv=False)[1] for start in starts]
    assert np.mean(np.array(widths) < 0.1) < 0.02  # by chance, where atoms are put beside each other


@pytest.mark.parametrize("name", ["symmetrise", "core"])
def test_symmetrising_moves_complete_orbits(name: str) -> None:
    composition = Composition.parse("Cu20Au18")
    bonds = np.full((2, 2), 2.5)
    rng = np.random.default_rng(2)
    parent = STARTS["random"](rng, composition, bonds).ordered()
    for _ in range(20):
        child = MOVES[name].apply(rng, [parent], bonds)
        assert np.array_equal(np.sort(child.types), composition.types)
        assert np.isfinite(child.positions).all()


def test_resurfacing_repairs_a_misplaced_atom() -> None:
    bonds = np.array([[1.0]])
    shell = STARTS["icosahedral"](np.random.default_rng(4), Composition.parse("Cu13"), bonds)
    centre = np.argmax(coordination(shell, bonds))
    assert coordination(shell, bonds)[centre] == 12
    middle = shell.positions[centre]
    rim = np.delete(np.arange(13), centre)
    # One atom of the shell is put on top of the atom opposite, where it has few contacts.
    moved = shell.positions.copy()
    moved[rim[0]] = middle + 1.95 * (middle - shell.positions[rim[0]])
    broken = Cluster(shell.types, moved)
    rng = np.random.default_rng(0)
    contacts = [coordination(resurface(rng, [broken], bonds), bonds).sum() for _ in range(20)]
    assert max(contacts) == coordination(shell, bonds).sum() > coordination(broken, bonds).sum()
