"""The compiled geometry of clusters against plain numpy."""

from __future__ import annotations

import pickle

import numpy as np
import plain_clusters as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hea_potential import clusters
from hea_potential.clusters import _clusters
from hea_potential.search.symmetry import POINT_GROUPS, compiled_group, point_group

LEAST, CONTACT, ROUNDS = 0.8, 1.3, 30
TOLERANCE = 1e-12

Arrays = tuple[np.ndarray, np.ndarray, np.ndarray]


@st.composite
def arrays(draw: st.DrawFn, most: int = 40) -> Arrays:
    """Types, positions and bonds of a crowd of up to so many atoms of up to three types."""
    size, kinds, seed = draw(st.integers(1, most)), draw(st.integers(1, 3)), draw(st.integers(0, 2**32 - 1))
    rng = np.random.default_rng(seed)
    radii = rng.uniform(0.5, 0.7, size=kinds)
    edge = rng.uniform(1.0, 1.6) * size ** (1 / 3)
    return rng.integers(kinds, size=size), rng.uniform(0.0, edge, size=(size, 3)), radii[:, None] + radii


@settings(max_examples=60, deadline=None)
@given(arrays=arrays())
def test_distances_contacts_and_fragments(arrays: Arrays) -> None:
    expected = plain.reduced_distances(*arrays)
    assert np.allclose(clusters.reduced_distances(*arrays), expected, rtol=TOLERANCE)
    assert np.array_equal(clusters.coordination(*arrays, CONTACT), np.count_nonzero(expected < CONTACT, axis=1))
    for reach in (0.6, 0.8, 1.0, 1.7):
        assert clusters.is_connected(*arrays, reach) == plain.is_connected(*arrays, reach)


@settings(max_examples=60, deadline=None)
@given(arrays=arrays(), cutoff=st.floats(0.0, 4.0))
def test_half_edges_are_those_of_plain_numpy(arrays: Arrays, cutoff: float) -> None:
    _, positions, _ = arrays
    found, expected = clusters.half_edges(positions, cutoff), plain.half_edges(positions, cutoff)
    for one, other in zip(found, expected, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other)


def test_no_edges_without_places() -> None:
    first, neighbour, vectors = clusters.half_edges(np.zeros((0, 3)), 5.0)
    assert (first.tolist(), len(neighbour), vectors.shape) == ([0], 0, (0, 3))
    positions = np.array([[0.0, 0.0, 0.0], [np.nan, 0.0, 0.0], [1.0, 0.0, 0.0], [np.inf, 0.0, 0.0]])
    first, neighbour, vectors = clusters.half_edges(positions, 5.0)
    assert (first.tolist(), neighbour.tolist(), vectors.tolist()) == ([0, 1, 1, 1, 1], [2], [[1.0, 0.0, 0.0]])
    first, neighbour, vectors = clusters.half_edges(positions[[3, 1, 0, 2]], 5.0)
    assert (first.tolist(), neighbour.tolist(), vectors.tolist()) == ([0, 0, 0, 1, 1], [3], [[1.0, 0.0, 0.0]])


