"""What a cluster is made of: element symbols and how many atoms of each."""

from __future__ import annotations

import operator
import re
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

from hea_potential.errors import InputError

MOST_ATOMS = 10_000


@dataclass(frozen=True)
class Composition:
    """Elements in the order given, which is the order of the LAMMPS atom types, and number of atoms of each.

    Raises InputError for an unknown or repeated element, less than one atom of one and more than MOST_ATOMS in all.
    """

    symbols: tuple[str, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        given = f"symbols {self.symbols!r} and counts {self.counts!r}"
        if not self.symbols or len(self.symbols) != len(self.counts):
            raise InputError(f"composition: {given}; allowed is one number of atoms for each of 1 or more elements")
        try:
            counts = tuple(operator.index(count) for count in self.counts)
        except TypeError:
            raise InputError(f"composition: {given}; numbers of atoms must be whole numbers") from None
        for name, value in (("symbols", tuple(self.symbols)), ("counts", counts)):  # a journal holds no other numbers
            object.__setattr__(self, name, value)
        for symbol, count in zip(self.symbols, counts, strict=True):
            if atomic_numbers.get(symbol, 0) < 1:
                raise InputError(
                    f"composition: unknown element {symbol!r} in {self.formula!r}; write symbols such as Cu, Ni, Pd"
                )
            if self.symbols.count(symbol) > 1:
                raise InputError(f"composition: {symbol} comes more than once in {self.formula!r}; add its atoms up")
            if count < 1:
                raise InputError(
                    f"composition: {count or 'zero'} atoms of {symbol} in {self.formula!r}; leave the element out or "
                    "give at least 1"
                )
        if self.size > MOST_ATOMS:
            raise InputError(
                f"composition: {self.size} atoms in {self.formula!r}; at most {MOST_ATOMS} can be searched"
            )

    @staticmethod
    def parse(text: str) -> Composition:
        """Read a formula such as `Cu10Ni10Pd5`; a symbol without a number is one atom, and repeated symbols add up.

        Raises InputError for whatever is not a formula, and as a composition does.
        """
        formula = "".join(text.split())
        if not re.fullmatch(r"([A-Z][a-z]?\d*)+", formula):
            raise InputError(
                f"composition: cannot read {text!r}; write element symbols and numbers of atoms, such as Cu10Ni10Pd5"
            )
        counts: dict[str, int] = {}
        for symbol, number in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
            digits = number[:9]  # more are too many atoms in any case, and Python reads only so many
            counts[symbol] = counts.get(symbol, 0) + (int(digits) if number else 1)
        return Composition(tuple(counts), tuple(counts.values()))

    @property
    def size(self) -> int:
        """Number of atoms."""
        return sum(self.counts)

    @property
    def formula(self) -> str:
        """Symbols and numbers, in the order given."""
        return "".join(f"{symbol}{count}" for symbol, count in zip(self.symbols, self.counts, strict=True))

    @property
    def mathtext(self) -> str:
        """The formula as matplotlib sets it, with numbers below the line."""
        return "".join(f"{symbol}$_{{{count}}}$" for symbol, count in zip(self.symbols, self.counts, strict=True))

    @cached_property
    def types(self) -> NDArray[np.int64]:
        """Index into `symbols` of every atom, in ascending order; shape (size,); read-only."""
        types = np.repeat(np.arange(len(self.symbols)), self.counts)
        types.flags.writeable = False
        return types

    def names(self, types: NDArray[np.int64]) -> list[str]:
        """Symbols of atoms given by their types."""
        return [self.symbols[kind] for kind in types]
