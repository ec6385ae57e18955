"""What the genetic algorithm decides by: success per cost, niches, and the memory of former champions."""

from __future__ import annotations

import numpy as np
import pytest

from hea_potential import clusters
from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.bandit import Bandit
from hea_potential.search.composition import Composition
from hea_potential.search.genetic import GeneticAlgorithm
from hea_potential.search.minimise import QUENCHES, Limits
from hea_potential.search.moves import MOVES
from hea_potential.search.pair import Pair
from hea_potential.search.population import Population
from hea_potential.search.similarity import fingerprint
from hea_potential.search.starts import STARTS
from hea_potential.search.tasks import Result, Setup, task_generator

BONDS = np.array([[1.12]])
COMPOSITION = Composition.parse("Ar13")


def minimum_of(number: int, energy: float, motif: str = "amorphous", seed: int | None = None) -> Minimum:
    """A minimum of a random packing; the same `seed` gives kin."""
    cluster = STARTS["random"](np.random.default_rng(number if seed is None else seed), COMPOSITION, BONDS).ordered()
    described = fingerprint(cluster, BONDS)
    return Minimum(number, energy, cluster, described, number, "random", "plain", (), 0.0, motif, "C1")


def algorithm(patience: int | None = None) -> GeneticAlgorithm:
    pair = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
    starts = (("random", STARTS["random"]), ("symmetric", STARTS["symmetric"]))
    setup = Setup(COMPOSITION, pair, ((1.12,),), Limits(), starts, tuple(MOVES.items()), seed=7)
    return GeneticAlgorithm(setup, capacity=4, patience=patience)


def shares(bandit: Bandit, names: tuple[str, ...]) -> dict[str, float]:
    rng = np.random.default_rng(0)
    chosen = [bandit.choose(rng, names) for _ in range(400)]
    return {name: chosen.count(name) / 400 for name in names}


def test_what_succeeds_is_chosen_more_often_and_nothing_dies_out() -> None:
    bandit = Bandit(("good", "poor"))
    for use in range(60):
        bandit.records["good"].enter(use % 2 == 0, 100)
        bandit.records["poor"].enter(use % 20 == 0, 100)
    found = shares(bandit, ("good", "poor"))
    assert found["good"] > 0.75
    assert found["poor"] > 0.08


def test_of_equal_successes_the_cheaper_one_is_chosen() -> None:
    bandit = Bandit(("cheap", "costly"))
    for use in range(60):
        bandit.records["cheap"].enter(use % 3 == 0, 50)
        bandit.records["costly"].enter(use % 3 == 0, 500)
    assert shares(bandit, ("cheap", "costly"))["cheap"] > 0.75


def test_what_was_never_used_is_tried() -> None:
    bandit = Bandit(("old", "new"))
    for _ in range(30):
        bandit.records["old"].enter(False, 100)
    assert shares(bandit, ("old", "new"))["new"] > 0.7


@pytest.mark.parametrize(
    "record", [(1.0, 2.0, 1.0), (1.0, -1.0, 1.0), (1.0, 1.0, -1.0), (np.nan, 0.0, 0.0), (1.0, 1.0, np.inf)]
)
def test_a_record_that_cannot_be_is_refused(record: tuple[float, float, float]) -> None:
    with pytest.raises(ValueError, match="0 <= successes <= uses"):
        clusters.most_promising(task_generator(1, 2, 0).bit_generator.capsule, [(1.0, 1.0, 1.0), record])


def test_each_motif_keeps_its_lowest_minima() -> None:
    population = Population(4)
    for number, energy in enumerate((-40.0, -41.0, -42.0, -43.0)):
        assert population.offer(minimum_of(number, energy, "icosahedral"))
    # Higher than all of them, and yet it has a place; a third one of its motif has none.
    assert population.offer(minimum_of(4, -30.0, "decahedral"))
    assert population.offer(minimum_of(5, -31.0, "decahedral"))
    assert not population.offer(minimum_of(6, -29.0, "decahedral"))
    assert [member.energy for member in population.members] == [-43.0, -42.0, -31.0, -30.0]


def test_a_motif_that_is_high_in_energy_is_drawn_evenly_but_hardly_by_energy() -> None:
    population = Population(6)
    for number in range(5):
        population.offer(minimum_of(number, -40.0 - 0.1 * number, "icosahedral"))
    population.offer(minimum_of(5, -30.0, "fcc"))
    rng = np.random.default_rng(0)
    assert 60 < [population.draw_evenly(rng).motif for _ in range(200)].count("fcc") < 140
    assert {population.draw_evenly(rng).number for _ in range(200)} == set(range(6))
    assert [population.draw(rng, 1)[0].motif for _ in range(200)].count("fcc") < 20


def test_annealing_is_tried_on_every_motif() -> None:
    method = algorithm()
    method.to_start = 0
    motifs = ["icosahedral"] * 3 + ["fcc"]
    for number, motif in enumerate(motifs):
        method.population.offer(minimum_of(number, -40.0 if motif == "icosahedral" else -20.0, motif))
    tasks = [method.propose(number) for number in range(600)]
    annealed = [motifs[task.parent_ids[0]] for task in tasks if task.operator == "anneal"]
    assert annealed.count("fcc") > len(annealed) / 4 > 3


def test_kin_of_former_champions_have_no_place_unless_they_are_lower() -> None:
    champion = minimum_of(0, -44.0)
    population = Population(4, rivals=[champion])
    assert not population.offer(champion)
    assert not population.offer(minimum_of(1, -43.9, seed=0))
    assert population.offer(minimum_of(2, -44.1, seed=0))
    assert population.offer(minimum_of(3, -20.0))


def test_a_population_that_stagnates_is_left_and_its_champion_remembered() -> None:
    method = algorithm(patience=5)
    archive = Archive(COMPOSITION, BONDS)
    low = minimum_of(0, -44.0)
    for number in range(8):
        task = method.propose(number)
        assert task.quench in QUENCHES
        energy = -44.0 if number == 0 else -10.0 - number
        other = low if number == 0 else minimum_of(number, energy)
        result = Result(number, task.operator, (), "minimum", energy, other.cluster, other.fingerprint, calls=100)
        method.absorb(result, archive.enter(result, 0.0), True)
    assert method.restarts == 1
    assert [champion.energy for champion in method.champions] == [-44.0]
    assert all(member.energy > -44.0 for member in method.population.members)


def test_the_same_seed_proposes_the_same() -> None:
    one, other = algorithm(), algorithm()
    for method in (one, other):
        for number in range(6):
            method.population.offer(minimum_of(number, -30.0 - number))
    for number in range(40):
        first, second = one.propose(number), other.propose(number)
        assert (first.operator, first.parent_ids, first.quench) == (second.operator, second.parent_ids, second.quench)
