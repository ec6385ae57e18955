"""Which minima of alloys are followed: in what order, how far, and what is learnt of it."""

from __future__ import annotations

import numpy as np

from hea_potential.search.archive import Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.geometry import Cluster
from hea_potential.search.homotops import homotop_moves
from hea_potential.search.improvement import Improver
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES
from hea_potential.search.pair import Pair
from hea_potential.search.population import KIN, NEIGHBOUR, Population
from hea_potential.search.similarity import fingerprint, similarities
from hea_potential.search.starts import STARTS
from hea_potential.search.tasks import Result, Setup, Task

COMPOSITION = Composition.parse("Cu5Au8")
BONDS = np.full((2, 2), 2.6)
PAIR = Pair.of_model("hea6", COMPOSITION)


def minimum_of(number: int, energy: float) -> Minimum:
    """A minimum of a random packing; others have other numbers."""
    cluster = STARTS["random"](np.random.default_rng(number), COMPOSITION, BONDS).ordered()
    described = fingerprint(cluster, BONDS)
    return Minimum(number, energy, cluster, described, number, "random", "plain", (), 0.0, "amorphous", "C1")


class Bench:
    """An improver and a population; tells results of tasks that were proposed."""

    def __init__(self) -> None:
        self.improver = Improver(homotop_moves(COMPOSITION, PAIR))
        self.population = Population(20)
        self.number = 0

    def enter(self, minimum: Minimum, origin: str = "surface") -> bool:
        """A start or another move made a minimum."""
        entered = self.population.offer(minimum)
        result = Result(1000 + minimum.number, origin, (), "minimum", minimum.energy)
        self.improver.absorb(result, minimum, True, entered)
        return entered

    def propose(self) -> Task | None:
        """The next task."""
        self.number += 1
        return self.improver.propose(self.number, self.population)

    def answer(self, task: Task, minimum: Minimum | None, is_new: bool = True) -> list[str]:
        """What the task made; returns what has proved a success."""
        entered = minimum is not None and self.population.offer(minimum)
        outcome = "minimum" if minimum else "lost"
        result = Result(task.number, task.operator, task.parent_ids, outcome, 0.0)
        return self.improver.absorb(result, minimum, is_new, entered)


def operators_of(bench: Bench, answers: list[Minimum | None]) -> list[str]:
    """The operators of a chain whose tasks end with these minima."""
    names = []
    for answer in answers:
        task = bench.propose()
        assert task is not None
        names.append(task.operator)
        bench.answer(task, answer)
    assert bench.propose() is None
    return names


def test_moves_follow_in_turn_as_long_as_they_gain() -> None:
    bench = Bench()
    assert bench.enter(minimum_of(0, -10.0))
    assert operators_of(bench, [None, None, None]) == ["reorder", "settle", "orderings"]
    bench.enter(minimum_of(1, -11.0))
    # The second reorder does not gain on what settle made: settle has nothing to gain either.
    lower = [minimum_of(2, -12.0), minimum_of(3, -13.0), minimum_of(4, -12.5), None]
    assert operators_of(bench, lower) == ["reorder", "settle", "reorder", "orderings"]
    bench.enter(minimum_of(5, -14.0))
    lower = [None, None, minimum_of(6, -15.0), None, None]
    assert operators_of(bench, lower) == ["reorder", "settle", "orderings", "reorder", "settle"]


def test_what_is_known_is_not_followed() -> None:
    bench = Bench()
    known = minimum_of(0, -10.0)
    bench.improver.absorb(Result(7, "surface", (), "minimum", -10.0), known, False, False)
    assert bench.propose() is None
    bench.enter(minimum_of(1, -9.0))
    task = bench.propose()
    assert task is not None
    bench.answer(task, known, is_new=False)
    assert bench.propose() is None


