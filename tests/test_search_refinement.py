"""Which minima of alloys are refined: the lowest again and again, until that was in vain often enough."""

from __future__ import annotations

import numpy as np

from hea_potential.search.archive import Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.homotops import homotop_moves
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES
from hea_potential.search.pair import Pair
from hea_potential.search.population import Population
from hea_potential.search.refinement import PATIENCE, Refiner
from hea_potential.search.similarity import fingerprint
from hea_potential.search.starts import STARTS
from hea_potential.search.tasks import Result, Setup

COMPOSITION = Composition.parse("Cu15Au20")
USES = 1 + round(PATIENCE * 15 * 20)
BONDS = np.full((2, 2), 2.6)
MOVES_OF_ALLOY = {**MOVES, **homotop_moves(COMPOSITION, Pair.of_model("hea6", COMPOSITION))}


def minimum_of(number: int, energy: float) -> Minimum:
    """A minimum of a random packing; others have other numbers."""
    cluster = STARTS["random"](np.random.default_rng(number), COMPOSITION, BONDS).ordered()
    described = fingerprint(cluster, BONDS)
    return Minimum(number, energy, cluster, described, number, "random", "plain", (), 0.0, "amorphous", "C1")


class Bench:
    """A refiner and a population of minima with these energies, numbered from 0."""

    def __init__(self, *energies: float) -> None:
        self.refiner = Refiner(MOVES_OF_ALLOY, COMPOSITION)
        self.population = Population(20)
        self.tasks = 0
        for number, energy in enumerate(energies):
            assert self.population.offer(minimum_of(number, energy))

    def use(self, found: Minimum | None = None) -> int | None:
        """The number of the minimum that is refined next; the task finds another one, or nothing."""
        self.tasks += 1
        task = self.refiner.propose(self.tasks, self.population)
        if task is None:
            return None
        assert task.operator == "orderings"
        if found is not None:
            assert self.population.offer(found)
        outcome = "minimum" if found else "lost"
        self.refiner.absorb(Result(task.number, task.operator, task.parent_ids, outcome))
        return task.parent_ids[0]


def test_the_lowest_is_refined_until_it_was_in_vain_often_enough() -> None:
    bench = Bench(-10.0, -9.5, -9.0)
    lowest = bench.population.members[0]
    for use in range(USES):
        assert not bench.refiner.is_done(lowest)
        assert bench.use() == 0, use
    assert bench.refiner.is_done(lowest)
    assert bench.use() is None


def test_what_was_gained_is_refined_anew() -> None:
    bench = Bench(-10.0, -9.0)
    assert bench.use(minimum_of(50, -10.2)) == 0
    assert [bench.use() for _ in range(USES + 1)] == [50] * USES + [None]


def test_one_use_is_under_way_at_a_time() -> None:
    bench = Bench(-10.0, -9.5)
    task = bench.refiner.propose(1, bench.population)
    assert task is not None
    assert bench.refiner.propose(2, bench.population) is None
    bench.refiner.absorb(Result(1, task.operator, task.parent_ids, "lost"))
    assert bench.refiner.propose(3, bench.population) is not None


def test_searches_refine_once_their_population_is_filled_and_restart_after_that() -> None:
    pair = Pair.of_model("hea6", COMPOSITION)
    setup = Setup(
        COMPOSITION, pair, ((2.6, 2.6), (2.6, 2.6)), Limits(), tuple(STARTS.items()), tuple(MOVES_OF_ALLOY.items()), 1
    )
    method = GeneticAlgorithm(setup, capacity=5, patience=10)
    operators = []
    for number in range(2000):
        task = method.propose(number)
        operators.append(task.operator)
        minimum = minimum_of(number, -1.0) if number == 0 else None
        outcome = "minimum" if minimum else "lost"
        method.absorb(Result(number, task.operator, task.parent_ids, outcome, calls=50), minimum, minimum is not None)
        if method.restarts:
            break
    assert operators.count("orderings") == USES
    # One follows the minimum when it is new, the others come when the population has its five starts.
    assert operators[1:4] == ["reorder", "settle", "orderings"]
    assert not {"reorder", "settle", "orderings"} & set(operators[4:8])
    assert number > 10
    assert method.champions[0].number == 0
    one_element = Refiner(MOVES, Composition.parse("Cu13"))
    assert one_element.propose(1, method.population) is None
    assert one_element.is_done(method.champions[0])
