"""Several compositions at once: all ratios of some elements in clusters of one size."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import comb

import numpy as np

from hea_potential.errors import InputError
from hea_potential.search.composition import MOST_ATOMS, Composition

MOST = 1000  # compositions of one call
USUAL = 100  # compositions that a range has at most where no step is given


def equal_ratio(size: int, elements: Sequence[str]) -> Composition:
    """The composition with as many atoms of each element, as far as the size can be divided."""
    symbols = checked(size, elements)
    if size < len(symbols):
        raise InputError(
            f"search: {size} atoms of {len(symbols)} elements in equal ratio; allowed are {len(symbols)} to "
            f"{MOST_ATOMS} atoms, or all ratios (--all-ratios), which leave elements out"
        )
    return Composition(symbols, apportioned(size, [1] * len(symbols), len(symbols)))


def all_ratios(size: int, elements: Sequence[str], step: int | None = None) -> list[Composition]:
    """Compositions of `size` atoms from pure to pure, evenly spaced, neighbours about `step` atoms apart.

    Shares of the elements run through the multiples of 1/m, m = size/step rounded, and numbers of atoms are those next
    to them, so that all elements are treated alike. Elements with no atoms are left out of a composition, so clusters
    may have fewer atoms than there are elements. Without a step it is the least that gives at most USUAL compositions.

    Raises InputError for an unknown element, a size or step that is not possible and more than MOST compositions.
    """
    symbols = checked(size, elements)
    if step is None:
        step = next(step for step in range(1, size + 1) if number_of_ratios(size, len(symbols), step) <= USUAL)
    if not 1 <= step <= size:
        raise InputError(f"search: step of {step} atoms between compositions of {size}; allowed: 1 to {size}")
    if (number := number_of_ratios(size, len(symbols), step)) > MOST:
        raise InputError(
            f"search: {number} compositions of {size} atoms of {len(symbols)} elements, {step} apart; at most {MOST} "
            f"can be searched in one call: choose a larger step"
        )
    parts = round(size / step)
    found = []
    for shares in divisions(parts, len(symbols)):
        counts = apportioned(size, shares, parts)
        present = [(symbol, count) for symbol, count in zip(symbols, counts, strict=True) if count]
        found.append(Composition(tuple(s for s, _ in present), tuple(n for _, n in present)))
    return found


def asked_for(
    formulas: Sequence[str], size: int | None, elements: str | None, every: bool, step: int | None
) -> list[Composition]:
    """The compositions that a command names one by one, or as a range: a size, elements separated by commas, and
    whether all ratios of them are meant or the equal one.
    """
    if formulas:
        if size is not None or elements is not None or every or step is not None:
            raise InputError(
                f"search: got the composition {formulas[0]} and a range; give compositions, or --size and --elements"
            )
        return [Composition.parse(formula) for formula in formulas]
    if size is None or elements is None:
        if size is not None:
            raise InputError(f"search: got --size {size} without --elements; give both, such as --elements Ni,Cu")
        if elements is not None:
            raise InputError(f"search: got --elements {elements} without --size; give both, such as --size 38")
        raise InputError(
            "search: no composition is given; write one such as Cu10Ni10, or a range such as "
            "--size 38 --elements Ni,Cu --all-ratios"
        )
    symbols = [symbol.strip() for symbol in elements.split(",") if symbol.strip()]
    if not every:
        if step is not None:
            raise InputError(f"search: got a step of {step} atoms without --all-ratios, which it belongs to")
        return [equal_ratio(size, symbols)]
    return all_ratios(size, symbols, step)


def folder_name(compositions: Sequence[Composition]) -> str:
    """A name for the folder of several compositions: their elements and sizes, such as NiCu_38; of one: its formula."""
    if len(compositions) == 1:
        return compositions[0].formula
    elements = "".join(dict.fromkeys(symbol for each in compositions for symbol in each.symbols))
    sizes = sorted({each.size for each in compositions})
    return f"{elements}_{sizes[0]}" + (f"-{sizes[-1]}" if len(sizes) > 1 else "")


def checked(size: int, elements: Sequence[str]) -> tuple[str, ...]:
    """Element symbols, after checking that they are, that none is given twice, and that there are such clusters."""
    if not elements:
        raise InputError("search: no elements are given; write symbols, such as Ni,Cu,Pd")
    symbols = tuple(elements)
    for symbol in symbols:
        if Composition.parse(symbol).formula != f"{symbol}1":
            raise InputError(f"search: {symbol!r} is not an element; write symbols, such as Ni,Cu,Pd")
        if symbols.count(symbol) > 1:
            raise InputError(f"search: element {symbol} is given {symbols.count(symbol)} times in {','.join(symbols)}")
    if not 1 <= size <= MOST_ATOMS:
        raise InputError(f"search: clusters of {size} atoms; allowed are 1 to {MOST_ATOMS}")
    return symbols


def number_of_ratios(size: int, kinds: int, step: int) -> int:
    """How many compositions a range has."""
    return comb(round(size / step) + kinds - 1, kinds - 1)


def divisions(parts: int, kinds: int) -> Iterator[tuple[int, ...]]:
    """All ways to share out `parts` among `kinds`, those with most of the first kind first."""
    if kinds == 1:
        yield (parts,)
        return
    for first in range(parts, -1, -1):
        for rest in divisions(parts - first, kinds - 1):
            yield (first, *rest)


def apportioned(size: int, shares: Sequence[int], parts: int) -> tuple[int, ...]:
    """Numbers of atoms nearest to the shares that add up to the size: the largest remainders are rounded up (Hamilton's
    method).
    """
    exact = size * np.array(shares)
    counts = exact // parts
    missing = size - int(counts.sum())
    counts[np.argsort(-(exact % parts), kind="stable")[:missing]] += 1
    return tuple(int(count) for count in counts)
