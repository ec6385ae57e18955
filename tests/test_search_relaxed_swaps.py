"""Swaps judged with their relaxation: second derivatives, ranks beside true minimisations, where a descent ends."""

from __future__ import annotations

import tracemalloc
from functools import partial

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Icosahedron
from scipy.stats import spearmanr

from hea_potential import HEACalculator
from hea_potential.search.bonds import bonds_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster
from hea_potential.search.homotops import potential_of
from hea_potential.search.minimise import Limits, Minimiser, Quench
from hea_potential.search.orderings import Types
from hea_potential.search.pair import Pair
from hea_potential.search.relaxed_swaps import (
    RelaxedSwaps,
    State,
    Substitutions,
    settled,
    state_of,
    swapped,
)

COMPOSITION = Composition.parse("Cu4Ag5Pt4")
POTENTIAL = potential_of("hea6", COMPOSITION.symbols)


@pytest.fixture(scope="module")
def minimiser() -> Minimiser:
    pair = Pair.of_model("hea6", COMPOSITION)
    return Minimiser(COMPOSITION, pair, np.array(bonds_of(COMPOSITION.symbols, pair)), Limits(fmax=0.001))


def minimised(minimiser: Minimiser, state: Cluster) -> Quench:
    quench = minimiser(state.ordered())
    assert quench.outcome == "minimum"
    return quench


@pytest.fixture(scope="module")
def relaxed_icosahedron(minimiser: Minimiser) -> State:
    """An icosahedron with a poor ordering, relaxed."""
    types = np.random.default_rng(1).permutation(COMPOSITION.types)
    cluster = minimised(minimiser, Cluster(types, Icosahedron("Pd", 2).positions)).cluster
    return state_of(POTENTIAL, cluster.types.astype(np.int32), cluster.positions)


def test_states_have_the_energy_and_forces_of_the_model(relaxed_icosahedron: State) -> None:
    positions = relaxed_icosahedron.positions + np.random.default_rng(2).normal(scale=0.2, size=(13, 3))
    positions[0] += 2.0
    state = state_of(POTENTIAL, relaxed_icosahedron.types, positions)
    symbols = [COMPOSITION.symbols[kind] for kind in relaxed_icosahedron.types]
    atoms = Atoms(symbols, positions, calculator=HEACalculator("hea6", precision="single"))
    assert state.energy == pytest.approx(atoms.get_potential_energy(), abs=1e-4)
    assert state.forces == pytest.approx(atoms.get_forces().ravel(), abs=1e-3)


def test_a_newton_step_goes_back_to_the_minimum(relaxed_icosahedron: State) -> None:
    given = relaxed_icosahedron
    swaps = RelaxedSwaps(POTENTIAL, given.types, given.positions)
    softness = swaps.softness
    assert softness == pytest.approx(softness.T, abs=1e-9)
    # Translations have no softness, or the rounding of the forces would send the cluster away.
    assert np.abs(np.tile(np.eye(3), (13, 1)).T @ softness @ np.tile(np.eye(3), (13, 1))).max() / 13 < 0.01
    shifts = np.random.default_rng(3).normal(scale=0.02, size=(13, 3))
    away = swaps.surface(given.types, given.positions + shifts)
    back = swaps.surface(given.types, away.positions + (softness @ away.forces).reshape(-1, 3))
    assert back.energy - given.energy < 0.1 * (away.energy - given.energy)
    assert swaps.gain_ahead(away) == pytest.approx(away.energy - given.energy, rel=0.5)
    assert swaps.relaxed(away).energy - given.energy < 0.01 * (away.energy - given.energy)
    assert swaps.relaxed(away, away.energy - 3.0 * swaps.gain_ahead(away)) is away  # cannot get as low as that


