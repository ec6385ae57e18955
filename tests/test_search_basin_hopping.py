"""Basin hopping: which hops are accepted, who exchanges temperatures, how far is hopped; known minima; resuming."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hea_potential.search import Archive, search
from hea_potential.search.archive import Minimum
from hea_potential.search.basin_hopping import (
    ESCAPES,
    HOPS,
    WIDTHS,
    BasinHopping,
    Displacement,
    Ladder,
    Walker,
    accepts,
    exchanges,
)
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES
from hea_potential.search.pair import Pair
from hea_potential.search.starts import STARTS
from hea_potential.search.state import Run
from hea_potential.search.tasks import Result, Setup

LENNARD_JONES = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
ALLOY = Pair(("pair_style lj/cut 10.0", "pair_coeff 1 1 1.0 1.0", "pair_coeff 2 2 0.8 1.2"), units="lj")


def setup_of(size: int = 13) -> Setup:
    moves = tuple({**MOVES, **HOPS}.items())
    starts = (("random", STARTS["random"]),)
    return Setup(Composition(("Ar",), (size,)), LENNARD_JONES, ((1.12,),), Limits(), starts, moves, seed=1)


def minimum(number: int, energy: float) -> Minimum:
    positions = np.random.default_rng(number).normal(size=(13, 3))
    return Minimum(
        number=number,
        energy=energy,
        cluster=Cluster(np.zeros(13, int), positions),
        fingerprint=np.zeros(1, np.float32),
        task=0,
        operator="random",
        quench="plain",
        parents=(),
        found_after=0.0,
        motif="amorphous",
        point_group="C1",
    )


def absorb(method: BasinHopping, number: int, found: Minimum | None) -> None:
    """Propose task `number`, and let it end in a minimum or in none."""
    task = method.propose(number)
    outcome = "minimum" if found else "fragmented"
    method.absorb(Result(number, task.operator, task.parent_ids, outcome), found, is_new=False)


def test_walks_visit_minima_as_boltzmann_says() -> None:
    rng = np.random.default_rng(1)
    levels = np.array([0.0, 0.3, 1.0, 2.5])
    visits = np.zeros(4)
    place = 0
    for _ in range(40_000):
        other = rng.integers(4)
        if accepts(rng, levels[other] - levels[place], temperature=0.7):
            place = other
        visits[place] += 1
    weights = np.exp(-levels / 0.7)
    # Of 40,000 correlated steps a share has an error below 0.005.
    np.testing.assert_allclose(visits / visits.sum(), weights / weights.sum(), atol=0.02)


def test_exchange_keeps_both_boltzmann_distributions() -> None:
    rng = np.random.default_rng(2)
    levels = np.array([0.0, 0.4, 1.5])
    temperatures = (0.3, 1.1)
    places = [0, 0]
    visits = np.zeros((2, 3))
    for _ in range(40_000):
        for walker, temperature in enumerate(temperatures):
            other = rng.integers(3)
            if accepts(rng, levels[other] - levels[places[walker]], temperature):
                places[walker] = other
        if exchanges(rng, *temperatures, *levels[places]):
            places.reverse()
        visits[[0, 1], places] += 1
    for walker, temperature in enumerate(temperatures):
        weights = np.exp(-levels / temperature)
        np.testing.assert_allclose(visits[walker] / visits[walker].sum(), weights / weights.sum(), atol=0.02)


def test_the_colder_walker_always_takes_the_lower_energy() -> None:
    rng = np.random.default_rng(3)
    assert all(exchanges(rng, 0.1, 0.2, energy_cold=-1.0, energy_hot=-2.0) for _ in range(100))
    assert not any(exchanges(rng, 0.1, 0.2, energy_cold=-100.0, energy_hot=-2.0) for _ in range(100))


def test_a_width_settles_where_the_wanted_share_of_hops_leaves() -> None:
    rng = np.random.default_rng(4)
    walker = Walker(rung=0, width=0.15)
    steps = []
    for _ in range(3000):
        walker.adapt(left=bool(rng.uniform() < walker.width / 0.5))  # so that ESCAPES leave at 0.5 ESCAPES
        steps.append(walker.width)
    assert np.mean(steps[500:]) == pytest.approx(0.5 * ESCAPES, abs=0.02)


def test_a_hop_displaces_every_coordinate_up_to_its_width() -> None:
    parent = Cluster(np.zeros(500, int), np.zeros((500, 3)))
    moved = Displacement(0.3)(np.random.default_rng(5), [parent], np.array([[2.0]])).positions
    assert 0.59 < np.abs(moved).max() < 0.6
    assert np.abs(moved).mean() == pytest.approx(0.3, abs=0.02)
    assert list(HOPS) == sorted(HOPS)
    assert len(HOPS) == len(WIDTHS)


def test_temperatures_follow_the_scale_of_the_energies() -> None:
    for unit in (1.0, 96.5):
        ladder = Ladder(4)
        ladder.rises.extend(unit * np.array([0.1, 1.0, 30.0]))
        steps = [ladder.temperature(rung) / unit for rung in range(4)]
        assert steps == sorted(steps)
        np.testing.assert_allclose(np.diff(np.log(steps)), np.diff(np.log(steps)).mean())
        assert steps[0] == pytest.approx(0.05)  # of the median


def test_a_walker_goes_downhill_and_hops_from_where_it_is() -> None:
    method = BasinHopping(setup_of(), walkers=2)
    high, low = minimum(0, -10.0), minimum(1, -20.0)
    absorb(method, 0, high)
    absorb(method, 1, None)
    assert method.walkers[0].place is high
    assert method.walkers[1].place is None
    assert method.propose(3).parents == ()  # its start failed: another one
    absorb(method, 2, low)
    assert method.walkers[0].place is low
    task = method.propose(4)
    assert task.parent_ids[0] == 1
    assert np.array_equal(task.parents[0].positions, low.cluster.positions)


def test_hops_far_uphill_are_refused_and_lost_ones_do_not_move() -> None:
    method = BasinHopping(setup_of(), walkers=1)
    low = minimum(0, -50.0)
    absorb(method, 0, low)
    method.ladder.rises.extend([1.0] * 100)
    for number in range(1, 60):
        absorb(method, number, minimum(number, 0.0) if number % 2 else None)
        assert method.walkers[0].place is low


def test_a_walker_that_stagnates_begins_again_and_forgets_what_was_under_way() -> None:
    method = BasinHopping(setup_of(), walkers=1, patience=10)
    low = minimum(0, -50.0)
    absorb(method, 0, low)
    under_way = method.propose(12)  # as with a window wider than the walkers
    for number in range(1, 12):
        absorb(method, number, low)
    assert method.restarts == 1
    assert method.walkers[0].place is None
    assert method.propose(13).parents == ()
    method.absorb(Result(12, under_way.operator, under_way.parent_ids, "minimum"), minimum(1, -60.0), is_new=True)
    assert method.walkers[0].place is None
    fresh = minimum(2, -30.0)
    method.absorb(Result(13, "random", (), "minimum"), fresh, is_new=True)
    assert method.walkers[0].place is fresh


@pytest.mark.parametrize(("size", "energy"), [(13, -44.326801), (19, -72.659782)])
def test_known_clusters_are_found_from_random_starts(size: int, energy: float) -> None:
    for seed in range(3):
        archive = search(f"Ar{size}", pair=LENNARD_JONES, method="bh", budget=2000, target=energy, seed=seed)
        assert archive is not None
        assert archive.lowest(1)[0].energy == pytest.approx(energy, abs=1e-4)


def entries(folder: Path) -> list[dict[str, Any]]:
    """What a journal says, without the times."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    return [
        {k: v for k, v in line.items() if k not in ("seconds", "quench_seconds", "elapsed", "check")} for line in lines
    ]


def test_a_resumed_run_equals_one_that_was_never_stopped(tmp_path: Path) -> None:
    def run(folder: str, budget: int) -> Run:
        runs: list[Run] = []
        found = search(
            "Ar6Kr6", pair=ALLOY, method="bh", budget=budget, seed=5, out=tmp_path / folder, observers=[runs.append]
        )
        assert isinstance(found, Archive)
        return runs[-1]

    run("parts", 70)
    run("parts", 130)
    parts = run("parts", 200)
    whole = run("whole", 200)
    assert entries(tmp_path / "parts") == entries(tmp_path / "whole")
    assert isinstance(parts.method, BasinHopping)
    assert isinstance(whole.method, BasinHopping)
    assert [walker.rung for walker in parts.method.walkers] == [walker.rung for walker in whole.method.walkers]
    assert parts.method.exchanged == whole.method.exchanged > 0
    used = {entry["operator"] for entry in entries(tmp_path / "whole")[1:]}
    assert len(used & set(HOPS)) > 1
    assert "exchange" in used


def test_a_single_atom_is_searched() -> None:
    archive = search("Ar1", pair=LENNARD_JONES, method="bh", budget=30, seed=1)
    assert archive is not None
    assert len(archive) == 1