@settings(max_examples=60, deadline=None)
@given(arrays=arrays(), rounds=st.integers(0, ROUNDS))
def test_pushing_atoms_apart(arrays: Arrays, rounds: int) -> None:
    apart = clusters.separated(*arrays, LEAST, rounds)
    assert np.allclose(apart, plain.separated(*arrays, LEAST, rounds), atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(arrays=arrays())
def test_candidates_are_ordered_checked_and_pushed_apart(arrays: Arrays) -> None:
    types, positions, bonds = arrays
    wanted = np.sort(types)
    made = clusters.candidate(types, positions, wanted, bonds, LEAST, ROUNDS)
    assert np.array_equal(made, clusters.separated(*clusters.ordered(types, positions), bonds, LEAST, ROUNDS))
    assert clusters.candidate(types, positions, wanted[1:], bonds, LEAST, ROUNDS) is None
    for number in (np.nan, np.inf):
        assert clusters.candidate(types, np.full_like(positions, number), wanted, bonds, LEAST, ROUNDS) is None


@settings(max_examples=80, deadline=None)
@given(arrays=st.one_of(arrays(), arrays(most=140)))
def test_vacant_sites_in_the_same_order(arrays: Arrays) -> None:
    types, positions, bonds = arrays
    positions = clusters.separated(types, positions, bonds, LEAST, ROUNDS)
    sites, touched = clusters.vacant_sites(types, positions, bonds, 0, CONTACT, LEAST)
    expected, expected_touched = plain.vacant_sites(types, positions, bonds, 0, CONTACT, LEAST)
    assert sites.shape == expected.shape
    assert np.allclose(sites, expected, atol=1e-9)
    assert np.array_equal(touched, expected_touched)


@settings(max_examples=60, deadline=None)
@given(arrays=arrays())
def test_fingerprints_and_their_overlap(arrays: Arrays) -> None:
    types, positions, bonds = arrays
    one = clusters.fingerprint(*arrays, 0.05, 80)
    expected = plain.fingerprint(*arrays, 0.05, 80)
    assert np.allclose(one.values, expected, atol=1e-6)
    others = [clusters.fingerprint(types, stretch * positions, bonds, 0.05, 80) for stretch in (1.0, 1.02, 1.5)]
    overlaps = np.array([other.values for other in others]) @ one.values if len(types) > 1 else np.ones(3)
    assert np.allclose(clusters.similarities(one, others), overlaps, atol=1e-6)
    assert clusters.similarities(one, []) == []
    assert np.array_equal(pickle.loads(pickle.dumps(one)).values, one.values)
    centred, same = clusters.centred_with_fingerprint(*arrays, 0.05, 80)
    assert np.allclose(centred, positions - positions.mean(axis=0), atol=TOLERANCE)
    assert np.array_equal(same.values, one.values)


@settings(max_examples=60, deadline=None)
@given(arrays=arrays())
def test_fingerprints_without_types(arrays: Arrays) -> None:
    types, positions, bonds = arrays
    bonds = np.full_like(bonds, bonds.mean())
    like = clusters.fingerprint(np.zeros_like(types), positions, bonds[:1, :1], 0.05, 80)
    assert np.allclose(
        clusters.fingerprint(types, positions, bonds, 0.05, 80).without_types().values, like.values, atol=1e-6
    )
    assert like.without_types() is like


@settings(max_examples=30, deadline=None)
@given(arrays=arrays())
def test_atoms_in_the_order_of_their_types(arrays: Arrays) -> None:
    types, positions, _ = arrays
    order = np.argsort(types, kind="stable")
    ordered_types, ordered_positions = clusters.ordered(types, positions)
    assert np.array_equal(ordered_types, types[order])
    assert np.allclose(ordered_positions, positions[order] - positions.mean(axis=0), atol=TOLERANCE)


@settings(max_examples=100, deadline=None)
@given(name=st.sampled_from(POINT_GROUPS), seed=st.integers(0, 2**32 - 1), merging=st.floats(0.01, 1.5))
def test_orbits_of_points(name: str, seed: int, merging: float) -> None:
    point, operations = np.random.default_rng(seed).normal(size=3), point_group(name)
    found = _clusters.orbit(point, operations, merging)
    expected = plain.orbit(point, operations, merging, 1e-6 * merging)
    assert found.shape == expected.shape
    assert np.allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize(
    ("types", "positions", "bonds", "complaint"),
    [
        ([0, 0], np.zeros((3, 3)), np.ones((1, 1)), "positions has 3 rows, allowed are 2"),
        ([0, 1], np.zeros((2, 3)), np.ones((1, 1)), "types holds 1, allowed are 0 to 0"),
        ([0, -1], np.zeros((2, 3)), np.ones((2, 2)), "types holds -1, allowed are 0 to 1"),
        ([0, 0], np.zeros((2, 3)), np.ones((1, 2)), r"bonds has the shape \(1, 2\), allowed are squares"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(
    types: list[int], positions: np.ndarray, bonds: np.ndarray, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        clusters.coordination(np.array(types), positions, bonds, CONTACT)


def test_fingerprints_of_different_sizes_are_refused() -> None:
    types, positions, bonds = np.zeros(2, np.int64), np.eye(3)[:2], np.array([[1.4]])
    small, large = (clusters.fingerprint(types, positions, bonds, 0.5, points) for points in (4, 5))
    with pytest.raises(ValueError, match="a fingerprint has 5 values, allowed are 4"):
        clusters.similarities(small, [large])


def test_annealing_at_temperatures_that_are_none_is_refused() -> None:
    types, positions, bonds = np.zeros(2, np.int64), np.eye(3)[:2], np.array([[1.4]])
    stream, judging = np.random.default_rng(0).bit_generator.capsule, clusters.Judging(CONTACT, LEAST, 1.5)
    lattice = clusters.Lattice(types, positions, bonds, 0, judging)
    for hot, cold in ((0.1, 0.2), (1.0, 0.0), (1.0, -1.0), (np.nan, 0.1), (np.inf, 0.1), (1.0, np.nan)):
        with pytest.raises(ValueError, match="allowed are positive ones that do not rise"):
            lattice.annealed(stream, 5, hot, cold)
    with pytest.raises(ValueError, match="kind is 1, allowed are 0 to 0"):
        clusters.Lattice(types, positions, bonds, 1, judging)


def test_moves_of_clusters_that_do_not_suit_are_refused() -> None:
    stream, bonds, judging = (
        np.random.default_rng(0).bit_generator.capsule,
        np.array([[1.4]]),
        clusters.Judging(1, 1, 1),
    )
    types, positions = np.zeros(3, np.int64), np.eye(3)
    with pytest.raises(ValueError, match="parents of 3 and 2 atoms; both must have the same"):
        clusters.spliced(stream, types, positions, types[:2], positions[:2], bonds)
    with pytest.raises(ValueError, match="got 1 atoms; this move needs 2 or more, of 1 type or more"):
        clusters.mirrored(stream, types[:1], positions[:1], bonds)
    for exchange in (clusters.exchanged, clusters.with_exchanged_shells):
        with pytest.raises(ValueError, match="got 3 atoms; this move needs 2 or more, of 2 types or more"):
            exchange(stream, types, positions, bonds)
    with pytest.raises(ValueError, match="core is 4, allowed are 1 to 3"):
        clusters.symmetrised(stream, types, positions, bonds, 4, [compiled_group("Cs")], judging)
    with pytest.raises(ValueError, match="there are 0 groups; allowed are 1 or more"):
        clusters.symmetric_start(stream, [3], bonds, [], judging)
    with pytest.raises(ValueError, match=r"bonds has the shape \(1, 1\), allowed is a square of 2"):
        clusters.symmetric_start(stream, [3, 1], bonds, [compiled_group("Cs")], judging)
    with pytest.raises(ValueError, match="there are 0 operations in a point group; allowed are 1 or more"):
        clusters.PointGroup(np.zeros((0, 3, 3)), [])
