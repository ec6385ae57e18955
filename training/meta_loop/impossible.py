"""What is wrong with the compositions of a meta loop: those that cannot be, and more than can be searched."""

from __future__ import annotations

from collections.abc import Sequence
from math import comb

from hea_training.meta_loop.config import Compositions, LoopConfig
from hea_training.meta_loop.plan import number_possible

from hea_potential.errors import InputError
from hea_potential.search.composition import MOST_ATOMS, Composition
from hea_potential.search.ratios import all_ratios

__all__ = ["impossible"]

MOST_SEARCHES = 100_000  # of a run: a plan is made whole, and every one has a folder


def impossible(config: LoopConfig) -> list[str]:
    """What is wrong with the compositions."""
    asked = config.compositions
    ways = [name for name in ("listed", "draw", "all") if getattr(asked, name)]
    if len(ways) != 1:
        return [f"compositions: give one of listed, draw and all, got {', '.join(ways) or 'none'}"]
    wrong = impossible_list(config) if asked.listed else impossible_sizes(config)
    return wrong or too_many_searches(config)


def impossible_list(config: LoopConfig) -> list[str]:
    """What is wrong with the listed formulas."""
    asked, wrong = config.compositions, []
    if unused := [name for name in ("size", "n_elements", "step") if getattr(asked, name)]:
        wrong.append(f"compositions: {', '.join(unused)} cannot be given with listed")
    seen: dict[frozenset[tuple[str, int]], str] = {}
    for formula in asked.listed:
        try:
            whole = Composition.parse(formula)
        except InputError as error:
            wrong.append(f"compositions.listed: {error}")
            continue
        if absent := [symbol for symbol in whole.symbols if symbol not in config.elements]:
            wrong.append(f"compositions.listed: {formula} has {', '.join(absent)}, which elements does not name")
        content = frozenset(zip(whole.symbols, whole.counts, strict=True))
        if content in seen:
            wrong.append(f"compositions.listed: {formula} is {seen[content]} once more")
        seen[content] = formula
    return wrong


def impossible_sizes(config: LoopConfig) -> list[str]:
    """What is wrong with the size and the numbers of elements."""
    asked, wrong = config.compositions, []
    if asked.step and not asked.all:
        wrong.append("compositions.step belongs to compositions.all")
    if not 1 <= asked.size <= MOST_ATOMS:
        return [*wrong, f"compositions.size must be 1 to {MOST_ATOMS}, got {asked.size}"]
    if asked.step > asked.size:
        wrong.append(f"compositions.step must be at most the size {asked.size}, got {asked.step}")
    if len(set(asked.n_elements)) != len(asked.n_elements):
        wrong.append(f"compositions.n_elements must differ, got {asked.n_elements}")
    for n in config.n_elements:
        if not 1 <= n <= len(config.elements):
            wrong.append(f"compositions.n_elements must be 1 to {len(config.elements)}, got {n}")
        elif n > asked.size:
            wrong.append(f"compositions: {asked.size} atoms cannot be of {n} elements")
        elif asked.all and not wrong:
            wrong += too_many_ratios(asked, config.elements[:n])
        elif asked.draw > (there_are := number_possible(config, n)):
            wrong.append(
                f"compositions.draw must be at most the {there_are} compositions of {n} elements, got {asked.draw}"
            )
    return wrong


def too_many_ratios(asked: Compositions, elements: Sequence[str]) -> list[str]:
    """What is wrong with all ratios of some elements: they can be more than a run can search."""
    try:
        all_ratios(asked.size, elements, asked.step or None)
    except InputError as error:
        return [f"compositions.all: {error}"]
    return []


def too_many_searches(config: LoopConfig) -> list[str]:
    """What is wrong with the length of the plan, if its compositions are possible."""
    asked = config.compositions
    turns = config.gofee.steps if config.mode == "gofee" else 1
    number = config.loops * turns * (len(asked.listed) or sum(searched(config, n) for n in config.n_elements))
    return (
        [f"loops and compositions make {number} searches; at most {MOST_SEARCHES} can be planned"]
        if number > MOST_SEARCHES
        else []
    )


def searched(config: LoopConfig, n: int) -> int:
    """How many compositions of n elements each loop searches, where they are drawn or all are."""
    asked = config.compositions
    if asked.draw:
        return asked.draw
    ratios = all_ratios(asked.size, config.elements[:n], asked.step or None)
    return comb(len(config.elements), n) * sum(len(whole.symbols) == n for whole in ratios)
