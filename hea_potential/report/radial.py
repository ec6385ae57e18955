"""Where the elements of clusters lie, from the centre to the surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from ase import Atoms
from numpy.typing import NDArray

from hea_potential.report.chart import Chart, Panel, Series, in_rows, line_colour
from hea_potential.search.colours import colour_of

Floats = NDArray[np.float64]
POINTS = 160
SMEARING = 0.25  # A, of the Gaussian in whose place each atom stands; a share of the largest distance in other units
SHARE = 0.045


def from_centre(atoms: Atoms) -> Floats:
    """Distances (n,) of atoms from the mean of all positions."""
    return np.asarray(np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1))


def radial_densities(clusters: Sequence[Atoms], smearing: float) -> tuple[Floats, dict[str, Floats]]:
    """Distances (POINTS,) and for each element the mean number of its atoms in a cluster per unit of distance.

    Each atom counts as a Gaussian of this width, reflected at zero, so that a curve's integral is the number of atoms.
    """
    distances = [from_centre(atoms) for atoms in clusters]
    grid = np.linspace(0.0, max(float(each.max()) for each in distances) + 3.0 * smearing, POINTS)
    sums: dict[str, Floats] = {}
    for atoms, radii in zip(clusters, distances, strict=True):
        for symbol in sorted(set(atoms.get_chemical_symbols())):
            own = radii[atoms.symbols == symbol][:, None]
            kernels = np.exp(-0.5 * ((grid - own) / smearing) ** 2) + np.exp(-0.5 * ((grid + own) / smearing) ** 2)
            density = kernels.sum(axis=0) / (smearing * np.sqrt(2.0 * np.pi) * len(clusters))
            sums[symbol] = sums.get(symbol, np.zeros(POINTS)) + density
    return grid, sums


def radial_chart(groups: Mapping[str, Sequence[Atoms]], caption: str, length: str = "Å") -> Chart:
    """A panel for each group of clusters, by its title, with a curve for each element."""
    panels = []
    for title, clusters in groups.items():
        largest = max(float(from_centre(atoms).max()) for atoms in clusters)
        smearing = SMEARING if length == "Å" else max(SHARE * largest, 1e-3)
        grid, densities = radial_densities(clusters, smearing)
        series = [
            Series(grid, density, line_colour(colour_of(symbol)), symbol, "line", width=2.2, filled=True)
            for symbol, density in densities.items()
        ]
        panels.append(Panel(title, f"distance from the centre, {length}", f"atoms per {length}", series))
    return Chart("radial", "Where the elements lie", caption, in_rows(panels, 3), row_height=260)


def mean_depths(atoms: Atoms) -> dict[str, float]:
    """The mean distance of each element from the centre over that of all atoms: below 1 it prefers the core."""
    distances = from_centre(atoms)
    whole = float(distances.mean()) or 1.0
    symbols = sorted(set(atoms.get_chemical_symbols()))
    return {symbol: float(distances[atoms.symbols == symbol].mean()) / whole for symbol in symbols}
