"""What a cluster is made of: element symbols and how many atoms of each."""

from __future__ import annotations

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
    """Elements in the order given, which is the order of the LAMMPS atom types, and number of atoms of each."""

    symbols: tuple[str, ...]
    counts: tuple[int, ...]

    @staticmethod
    def parse(text: str) -> Composition:
        """Read a formula such as `Cu10Ni10Pd5`; a symbol without a number is one atom, and repeated symbols add up.

        Raises InputError for an unknown element, zero atoms and whatever else is not a formula.
        """
        formula = "".join(text.split())
        if not re.fullmatch(r"([A-Z][a-z]?\d*)+", formula):
            raise InputError(
                f"composition: cannot read {text!r}; write element symbols and numbers of atoms, such as Cu10Ni10Pd5"
            )
        counts: dict[str, int] = {}
        for symbol, number in re.findall(r"([A-Z][a-z]?)(\d*)", formula):
            if atomic_numbers.get(symbol, 0) < 1:
                raise InputError(
                    f"composition: unknown element {symbol!r} in {text!r}; write symbols such as Cu, Ni, Pd"
                )
            counts[symbol] = counts.get(symbol, 0) + (int(number[:9]) if number else 1)
        for symbol, count in counts.items():
            if count == 0:
                raise InputError(
                    f"composition: zero atoms of {symbol} in {text!r}; leave the element out or give at least 1"
                )
        composition = Composition(tuple(counts), tuple(counts.values()))
        if composition.size > MOST_ATOMS:
            raise InputError(f"composition: {composition.size} atoms in {text!r}; at most {MOST_ATOMS} can be searched")
        return composition

    @property
    def size(self) -> int:
        """Number of atoms."""
        return sum(self.counts)

    @property
    def formula(self) -> str:
        """Symbols and numbers, in the order given."""
        return "".join(f"{symbol}{count}" for symbol, count in zip(self.symbols, self.counts, strict=True))

    @cached_property
    def types(self) -> NDArray[np.int64]:
        """Index into `symbols` of every atom, in ascending order; shape (size,); read-only."""
        types = np.repeat(np.arange(len(self.symbols)), self.counts)
        types.flags.writeable = False
        return types

    def names(self, types: NDArray[np.int64]) -> list[str]:
        """Symbols of atoms given by their types."""
        return [self.symbols[kind] for kind in types]