def test_substitutions_follow_the_atoms_that_changed(relaxed_icosahedron: State) -> None:
    surface = partial(state_of, POTENTIAL)
    substitutions = Substitutions(surface, relaxed_icosahedron)
    pair = np.array([0, int(np.argmax(relaxed_icosahedron.types != relaxed_icosahedron.types[0]))])
    after = surface(swapped(relaxed_icosahedron.types, pair), relaxed_icosahedron.positions)
    before = substitutions.energies.copy()
    substitutions.follow(after)
    exact = Substitutions(surface, after)
    assert substitutions.energies[pair] == pytest.approx(exact.energies[pair], abs=1e-4)
    assert substitutions.forces[pair] == pytest.approx(exact.forces[pair], abs=1e-4)
    others = np.setdiff1d(np.arange(13), pair)
    assert np.array_equal(substitutions.energies[others], before[others])
    assert np.abs(exact.energies[pair] - before[pair]).max() > 0.1


def test_swaps_rank_as_their_minimisations_do(
    minimiser: Minimiser, relaxed_icosahedron: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hea_potential.search.relaxed_swaps.TRIED", 1000)
    given = relaxed_icosahedron
    pairs, steps = RelaxedSwaps(POTENTIAL, given.types, given.positions).promising(given)
    types = given.types
    assert len(pairs) == 4 * 5 + 4 * 4 + 5 * 4
    assert (types[pairs[:, 0]] != types[pairs[:, 1]]).all()
    assert np.linalg.norm(steps, axis=2).max() < 0.36
    orderings = [swapped(types, pair) for pair in pairs]
    true = [minimised(minimiser, Cluster(each.astype(np.int64), given.positions)).energy for each in orderings]
    assert spearmanr(np.arange(len(pairs)), true)[0] > 0.85
    assert int(np.argmin(true)) < 8


def test_swaps_looked_at_a_few_at_a_time_are_the_same_and_take_less_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The steps of all swaps of a cluster take memory by the third power of its size."""
    types = np.random.default_rng(5).integers(3, size=55).astype(np.int32)
    swaps = RelaxedSwaps(POTENTIAL, types, Icosahedron("Pd", 3).positions)
    monkeypatch.setattr("hea_potential.search.relaxed_swaps.TRIED", 4)
    found, peaks = [], []
    for numbers in (10**6, 10**4):
        monkeypatch.setattr("hea_potential.search.relaxed_swaps.AT_ONCE", numbers)
        tracemalloc.start()
        found.append(swaps.promising(swaps.given))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    for one, other in zip(*found, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-12)
    assert peaks[1] < 0.5 * peaks[0]


def test_descents_and_minimisations_end_where_no_swap_gains(minimiser: Minimiser, relaxed_icosahedron: State) -> None:
    given = relaxed_icosahedron
    energies = [given.energy]
    cluster = Cluster(given.types.astype(np.int64), given.positions)
    while len(energies) < 10:
        found = settled(POTENTIAL, cluster.types.astype(np.int32), cluster.positions)
        assert np.array_equal(np.sort(found.types), COMPOSITION.types)
        quench = minimised(minimiser, Cluster(found.types.astype(np.int64), found.positions))
        if quench.energy > energies[-1] - 1e-3:
            break
        assert found.energy - quench.energy < 0.1  # nearly relaxed
        energies.append(quench.energy)
        cluster = quench.cluster.ordered()
    assert energies[1] < energies[0] - 0.5  # most is gained at once
    assert not np.array_equal(found.types, cluster.types)  # where nothing gains, another ordering is returned
    unlike = np.argwhere(np.triu(cluster.types[:, None] != cluster.types[None, :]))
    orderings: list[Types] = [swapped(cluster.types.astype(np.int32), pair) for pair in unlike]
    swaps = [minimised(minimiser, Cluster(each.astype(np.int64), cluster.positions)).energy for each in orderings]
    assert min(swaps) > energies[-1] - 1e-3


def test_two_atoms_have_nowhere_to_go() -> None:
    """Beside translations and rotations nothing is left of their six coordinates."""
    types, positions = np.array([0, 1], np.int32), np.array([[0.0, 0.0, 0.0], [2.5, 0.0, 0.0]])
    found = settled(POTENTIAL, types, positions)
    assert found.types.tolist() == [1, 0]
    assert np.array_equal(found.positions, positions)
