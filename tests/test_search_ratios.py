"""Ranges before they are searched and after: their compositions, budgets in words, excess energies and hulls."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from hea_potential.errors import InputError
from hea_potential.search.budget import Budget
from hea_potential.search.composition import Composition
from hea_potential.search.hull import above_hull, excess_energies
from hea_potential.search.ratios import all_ratios, equal_ratio, folder_name


def formulas(compositions: list[Composition]) -> list[str]:
    return [each.formula for each in compositions]


def test_ratios_go_from_pure_to_pure_in_even_steps() -> None:
    assert formulas(all_ratios(4, ["Ni", "Cu"], 1)) == ["Ni4", "Ni3Cu1", "Ni2Cu2", "Ni1Cu3", "Cu4"]
    assert formulas(all_ratios(38, ["Ni", "Cu"], 19)) == ["Ni38", "Ni19Cu19", "Cu38"]
    assert formulas(all_ratios(7, ["Pt"], 2)) == ["Pt7"]
    fewer_atoms_than_elements = all_ratios(2, ["Ni", "Cu", "Pd"])
    assert formulas(fewer_atoms_than_elements) == ["Ni2", "Ni1Cu1", "Ni1Pd1", "Cu2", "Cu1Pd1", "Pd2"]
    nickel = [dict(zip(c.symbols, c.counts, strict=True)).get("Ni", 0) for c in all_ratios(38, ["Ni", "Cu"], 5)]
    assert {more - less for more, less in pairwise(nickel)} == {4, 5}
    assert (nickel[0], nickel[-1]) == (38, 0)


@pytest.mark.parametrize(("size", "kinds", "step"), [(13, 3, 1), (13, 3, 4), (38, 4, 9), (20, 2, 3), (6, 6, 2)])
def test_ratios_differ_add_up_and_treat_elements_alike(size: int, kinds: int, step: int) -> None:
    elements = ["Ni", "Cu", "Pd", "Ag", "Pt", "Au"][:kinds]
    found = all_ratios(size, elements, step)
    contents = {tuple(zip(c.symbols, c.counts, strict=True)) for c in found}
    assert len(contents) == len(found)
    assert all(c.size == size for c in found)
    assert {f"{element}{size}" for element in elements} <= set(formulas(found))


def test_without_a_step_a_range_stays_affordable() -> None:
    assert len(all_ratios(38, ["Ni", "Cu"])) == 39
    assert len(all_ratios(38, ["Ni", "Cu", "Pd", "Ag", "Pt", "Au"])) <= 100


def test_equal_ratios_and_names_of_folders() -> None:
    assert equal_ratio(38, ["Ni", "Cu", "Pd"]).counts == (13, 13, 12)
    assert folder_name([Composition.parse("Cu2Ni3")]) == "Cu2Ni3"
    assert folder_name(all_ratios(38, ["Ni", "Cu"])) == "NiCu_38"
    assert folder_name([Composition.parse("Ar7"), Composition.parse("Ar13")]) == "Ar_7-13"


@pytest.mark.parametrize(
    ("size", "elements", "step", "complaint"),
    [
        (0, ["Ni"], 1, "clusters of 0 atoms"),
        (10_001, ["Ni"], 1, "clusters of 10001 atoms; allowed are 1 to 10000"),
        (13, [], 1, "no elements"),
        (13, ["Ni", "Xx"], 1, "unknown element 'Xx'"),
        (13, ["Ni2"], 1, "'Ni2' is not an element"),
        (13, ["Ni", "Cu", "Ni"], 1, "element Ni is given 2 times"),
        (13, ["Ni", "Cu"], 0, "step of 0 atoms .* allowed: 1 to 13"),
        (13, ["Ni", "Cu"], 14, "step of 14 atoms .* allowed: 1 to 13"),
        (100, ["Ni", "Cu", "Pd"], 1, "5151 compositions .* choose a larger step"),
    ],
)
def test_impossible_ranges_are_refused(size: int, elements: list[str], step: int, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        all_ratios(size, elements, step)


@pytest.mark.parametrize(
    ("words", "budget"),
    [
        (500, Budget(minimisations=500)),
        ("500", Budget(minimisations=500)),
        ("100000calls", Budget(calls=100_000)),
        ("1e5 calls", Budget(calls=100_000)),
        ("30s", Budget(seconds=30.0)),
        ("10min", Budget(seconds=600.0)),
        ("1.5h", Budget(seconds=5400.0)),
        (None, Budget()),
    ],
)
def test_budgets_are_read_with_their_units(words: int | str | None, budget: Budget) -> None:
    assert Budget.parse(words) == budget


def test_limits_given_apart_are_read_too() -> None:
    assert Budget.parse(3, force_calls=7, time="2min") == Budget(3, 7, None, 120.0)
    assert Budget.parse("1h", time=2.5) == Budget(seconds=3600.0, seconds_of_call=2.5)
    with pytest.raises(InputError, match="limited twice"):
        Budget.parse("5calls", force_calls=3)


def test_excess_energies_and_the_hull_of_a_binary_range() -> None:
    compositions = [Composition.parse(text) for text in ("Ni4", "Ni3Cu1", "Ni2Cu2", "Ni1Cu3", "Cu4", "Cu5")]
    energies = [-16.0, -16.0, -14.8, -12.6, -12.0, -16.0]
    excess = excess_energies(compositions, energies)
    # Against the straight line from -16 to -12: by hand, per atom.
    np.testing.assert_allclose(excess, [0.0, -0.25, -0.2, 0.1, 0.0, 0.0], atol=1e-12)
    # The hull runs through Ni4, Ni3Cu1, Ni2Cu2 and Cu4; at Ni1Cu3 it is halfway between -0.2 and 0.
    np.testing.assert_allclose(above_hull(compositions, excess), [0.0, 0.0, 0.0, 0.2, 0.0, 0.0], atol=1e-9)


def test_excess_energies_need_the_pure_clusters() -> None:
    compositions = [Composition.parse(text) for text in ("Ni4", "Ni2Cu2", "Cu5")]
    excess = excess_energies(compositions, [-16.0, -15.0, -20.0])
    assert np.isfinite(excess).tolist() == [True, False, True]
    assert np.isfinite(above_hull(compositions, excess)).tolist() == [True, False, True]


def test_the_hull_of_three_elements() -> None:
    compositions = [Composition.parse(text) for text in ("Ni3", "Cu3", "Pd3", "Ni1Cu1Pd1", "Ni2Cu1")]
    excess = excess_energies(compositions, [-3.0, -6.0, -9.0, -7.5, -3.9])
    np.testing.assert_allclose(excess, [0.0, 0.0, 0.0, -0.5, 0.1 / 3.0], atol=1e-12)
    # Ni2Cu1 is at an edge of the triangle, where only the pure clusters count.
    np.testing.assert_allclose(above_hull(compositions, excess), [0.0, 0.0, 0.0, 0.0, 0.1 / 3.0], atol=1e-9)
