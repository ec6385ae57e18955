"""The compiled walk from ordering to ordering against plain numpy."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import plain_orderings as plain
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hea_potential import clusters
from hea_potential.search.chance import generator_of

CLASSES = 3


def compiled(
    rng: np.random.Generator, model: plain.Orderings, types: plain.Types, field: plain.Floats, energy: float, steps: int
) -> tuple[plain.Types, plain.Floats]:
    pairs = model.first, model.second, model.classes, model.energies
    return clusters.ordering_walk(rng.bit_generator.capsule, types, field, energy, *pairs, steps)


def random_model(rng: np.random.Generator, size: int, kinds: int, draw: Callable[..., plain.Floats]) -> plain.Orderings:
    """A model some of whose pairs of sites are coupled."""
    first, second = np.nonzero(np.triu(rng.random((size, size)) < rng.random(), 1))
    energies = draw(size=(CLASSES, kinds, kinds))
    classes = rng.integers(CLASSES, size=len(first))
    return plain.Orderings(draw(size=(size, kinds)), first, second, classes, energies + energies.transpose(0, 2, 1))


def flat_model(size: int) -> plain.Orderings:
    """A model of two elements by which all orderings have the same energy."""
    none = np.zeros(0, np.int64)
    return plain.Orderings(np.zeros((size, 2)), none, none, none, np.zeros((CLASSES, 2, 2)))


def assert_the_same(seed: int, model: plain.Orderings, types: plain.Types, steps: int) -> int:
    """Check that both walks are the same and leave the same random numbers; returns how many steps they took."""
    start = types, model.field(types), model.energy(types)
    for generator in (np.random.default_rng, generator_of):
        rngs = generator(seed), generator(seed)
        expected, energies = plain.walk(rngs[0], model, *start, steps)
        found = compiled(rngs[1], model, *start, steps)
        assert found[0].dtype == np.int32
        assert np.array_equal(found[0], expected)
        assert np.array_equal(found[1], energies)
        assert rngs[0].integers(6, 18) == rngs[1].integers(6, 18)  # may be the other half of 64 random bits
        assert rngs[0].random() == rngs[1].random()
    return len(energies)


@settings(max_examples=60, deadline=None)
@given(size=st.integers(1, 24), kinds=st.integers(1, 6), seed=st.integers(0, 2**32 - 1), are_rough=st.booleans())
def test_walks_are_those_of_plain_numpy(size: int, kinds: int, seed: int, are_rough: bool) -> None:
    rng = np.random.default_rng(seed)
    # Of whole numbers many swaps change the energy by the same; of others sums depend on their order.
    model = random_model(
        rng, size, kinds, lambda size: rng.integers(-2, 3, size=size) + 0.0 if are_rough else rng.normal(size=size)
    )
    assert_the_same(seed, model, rng.integers(kinds, size=size).astype(np.int32), 60)


def test_a_walk_over_many_sites() -> None:
    rng = np.random.default_rng(1)
    model = random_model(rng, 80, 6, rng.normal)
    assert assert_the_same(2, model, rng.integers(6, size=80).astype(np.int32), 300) == 300


@pytest.mark.parametrize(("types", "steps"), [([0, 1], 1), ([0, 0, 1], 2), ([1, 1, 1], 0), ([0], 0)])
def test_a_walk_ends_where_everything_would_go_back(types: list[int], steps: int) -> None:
    assert assert_the_same(3, flat_model(len(types)), np.array(types, np.int32), 40) == steps


def test_of_equal_swaps_the_first_is_taken() -> None:
    types = np.array([0, 0, 1, 0, 1], np.int32)
    met, energies = compiled(np.random.default_rng(4), flat_model(5), types, np.zeros((5, 2)), -1.0, 1)
    assert met.tolist() == [[1, 0, 0, 0, 1]]
    assert energies.tolist() == [-1.0]


def test_a_walk_follows_what_is_given_and_changes_none_of_it() -> None:
    rng = np.random.default_rng(5)
    model = random_model(rng, 12, 3, rng.normal)
    types = rng.integers(3, size=12).astype(np.int32)
    start = types, model.field(types), model.energy(types)
    kept = types.copy(), start[1].copy()
    met, energies = compiled(rng, model, *start, 30)
    assert np.array_equal(types, kept[0])
    assert np.array_equal(start[1], kept[1])
    assert energies == pytest.approx([model.energy(ordering) for ordering in met], abs=1e-12)
    assert (np.sort(met, axis=1) == np.sort(types)).all()


@pytest.mark.parametrize(
    ("name", "given", "complaint"),
    [
        ("types", np.array([0, 1, 2], np.int32), "types holds 2, allowed are 0 to 1"),
        ("types", np.array([0, -1, 1], np.int32), "types holds -1, allowed are 0 to 1"),
        ("types", np.array([0, 1], np.int32), "the number of rows of field is 3, allowed is 2"),
        ("field", np.zeros((3, 3)), "the second length of couplings is 2, allowed is 3"),
        ("first", np.array([0, 3]), "first holds 3, allowed are 0 to 2"),
        ("first", np.array([0, 2]), "a pair has the sites 2 and 2; the first must come before the second"),
        ("first", np.array([0]), "the length of second is 2, allowed is 1"),
        ("second", np.array([1, -1]), "second holds -1, allowed are 0 to 2"),
        ("classes", np.array([0, 3]), "classes holds 3, allowed are 0 to 2"),
        ("classes", np.array([0]), "the length of classes is 1, allowed is 2"),
        ("couplings", np.zeros((3, 2, 3)), "the third length of couplings is 3, allowed is 2"),
    ],
)
def test_arrays_that_do_not_fit_are_refused(name: str, given: np.ndarray, complaint: str) -> None:
    arguments = {
        "types": np.array([0, 1, 0], np.int32),
        "field": np.zeros((3, 2)),
        "first": np.array([0, 1]),
        "second": np.array([1, 2]),
        "classes": np.array([0, 2]),
        "couplings": np.zeros((3, 2, 2)),
    }
    stream = np.random.default_rng(6).bit_generator.capsule
    assert len(clusters.ordering_walk(stream, **arguments, energy=0.0, steps=1)[0]) == 1
    with pytest.raises(ValueError, match=complaint):
        clusters.ordering_walk(stream, **(arguments | {name: given}), energy=0.0, steps=1)


@pytest.mark.parametrize(
    ("name", "given"),
    [("types", np.array(["Cu", "Cu", "Au"])), ("field", np.zeros(3)), ("couplings", np.zeros((2, 2)))],
)
def test_arrays_of_another_kind_are_refused(name: str, given: np.ndarray) -> None:
    pairs = np.array([0]), np.array([1]), np.array([0])
    arguments = {"types": np.zeros(3, np.int32), "field": np.zeros((3, 2)), "couplings": np.zeros((1, 2, 2))}
    arguments |= dict(zip(("first", "second", "classes"), pairs, strict=True)) | {name: given}
    with pytest.raises(TypeError, match="incompatible function arguments"):
        clusters.ordering_walk(np.random.default_rng(7).bit_generator.capsule, **arguments, energy=0.0, steps=1)
