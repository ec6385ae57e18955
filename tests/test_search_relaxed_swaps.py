"""Swaps judged with their relaxation: second derivatives, ranks beside true minimisations, where a descent ends."""

from __future__ import annotations

import numpy as np
import pytest
from ase.cluster import Icosahedron
from scipy.stats import spearmanr

from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster
from hea_potential.search.homotops import potential_of
from hea_potential.search.minimise import Limits, Minimiser, Quench
from hea_potential.search.orderings import Types
from hea_potential.search.pair import Pair
from hea_potential.search.plan import bonds_of
from hea_potential.search.relaxed_swaps import (
    State,
    Surface,
    inverse_hessian,
    promising_swaps,
    settled,
    state_at,
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
    return state_at(POTENTIAL, cluster.types.astype(np.int32), cluster.positions)


def test_displaced_energies_are_those_of_the_displaced_cluster(relaxed_icosahedron: State) -> None:
    shifts = np.random.default_rng(2).normal(scale=0.01, size=(13, 3))
    types, positions = relaxed_icosahedron.types, relaxed_icosahedron.positions
    energy, forces = Surface(POTENTIAL, positions)(types, shifts)
    there = state_at(POTENTIAL, types, positions + shifts)
    assert energy == pytest.approx(there.energy, abs=1e-4)
    assert forces == pytest.approx(there.forces, abs=1e-3)


def test_a_newton_step_goes_back_to_the_minimum(relaxed_icosahedron: State) -> None:
    given = relaxed_icosahedron
    softness = inverse_hessian(Surface(POTENTIAL, given.positions), given)
    assert softness == pytest.approx(softness.T, abs=1e-9)
    # Translations have no softness, or the rounding of the forces would send the cluster away.
    assert np.abs(np.tile(np.eye(3), (13, 1)).T @ softness @ np.tile(np.eye(3), (13, 1))).max() / 13 < 0.01
    shifts = np.random.default_rng(3).normal(scale=0.02, size=(13, 3))
    away = state_at(POTENTIAL, given.types, given.positions + shifts)
    back = state_at(POTENTIAL, given.types, away.positions + (softness @ away.forces).reshape(-1, 3))
    assert back.energy - given.energy < 0.1 * (away.energy - given.energy)


def test_swaps_rank_as_their_minimisations_do(
    minimiser: Minimiser, relaxed_icosahedron: State, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hea_potential.search.relaxed_swaps.TRIED", 1000)
    given = relaxed_icosahedron
    here = Surface(POTENTIAL, given.positions)
    softness = inverse_hessian(here, given)
    pairs, steps = promising_swaps(here, given, softness)
    types = given.types
    assert len(pairs) == 4 * 5 + 4 * 4 + 5 * 4
    assert (types[pairs[:, 0]] != types[pairs[:, 1]]).all()
    assert np.linalg.norm(steps, axis=2).max() < 0.36
    orderings = [swapped(types, pair) for pair in pairs]
    true = [minimised(minimiser, Cluster(each.astype(np.int64), given.positions)).energy for each in orderings]
    assert spearmanr(np.arange(len(pairs)), true)[0] > 0.85
    assert int(np.argmin(true)) < 8


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
