"""What a search is made of, without LAMMPS: compositions, starts, moves, similarity, population, archive."""

from __future__ import annotations

import json

import numpy as np
import pytest
from ase.cluster import Octahedron
from hypothesis import given, settings
from hypothesis import strategies as st

from hea_potential.errors import InputError
from hea_potential.search.archive import Archive
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import (
    CONTACT,
    Cluster,
    coordination,
    is_connected,
    random_rotation,
    reduced_distances,
    separate,
    vacant_sites,
)
from hea_potential.search.moves import MOVES
from hea_potential.search.population import Population
from hea_potential.search.similarity import fingerprint, similarities
from hea_potential.search.starts import LEAST, STARTS
from hea_potential.search.tasks import Result

ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
seeds = st.integers(0, 2**32 - 1)
compositions = st.lists(st.integers(1, 12), min_size=1, max_size=6).map(
    lambda n: Composition(ELEMENTS[: len(n)], tuple(n))
)


def bonds_of(composition: Composition) -> np.ndarray:
    radii = 1.2 + 0.1 * np.arange(len(composition.symbols))
    return radii[:, None] + radii[None, :]


def result_of(cluster: Cluster, energy: float, bonds: np.ndarray, number: int = 0) -> Result:
    return Result(number, "random", (), "minimum", energy, cluster, fingerprint(cluster, bonds))


def test_a_formula_is_read_in_its_order() -> None:
    composition = Composition.parse(" Cu10 NiPd2Cu3")
    assert composition == Composition(("Cu", "Ni", "Pd"), (13, 1, 2))
    assert composition.size == 16
    assert composition.formula == "Cu13Ni1Pd2"
    assert composition.mathtext == "Cu$_{13}$Ni$_{1}$Pd$_{2}$"
    assert composition.names(composition.types) == ["Cu"] * 13 + ["Ni"] + ["Pd"] * 2


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "cannot read ''"),
        ("10Cu", "cannot read"),
        ("cu10", "cannot read"),
        ("Cu-10", "cannot read"),
        ("Cu1.5", "cannot read"),
        ("Qq3", "unknown element 'Qq'"),
        ("X3", "unknown element 'X'"),
        ("Cu0", "zero atoms of Cu"),
        ("Cu4Ni0", "zero atoms of Ni"),
        ("Cu99999999999999999999", "at most"),
    ],
)
def test_what_is_no_formula_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Composition.parse(text)


