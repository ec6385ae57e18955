"""What a meta loop is going to do: its steps in order, a function of the configuration alone."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from math import comb

import numpy as np
from hea_training.meta_loop.config import LoopConfig

from hea_potential.search.composition import Composition
from hea_potential.search.ratios import all_ratios

__all__ = ["Step", "compositions_of", "number_possible", "steps_of"]

# What is done for each composition, by mode.
OF_A_COMPOSITION = ("search", "select", "label")


@dataclass(frozen=True)
class Step:
    """One step: `kind` is start, search, select, label or refresh; loop 0 is the beginning. A refresh belongs to all
    compositions of its number of elements (None: to the beginning). In the mode gofee a composition is searched several
    times in each loop: `turn` counts them from 1.
    """

    kind: str
    loop: int = 0
    n_elements: int | None = None
    composition: str | None = None
    turn: int | None = None

    @property
    def name(self) -> str:
        """What the ledger calls it: `start`, `start-refresh`, `L1-n2-Cu7Ni6-search`, `L1-n2-Cu7Ni6-t003-search`,
        `L1-n2-refresh`.
        """
        if self.kind == "start":
            return "start"
        return f"{self.place.replace('/', '-')}-{self.kind}"

    @property
    def place(self) -> str:
        """Where its files lie in the run's folder: `start`, `L1/n2/Cu7Ni6`, `L1/n2`."""
        parts = ["start"] if self.loop == 0 else [f"L{self.loop}", f"n{self.n_elements}"]
        parts += [self.composition] if self.composition else []
        return "/".join(parts + ([f"t{self.turn:03d}"] if self.turn else []))


def steps_of(config: LoopConfig) -> list[Step]:
    """All steps, in order."""
    steps = [Step("start"), Step("refresh")]
    drawn = {n: loops_of(config, n) for n in config.n_elements}
    for loop in range(1, config.loops + 1):
        for n in config.n_elements:
            for composition in next(drawn[n]):
                turns = range(1, config.gofee.steps + 1) if config.mode == "gofee" else [None]
                steps += [Step(kind, loop, n, composition.formula, turn) for turn in turns for kind in OF_A_COMPOSITION]
            steps.append(Step("refresh", loop, n))
    return steps


def compositions_of(steps: list[Step]) -> list[Composition]:
    """Every composition of some steps once, in order."""
    return [Composition.parse(formula) for formula in dict.fromkeys(s.composition for s in steps if s.composition)]


def number_possible(config: LoopConfig, n: int) -> int:
    """How many compositions of n elements there are to draw from."""
    return comb(len(config.elements), n) * comb(config.compositions.size - 1, n - 1)


def loops_of(config: LoopConfig, n: int) -> Iterator[list[Composition]]:
    """The compositions of n elements of one loop after the other, without end."""
    asked = config.compositions
    if asked.listed:
        listed = [Composition.parse(formula) for formula in asked.listed]
        yield from itertools.repeat([whole for whole in listed if len(whole.symbols) == n])
    if asked.all:
        sets = itertools.combinations(config.elements, n)
        every = [whole for symbols in sets for whole in all_ratios(asked.size, symbols, asked.step or None)]
        yield from itertools.repeat([whole for whole in every if len(whole.symbols) == n])
    deck, left_over = shuffled_deck(config, n), deque[Composition]()
    while True:
        drawn: list[Composition] = []
        twice: list[Composition] = []  # where the deck begins anew within a loop
        while len(drawn) < asked.draw:
            whole = left_over.popleft() if left_over else next(deck)
            (twice if whole in drawn else drawn).append(whole)
        left_over.extend(twice)
        yield drawn


def shuffled_deck(config: LoopConfig, n: int) -> Iterator[Composition]:
    """Compositions of n elements at random, none twice before all that are possible have come."""
    rng = np.random.default_rng([config.seed, n])
    size, elements = config.compositions.size, config.elements
    possible = number_possible(config, n)
    seen: set[Composition] = set()
    while True:
        chosen = sorted(rng.choice(len(elements), n, replace=False).tolist())
        # Every way to cut a row of atoms into n pieces is as likely.
        cuts = np.sort(rng.choice(size - 1, n - 1, replace=False) + 1)
        counts = np.diff([0, *cuts.tolist(), size])
        whole = Composition(tuple(elements[k] for k in chosen), tuple(counts.tolist()))
        if whole not in seen:
            seen.add(whole)
            yield whole
        if len(seen) == possible:
            seen.clear()