def test_only_what_the_usual_gain_would_bring_in_is_followed() -> None:
    bench = Bench()
    for number in range(20):
        bench.enter(minimum_of(number, -10.0 - 0.1 * number))
    while task := bench.propose():  # none of them gains
        bench.answer(task, None)
    above = bench.population.members[-1].energy
    for number in range(100, 130):  # those of another move gain 0.5 each; that is learnt
        bench.enter(minimum_of(number, above + 0.3), "twist")
        if task := bench.propose():
            bench.answer(task, minimum_of(number + 1000, above - 0.2))
        bench.improver.waiting.clear()
        bench.population.members = bench.population.members[:20]
        above = bench.population.members[-1].energy
    assert not bench.enter(minimum_of(200, above + 0.05), "surface")
    assert bench.propose() is None
    assert bench.enter(minimum_of(201, above - 0.01), "surface")
    task = bench.propose()
    assert task is not None
    assert task.parent_ids == (201,)


def test_costlier_moves_follow_only_what_may_become_the_lowest() -> None:
    bench = Bench()
    bench.population.offer(minimum_of(0, -20.0))
    for number in range(1, 11):  # settle gains 0.1, reorder nothing; that is learnt
        bench.enter(minimum_of(number, -19.7), "twist")
        while task := bench.propose():
            bench.answer(task, minimum_of(100 + number, -19.8) if task.operator == "settle" else None)
    followed = {}
    for number, energy in ((50, -19.85), (51, -19.95)):
        assert bench.enter(minimum_of(number, energy), "twist")
        followed[energy] = []
        while task := bench.propose():
            followed[energy].append(task.operator)
            bench.answer(task, None)
    assert followed == {-19.85: ["reorder"], -19.95: ["reorder", "settle"]}


def test_a_success_is_what_a_minimum_leads_to() -> None:
    bench = Bench()
    for number in range(20):
        bench.population.offer(minimum_of(number, -10.0 - 0.1 * number))
    assert not bench.enter(minimum_of(50, -9.0), "twist")
    reorder = bench.propose()
    assert reorder is not None
    assert bench.answer(reorder, minimum_of(51, -14.0)) == ["reorder"]
    settle = bench.propose()
    assert settle is not None
    assert bench.answer(settle, minimum_of(52, -15.0)) == ["settle"]
    again = bench.propose()
    assert again is not None
    assert bench.answer(again, None) == []
    orderings = bench.propose()
    assert orderings is not None
    assert bench.answer(orderings, None) == ["twist"]  # once, at the end


def test_to_put_right_what_was_made_worse_is_no_success() -> None:
    bench = Bench()
    known = minimum_of(0, -10.0)
    bench.population.offer(known)
    assert bench.enter(minimum_of(1, -9.0), "exchange")
    task = bench.propose()
    assert task is not None
    assert bench.answer(task, known, is_new=False) == []
    assert bench.propose() is None


def test_the_genetic_algorithm_follows_minima_of_alloys() -> None:
    moves = tuple({**MOVES, **homotop_moves(COMPOSITION, PAIR)}.items())
    setup = Setup(COMPOSITION, PAIR, ((2.6, 2.6), (2.6, 2.6)), Limits(), tuple(STARTS.items()), moves, seed=1)
    method = GeneticAlgorithm(setup, capacity=2)
    first = method.propose(0)
    minimum = minimum_of(0, -1.0)
    method.absorb(Result(0, first.operator, (), "minimum", -1.0), minimum, True)
    second = method.propose(1)
    assert (second.operator, second.parent_ids) == ("reorder", (0,))
    chosen = {method.propose(number).operator for number in range(2, 200)}
    assert not {"reorder", "settle"} & chosen
    assert {"orderings", "exchange", "random"} <= chosen


def test_a_champion_of_an_alloy_bars_its_neighbours_alone() -> None:
    champion = minimum_of(0, -10.0)
    population = Population(4, rivals=[champion])

    def shaken(number: int, width: float) -> Minimum:
        noise = np.random.default_rng(number).normal(scale=width, size=(13, 3))
        cluster = Cluster(champion.cluster.types, champion.cluster.positions + noise)
        described = fingerprint(cluster, BONDS)
        return Minimum(number, -9.9, cluster, described, number, "random", "plain", (), 0.0, "amorphous", "C1")

    neighbour, kin = shaken(1, 0.01), shaken(1, 0.045)
    assert similarities(neighbour.fingerprint, [champion.fingerprint])[0] > NEIGHBOUR
    assert KIN < similarities(kin.fingerprint, [champion.fingerprint])[0] < NEIGHBOUR
    assert not population.offer(neighbour)
    assert population.offer(kin)
    assert not population.offer(shaken(2, 0.0))
