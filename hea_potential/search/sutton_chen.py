"""Sutton-Chen metals as LAMMPS tables, to measure searches against published clusters.

    E = 1/2 sum_{i != j} (a/r_ij)^n - c sum_i sqrt(rho_i),    rho_i = sum_{j != i} (a/r_ij)^m

Energies are in units of the metal's own eps, as clusters are published, lengths in Angstrom; a is the fcc lattice
constant, at which c makes the crystal stable: Sutton and Chen, Philos. Mag. Lett. 61, 139 (1990). Clusters: Doye and
Wales, New J. Chem. 22, 733 (1998).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hea_potential.complete_file import complete_file
from hea_potential.search.geometry import Floats
from hea_potential.search.pair import Pair

# Beyond twice the diameter of a hundred atoms, so that nothing is cut off; the last tenth is faded out smoothly.
CUTOFF = 8.0  # lattice constants
FADE = 0.9  # of the cutoff
# Dimers, the shortest bonds of all, are 0.57 to 0.62 lattice constants long; atoms this near only meet in starts. There
# the powers give way to parabolas of the same slope and curvature, that still repel but do not overflow.
CORE = 0.45  # lattice constants
# LAMMPS interpolates by cubics: the error falls with the fourth power of these steps and is below 1e-8 of a bond's
# energy, and of an atom's where its density is above 5, as it is with a single bond.
DISTANCES = 20_000
DENSITIES = 20_000
LARGEST_DENSITY = 4_000.0  # LAMMPS goes on along the tangent above it; relaxed atoms have 30 to 500


@dataclass(frozen=True)
class SuttonChen:
    """A metal: both exponents, the weight of its density, lattice constant (A), and an element that it describes."""

    n: int
    m: int
    c: float
    a: float
    element: str

    @property
    def name(self) -> str:
        """The exponents, as metals of this kind are called."""
        return f"{self.n}-{self.m}"

    def pair(self, folder: Path) -> Pair:
        """The pair style for clusters of `element`, in units of eps and Angstrom; its table is written to a file in
        `folder`.

        Raises OutputError where that fails.
        """
        path = folder.resolve() / f"sutton-chen-{self.name}.eam.alloy"
        with complete_file(path) as unfinished:
            unfinished.write_text("".join(self.lines()), encoding="utf-8")
        return Pair(("pair_style eam/alloy", f'pair_coeff * * "{path}" {self.element}'), units="lj")

    def lines(self) -> Iterator[str]:
        """The table as LAMMPS reads it: embedding energies, densities, and r times the pair energy."""
        reduced, step = np.linspace(0.0, CUTOFF, DISTANCES, retstep=True)
        densities, density_step = np.linspace(0.0, LARGEST_DENSITY, DENSITIES, retstep=True)
        yield f"Sutton-Chen {self.name}, c = {self.c}, in units of eps and Angstrom\n\n\n"
        yield f"1 {self.element}\n"
        yield f"{DENSITIES} {density_step:.17g} {DISTANCES} {self.a * step:.17g} {self.a * CUTOFF}\n"
        yield f"1 1.0 {self.a} fcc\n"
        tables = (-self.c * np.sqrt(densities), faded(reduced, self.m), self.a * reduced * faded(reduced, self.n))
        for table in tables:
            yield from (f"{value:.17g}\n" for value in table)


def faded(reduced: Floats, exponent: int) -> Floats:
    """(a/r)^exponent at reduced distances r/a, a parabola in place of its pole, without a step at the cutoff."""
    inside = np.minimum(reduced / CORE - 1.0, 0.0)
    parabola = 1.0 - exponent * inside + 0.5 * exponent * (exponent + 1) * inside**2
    outside = np.clip((reduced / CUTOFF - FADE) / (1.0 - FADE), 0.0, 1.0)
    switch = 1.0 - outside**3 * (10.0 - 15.0 * outside + 6.0 * outside**2)
    return np.asarray(np.maximum(reduced, CORE) ** -float(exponent) * parabola * switch)


METALS = {
    metal.name: metal
    for metal in (
        SuttonChen(9, 6, 39.432, 3.52, "Ni"),
        SuttonChen(12, 6, 144.41, 4.09, "Ag"),
        SuttonChen(10, 8, 34.408, 4.08, "Au"),
        SuttonChen(12, 7, 108.27, 3.89, "Pd"),
    )
}
