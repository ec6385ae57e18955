"""ASE's effective medium theory as a LAMMPS table, so that searches can be measured against programs that use ASE.

In ASE's form of the theory of Jacobsen, Stoltze and Norskov, Surf. Sci. 366, 394 (1996), an atom's energy depends on

    sigma_i = sum_{j != i} n_j / n_i exp(-eta_j (r_ij - beta s_j)) w(r_ij),    w(r) = 1 / (1 + exp(a (r - r_c)))

and on pairs. As n_i sigma_i is a sum of what each neighbour's element contributes, this is an embedded atom of the kind
`eam/alloy`, to which the parameters give (with d the change of the atom's radius):

    F_i = E0 (1 + lambda d) exp(-lambda d) + 6 V0 exp(-kappa d) - E0,      d = -ln(sigma / (12 gamma1)) / (beta eta)
    phi_ij = -V0_i / (2 gamma2_i) n_j / n_i exp(-kappa_j (r/beta - s_j)) w(r)  +  the same with i and j exchanged

gamma1 and gamma2 make the fcc crystal's three shells count as they should. Energies in eV, lengths in Angstrom.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.calculators.emt import beta as BETA  # noqa: N812
from ase.calculators.emt import parameters as PARAMETERS  # noqa: N812
from ase.data import atomic_masses, atomic_numbers
from ase.units import Bohr

from hea_potential.complete_file import complete_file
from hea_potential.errors import InputError
from hea_potential.search.geometry import Floats
from hea_potential.search.pair import Pair

# One cutoff for all elements, between the third and fourth shell of the largest: ASE's default.
SHELL = BETA * max(row[1] for row in PARAMETERS.values()) * Bohr  # A, the nearest neighbours
MIDDLE = SHELL * 0.5 * (math.sqrt(3.0) + 2.0)  # A, where w is one half
SLOPE = math.log(1e4 - 1.0) / (2.0 * SHELL - MIDDLE)  # 1/A, so that w is 1e-4 at the fourth shell
CUTOFF = MIDDLE + 0.5  # A
DISTANCES = 4_000
DENSITIES = 10_000
LARGEST = 8.0  # of a crystal's density; LAMMPS goes on along the tangent above it


@dataclass(frozen=True)
class Element:
    """An element's parameters: eV, A, 1/A and 1/A^3."""

    symbol: str
    e0: float
    s: float
    v0: float
    eta: float
    kappa: float
    lambda_: float
    n: float

    @classmethod
    def of(cls, symbol: str) -> Element:
        """The parameters that ASE has for a symbol."""
        if symbol not in PARAMETERS:
            raise InputError(f"EMT: no parameters for {symbol!r}; allowed: {', '.join(PARAMETERS)}")
        e0, s, v0, eta, kappa, lambda_, n = PARAMETERS[symbol]
        return cls(symbol, e0, s * Bohr, v0, eta / Bohr, kappa / Bohr, lambda_ / Bohr, n / Bohr**3)

    def shells(self, decay: float) -> float:
        """Sum over an fcc crystal's three shells of w exp(-decay (r - r_1)), in units of the first shell's 12 atoms."""
        distances = BETA * self.s * np.sqrt([1.0, 2.0, 3.0])
        return float(
            np.array([12.0, 6.0, 24.0]) / 12.0 @ (cut(distances) * np.exp(-decay * (distances - distances[0])))
        )

    def density(self, distances: Floats) -> Floats:
        """What an atom of this element adds to n_i sigma_i of another at these distances, 1/A^3."""
        return np.asarray(self.n * np.exp(-self.eta * (distances - BETA * self.s)) * cut(distances))

    def embedding(self, densities: Floats) -> Floats:
        """Energy of an atom of this element at these densities, eV."""
        share = densities / (self.n * 12.0 * self.shells(self.eta))
        d = -np.log(np.maximum(share, 1e-300)) / (BETA * self.eta)
        cohesion = self.e0 * (1.0 + self.lambda_ * d) * np.exp(-self.lambda_ * d)
        return np.asarray(cohesion + 6.0 * self.v0 * np.exp(-self.kappa * d) - self.e0)

    def attraction(self, other: Element, distances: Floats) -> Floats:
        """This element's half of the pair energy, eV."""
        weight = -0.5 * self.v0 / self.shells(self.kappa / BETA) * other.n / self.n
        return np.asarray(weight * np.exp(-other.kappa * (distances / BETA - other.s)) * cut(distances))


def cut(distances: Floats) -> Floats:
    """The cutoff function w."""
    return np.asarray(1.0 / (1.0 + np.exp(SLOPE * (distances - MIDDLE))))


def pair(symbols: Sequence[str], folder: Path) -> Pair:
    """The pair style for clusters of these elements; its table is written to a file in `folder`.

    Raises InputError for an element that ASE has no parameters for, OutputError where the file cannot be written.
    """
    elements = [Element.of(symbol) for symbol in symbols]
    path = folder.resolve() / f"emt-{'-'.join(symbols)}.eam.alloy"
    with complete_file(path) as unfinished:
        unfinished.write_text("".join(lines(elements)), encoding="utf-8")
    return Pair(("pair_style eam/alloy", f'pair_coeff * * "{path}" {" ".join(symbols)}'), units="metal")


def lines(elements: Sequence[Element]) -> Iterator[str]:
    """The table as LAMMPS reads it: for each element embedding energies and densities, then r phi(r) of all pairs."""
    distances, step = np.linspace(0.0, CUTOFF, DISTANCES, retstep=True)
    largest = LARGEST * max(12.0 * element.n * element.shells(element.eta) for element in elements)
    densities, density_step = np.linspace(0.0, largest, DENSITIES, retstep=True)
    yield "Effective medium theory with the parameters of ASE, eV and Angstrom\n\n\n"
    yield f"{len(elements)} {' '.join(element.symbol for element in elements)}\n"
    yield f"{DENSITIES} {density_step:.17g} {DISTANCES} {step:.17g} {CUTOFF:.17g}\n"
    for element in elements:
        number = atomic_numbers[element.symbol]
        yield f"{number} {atomic_masses[number]} {math.sqrt(2.0) * BETA * element.s:.9g} fcc\n"
        yield from values(element.embedding(densities))
        yield from values(element.density(distances))
    for index, one in enumerate(elements):
        for other in elements[: index + 1]:
            yield from values(distances * (one.attraction(other, distances) + other.attraction(one, distances)))


def values(table: Floats) -> Iterator[str]:
    """One number a line."""
    return (f"{value:.17g}\n" for value in table)