@pytest.mark.parametrize(
    ("symbols", "counts", "complaint"),
    [
        ((), (), "one number of atoms for each of 1 or more elements"),
        (("Cu", "Ni"), (13,), "one number of atoms for each"),
        (("Cu", "Qq"), (13, 1), "unknown element 'Qq' in 'Cu13Qq1'"),
        (("X",), (13,), "unknown element 'X'"),
        (("Cu", "Ni"), (13, 0), "zero atoms of Ni in 'Cu13Ni0'"),
        (("Cu", "Ni"), (13, -2), "-2 atoms of Ni"),
        (("Cu",), (1.5,), "must be whole numbers"),
        (("Cu", "Ni", "Cu"), (6, 1, 6), "Cu comes more than once in 'Cu6Ni1Cu6'"),
        (("Cu",), (10_001,), "10001 atoms in 'Cu10001'; at most 10000"),
    ],
)
def test_what_is_no_composition_is_refused(symbols: tuple[str, ...], counts: tuple[int, ...], complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        Composition(symbols, counts)


def test_a_composition_of_numpy_numbers_is_that_of_plain_ones() -> None:
    composition = Composition(tuple(np.array(["Cu", "Ni"])), tuple(np.array([13, 1])))
    assert composition == Composition(("Cu", "Ni"), (13, 1))
    assert json.dumps(composition.counts) == "[13, 1]"


@pytest.mark.parametrize("name", STARTS)
@settings(max_examples=15, deadline=None)
@given(composition=compositions, seed=seeds)
def test_starts_keep_composition_and_least_distance(name: str, composition: Composition, seed: int) -> None:
    bonds = bonds_of(composition)
    cluster = STARTS[name](np.random.default_rng(seed), composition, bonds)
    assert np.array_equal(np.sort(cluster.types), composition.types)
    assert np.isfinite(cluster.positions).all()
    assert reduced_distances(cluster, bonds).min() >= LEAST * (1.0 - 1e-12)


@pytest.mark.parametrize("name", MOVES)
@settings(max_examples=25, deadline=None)
@given(composition=compositions, seed=seeds)
def test_moves_keep_the_composition(name: str, composition: Composition, seed: int) -> None:
    move = MOVES[name]
    if composition.size < move.atoms or len(composition.symbols) < move.elements:
        composition = Composition(("Ni", "Cu"), (5, 4))
    bonds = bonds_of(composition)
    rng = np.random.default_rng(seed)
    parents = [STARTS["random"](rng, composition, bonds).ordered() for _ in range(move.parents)]
    kept = [parent.positions.copy() for parent in parents]
    child = move.apply(rng, parents, bonds)
    assert np.array_equal(np.sort(child.types), composition.types)
    assert child.positions.shape == (composition.size, 3)
    assert np.isfinite(child.positions).all()
    for parent, before in zip(parents, kept, strict=True):
        assert np.array_equal(parent.positions, before)
        assert np.array_equal(parent.types, composition.types)


@pytest.mark.parametrize("name", ["exchange", "shells"])
def test_exchanges_change_the_ordering_and_no_place(name: str) -> None:
    composition = Composition.parse("Cu5Ni3")
    bonds = bonds_of(composition)
    rng = np.random.default_rng(0)
    parent = STARTS["random"](rng, composition, bonds).ordered()
    children = [MOVES[name].apply(rng, [parent], bonds) for _ in range(20)]
    assert all(np.array_equal(child.positions, parent.positions) for child in children)
    assert any(not np.array_equal(child.types, parent.types) for child in children)


def test_vacant_sites_touch_three_atoms_and_overlap_none() -> None:
    composition = Composition.parse("Cu3Ni3")
    bonds = bonds_of(Composition.parse("Cu1Ni1"))
    octahedron = Cluster(composition.types, 0.71 * bonds[0, 1] * np.array([*np.eye(3), *-np.eye(3)]))
    sites, touched = vacant_sites(octahedron, bonds, 0)
    gaps = np.linalg.norm(sites[:, None] - octahedron.positions[None], axis=2) / bonds[0, octahedron.types]
    assert len(sites) == 8
    assert gaps.min() > 0.8
    assert (np.sort(gaps, axis=1)[:, 2] < 1.1).all()
    assert np.array_equal(touched, np.count_nonzero(gaps < CONTACT, axis=1))


def test_annealing_changes_facets_for_more_contacts() -> None:
    """A cuboctahedron has the largest square facets of all pieces of fcc, others have more contacts."""
    positions = Octahedron("Cu", 5, 2, latticeconstant=np.sqrt(2.0)).positions
    cuboctahedron = Cluster(np.zeros(len(positions), np.int64), positions)
    bonds = np.array([[1.0]])
    assert coordination(cuboctahedron, bonds).sum() == 2 * 216
    rng = np.random.default_rng(0)
    children = [MOVES["anneal"].apply(rng, [cuboctahedron], bonds) for _ in range(10)]
    assert max(coordination(child, bonds).sum() for child in children) > 2 * 216
    assert all(reduced_distances(child, bonds).min() > 0.999 for child in children)  # still a piece of fcc


@settings(max_examples=30, deadline=None)
@given(seed=seeds, size=st.integers(2, 30))
def test_separated_atoms_do_not_overlap_even_if_they_coincided(seed: int, size: int) -> None:
    composition = Composition(("Cu",), (size,))
    bonds = np.array([[2.5]])
    heap = np.random.default_rng(seed).integers(0, 2, size=(size, 3)).astype(float)
    cluster = separate(Cluster(composition.types, heap), bonds, 0.8)
    assert reduced_distances(cluster, bonds).min() >= 0.8 * (1.0 - 1e-12)


def test_fragments_are_seen() -> None:
    bonds = np.array([[1.0]])
    line = np.arange(5.0)[:, None] * [1.5, 0.0, 0.0]
    assert is_connected(Cluster(np.zeros(5, int), line), bonds)
    line[3:] += 0.5
    assert not is_connected(Cluster(np.zeros(5, int), line), bonds)
    assert is_connected(Cluster(np.zeros(1, int), line[:1]), bonds)


@settings(max_examples=30, deadline=None)
@given(composition=compositions, seed=seeds)
def test_a_fingerprint_ignores_rotation_reflection_and_numbering(composition: Composition, seed: int) -> None:
    bonds = bonds_of(composition)
    rng = np.random.default_rng(seed)
    cluster = STARTS["random"](rng, composition, bonds)
    order = rng.permutation(composition.size)
    moved = Cluster(cluster.types[order], 3.0 - (cluster.positions @ random_rotation(rng).T)[order])
    assert similarities(fingerprint(cluster, bonds), [fingerprint(moved, bonds)])[0] == pytest.approx(1.0, abs=1e-5)


def test_orderings_of_one_geometry_differ() -> None:
    composition = Composition.parse("Cu1Au12")
    bonds = bonds_of(composition)
    ball = STARTS["icosahedral"](np.random.default_rng(0), Composition.parse("Cu13"), bonds[:1, :1]).positions
    middle = int(np.argmin(np.linalg.norm(ball - ball.mean(axis=0), axis=1)))
    one, other = np.ones(13, int), np.ones(13, int)
    one[middle] = 0
    other[(middle + 1) % 13] = 0
    assert similarities(fingerprint(Cluster(one, ball), bonds), [fingerprint(Cluster(other, ball), bonds)])[0] < 0.97


def test_the_archive_knows_a_minimum_again() -> None:
    composition = Composition.parse("Cu8")
    bonds = bonds_of(composition)
    rng = np.random.default_rng(3)
    archive = Archive(composition, bonds)
    first, second = (STARTS["random"](rng, composition, bonds) for _ in range(2))
    archive.enter(result_of(first, -10.0, bonds), 0.0)
    mirrored = result_of(Cluster(first.types, -first.positions), -10.0 + 1e-6, bonds)
    assert mirrored.fingerprint is not None
    assert archive.find(mirrored.energy, mirrored.fingerprint) is archive.minima[0]
    other = result_of(second, -10.0, bonds)
    assert other.fingerprint is not None
    assert archive.find(-10.0, other.fingerprint) is None
    archive.enter(result_of(second, -11.0, bonds, 1), 0.0)
    assert [minimum.energy for minimum in archive.lowest()] == [-11.0, -10.0]
    assert archive.best is archive.minima[1]


def test_a_population_keeps_the_lowest_that_differ() -> None:
    composition = Composition.parse("Cu9Ni9")
    bonds = bonds_of(composition)
    rng = np.random.default_rng(5)
    archive = Archive(composition, bonds)
    population = Population(3)
    minima = [
        archive.enter(result_of(STARTS["random"](rng, composition, bonds), energy, bonds), 0.0)
        for energy in (-5.0, -3.0, -4.0, -6.0, -1.0)
    ]
    assert [population.offer(minimum) for minimum in minima] == [True, True, True, True, False]
    assert [member.energy for member in population.members] == [-6.0, -5.0, -4.0]
    assert not population.offer(minima[0])
    # A lower relative takes the place of its like, a higher one takes none.
    kin = result_of(minima[2].cluster, -4.5, bonds)
    assert population.offer(archive.enter(kin, 0.0))
    assert not population.offer(archive.enter(result_of(minima[2].cluster, -4.2, bonds), 0.0))
    assert [member.energy for member in population.members] == [-6.0, -5.0, -4.5]
    assert len({id(member) for member in population.draw(rng, 3)}) == 3


def test_contacts_of_an_icosahedron() -> None:
    composition = Composition.parse("Cu13")
    bonds = bonds_of(composition)
    ball = next(
        cluster
        for seed in range(50)
        if max(coordination(cluster := STARTS["icosahedral"](np.random.default_rng(seed), composition, bonds), bonds))
        == 12
    )
    assert sorted(coordination(ball, bonds)) == [6] * 12 + [12]
