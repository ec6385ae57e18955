"""Draws with given chances: their frequencies."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import numpy as np
import pytest

from hea_potential.search.chance import generator_of, one_of, several_of

DRAWS = 20_000
WEIGHTS = [5.0, 0.0, 1.0, 4.0]


def expect(drawn: Counter, chances: dict) -> None:
    for item, chance in chances.items():
        assert abs(drawn[item] / DRAWS - chance) < 5.0 * np.sqrt(chance / DRAWS)
    assert drawn.total() == DRAWS
    assert set(drawn) <= set(chances)


def test_generators_differ_by_every_number() -> None:
    numbers = [(1, 2, 3), (1, 2, 4), (1, 3, 2), (2, 1, 3), (12, 3), (1, 23), (123,), (2**70, 2, 3)]
    first = {generator_of(*each).bytes(16) for each in numbers}
    assert len(first) == len(numbers)
    assert {generator_of(*each).bytes(16) for each in numbers} == first


def test_generators_spawn_others_each_time() -> None:
    parent = generator_of(5, 0)
    children = [*parent.spawn(2), *parent.spawn(2), parent, generator_of(5, 1)]
    assert len({child.bytes(16) for child in children}) == 6


def test_one_by_its_weight() -> None:
    rng = np.random.default_rng(1)
    expect(Counter(one_of(rng, "abcd", WEIGHTS) for _ in range(DRAWS)), {"a": 0.5, "c": 0.1, "d": 0.4})


def test_one_of_equals() -> None:
    rng = np.random.default_rng(2)
    expect(Counter(one_of(rng, "abcd") for _ in range(DRAWS)), dict.fromkeys("abcd", 0.25))


def test_several_without_those_taken() -> None:
    rng = np.random.default_rng(3)
    weights = {"a": 0.5, "b": 0.2, "c": 0.3}
    chances = {
        (first, second): weights[first] * weights[second] / (1.0 - weights[first])
        for first, second in permutations(weights, 2)
    }
    drawn = Counter(tuple(several_of(rng, "abc", 2, [0.5, 0.2, 0.3])) for _ in range(DRAWS))
    expect(drawn, chances)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_as_many_as_asked_for(count: int) -> None:
    drawn = several_of(np.random.default_rng(4), range(3), count, [1.0, 2.0, 1e-300])
    assert len(set(drawn)) == len(drawn) == count
