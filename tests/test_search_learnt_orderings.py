"""The model of orderings beside energies that it can express and enumeration; what is learnt beside descents."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import plain_orderings as plain
import pytest
from ase.cluster import Icosahedron

from hea_potential.search.bonds import bonds_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.homotops import homotop_moves, potential_of
from hea_potential.search.learnt_orderings import Trials, learnt
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.ordering_model import CLASSES, OrderingModel
from hea_potential.search.orderings import Types
from hea_potential.search.pair import Pair
from hea_potential.search.relaxed_swaps import State, settled, state_of

SITES = Icosahedron("Pd", 2).positions
TYPES = np.repeat(np.arange(3), [4, 5, 4]).astype(np.int32)
COMPOSITION = Composition.parse("Cu4Ag5Pt4")
POTENTIAL = potential_of("hea6", COMPOSITION.symbols)


def taught(rng: np.random.Generator, orderings: Types, energies: Floats) -> OrderingModel:
    """A model of orderings of the icosahedron that has learnt these energies."""
    model = OrderingModel(SITES, 3)
    model.learn(model.described(orderings), energies)
    return model


@pytest.fixture(scope="module")
def expressible() -> tuple[Types, Floats]:
    """Orderings (m, 13), and energies that are sums over sites and bonds: a random number for each element on a site,
    and for each pair of elements on bonds to the centre and on the surface.
    """
    rng = np.random.default_rng(1)
    orderings = np.array([rng.permutation(TYPES) for _ in range(1500)])
    on_sites = rng.normal(scale=0.3, size=(13, 3))
    pairs = rng.normal(scale=0.1, size=(2, 3, 3))
    energies = on_sites[np.arange(13), orderings].sum(axis=1)
    distances = np.linalg.norm(SITES[:, None] - SITES[None, :], axis=2)
    for one, other in np.argwhere(np.triu(distances < 3.2, 1)):
        bond = pairs[int(one > 0)]
        energies += (bond + bond.T)[orderings[:, one], orderings[:, other]]
    return orderings, energies - 100.0


def test_energies_of_sites_and_bonds_are_learnt(expressible: tuple[Types, Floats]) -> None:
    orderings, energies = expressible
    model = taught(np.random.default_rng(2), orderings[:1000], energies[:1000])
    predicted = np.array([model.energy(types) for types in orderings[1000:]])
    assert energies.std() > 0.5
    assert np.abs(predicted - energies[1000:]).max() < 0.05 * energies.std()  # the ridge leaves that much


def test_descriptions_count_each_site_and_each_pair_once(expressible: tuple[Types, Floats]) -> None:
    model = OrderingModel(SITES, 3)
    described = model.described(expressible[0])
    assert described.shape == (1500, 13 * 3 + CLASSES * 6)
    assert (described[:, :39].sum(axis=1) == 13).all()
    # An icosahedron has 42 bonds, of which 12 to the centre, and 30 pairs of second neighbours at less than 1.75 bonds.
    counts = (described[:, 39:] / model.scales).reshape(-1, CLASSES, 6).sum(axis=2)
    assert counts == pytest.approx(np.tile([30, 0, 12, 0, 0, 30], (1500, 1)))


def test_a_walk_knows_the_energies_of_what_it_meets(expressible: tuple[Types, Floats]) -> None:
    model = taught(np.random.default_rng(2), *expressible)
    types = expressible[0][0]
    met, energies = model.walk(np.random.default_rng(3), types, 60)
    assert len({ordering.tobytes() for ordering in met}) > 30  # it does not turn in a circle
    assert (np.sort(met, axis=1) == TYPES).all()
    assert energies == pytest.approx([model.energy(ordering) for ordering in met], abs=1e-9)
    neighbours = []
    for one, other in combinations(range(13), 2):
        neighbours.append(types.copy())
        neighbours[-1][[one, other]] = types[[other, one]]
    swaps = [model.energy(each) for each in neighbours if not np.array_equal(each, types)]
    assert energies[0] == pytest.approx(min(swaps), abs=1e-9)


def test_the_field_of_an_ordering_is_added_up_in_the_order_of_sites(expressible: tuple[Types, Floats]) -> None:
    model = taught(np.random.default_rng(2), *expressible)
    same = plain.Orderings(model.sites, model.first, model.second, model.classes, model.by_class)
    for types in expressible[0][:20]:
        assert np.array_equal(model.field(types), same.field(types))


def test_walks_meet_the_lowest_of_all_orderings() -> None:
    rng = np.random.default_rng(4)
    orderings = np.zeros((286, 13), np.int32)
    for ordering, sites in zip(orderings, combinations(range(13), 3), strict=True):
        ordering[list(sites)] = 1
    model = OrderingModel(SITES, 2)
    model.learn(model.described(orderings), rng.normal(size=286))
    energies = [model.energy(types) for types in orderings]
    # Twenty steps meet one tenth of the orderings.
    for types in orderings[rng.integers(286, size=5)]:
        assert model.walk(rng, types, 20)[1].min() == pytest.approx(min(energies), abs=1e-9)


def test_no_walk_without_unlike_atoms() -> None:
    model = OrderingModel(SITES, 1)
    alike = np.zeros((2, 13), np.int32)
    model.learn(model.described(alike), np.array([-1.0, -1.0]))
    assert model.energy(alike[0]) == pytest.approx(-1.0)
    assert model.walk(np.random.default_rng(5), alike[0], 10)[0].shape == (0, 13)


@pytest.fixture(scope="module")
def relaxed_icosahedron() -> State:
    """An icosahedron with a poor ordering, relaxed."""
    pair = Pair.of_model("hea6", COMPOSITION)
    minimiser = Minimiser(COMPOSITION, pair, np.array(bonds_of(COMPOSITION.symbols, pair)), Limits(fmax=0.001))
    types = np.random.default_rng(1).permutation(COMPOSITION.types)
    quench = minimiser(Cluster(types, SITES).ordered())
    assert quench.outcome == "minimum"
    cluster = quench.cluster
    return state_of(POTENTIAL, cluster.types.astype(np.int32), cluster.positions)


def test_what_is_learnt_predicts_relaxed_orderings(relaxed_icosahedron: State) -> None:
    rng = np.random.default_rng(6)
    trials = Trials(POTENTIAL, relaxed_icosahedron.types, relaxed_icosahedron.positions)
    assert trials.energies == {relaxed_icosahedron.types.tobytes(): pytest.approx(relaxed_icosahedron.energy, abs=1e-3)}
    trials.relax([trials.model.shuffled(rng, relaxed_icosahedron.types, 4) for _ in range(150)])
    trials.learn()
    known = set(trials.states)
    unknown = trials.promising(rng, 20)
    assert unknown
    assert not known & {types.tobytes() for types in unknown}
    trials.relax(unknown)
    energies = np.array([trials.energies[types.tobytes()] for types in unknown])
    predicted = np.array([trials.model.energy(types) for types in unknown])
    everything = np.array(list(trials.energies.values()))
    assert np.sqrt(np.square(predicted - energies).mean()) < 0.3 * everything.std()
    assert energies.mean() < np.quantile(everything, 0.25)


def test_learnt_orderings_are_as_low_as_the_lowest_of_many_descents(relaxed_icosahedron: State) -> None:
    types, positions = relaxed_icosahedron.types, relaxed_icosahedron.positions
    found = learnt(np.random.default_rng(7), POTENTIAL, types, positions)
    again = learnt(np.random.default_rng(7), POTENTIAL, types, positions)
    assert np.array_equal(found.types, again.types)
    assert np.array_equal(found.positions, again.positions)
    assert np.array_equal(np.sort(found.types), COMPOSITION.types)
    rng = np.random.default_rng(8)
    descents = [settled(POTENTIAL, rng.permutation(types), positions).energy for _ in range(10)]
    assert found.energy < min(descents) + 0.01
    # From the lowest another one is returned.
    other = learnt(np.random.default_rng(9), POTENTIAL, found.types, found.positions)
    assert not np.array_equal(other.types, found.types)


def test_two_atoms_have_two_orderings() -> None:
    types, positions = np.array([0, 1], np.int32), np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]])
    found = learnt(np.random.default_rng(10), POTENTIAL, types, positions)
    assert found.types.tolist() == [1, 0]


def test_searches_refine_by_what_they_learn() -> None:
    move = homotop_moves(COMPOSITION, Pair.of_model("hea6", COMPOSITION))["orderings"]
    assert move.refines
    parent = Cluster(COMPOSITION.types, SITES)
    made = move.apply(np.random.default_rng(11), [parent], np.full((3, 3), 2.6))
    assert np.array_equal(np.sort(made.types), COMPOSITION.types)
    assert not np.array_equal(made.types, parent.types)
