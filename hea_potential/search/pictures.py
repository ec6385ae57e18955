"""A picture of the best cluster: two views with shaded atoms coloured by element, a legend, and the ladder of the
lowest energies.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_numbers, covalent_radii

from hea_potential.complete_file import complete_file
from hea_potential.search.archive import Archive
from hea_potential.search.colours import colour_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats

SHADES = 14  # discs of an atom, from rim to highlight
LIGHT = (-0.35, 0.4)  # where the highlight lies, in radii
FRONT = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]])
SIDE = np.array([[0.0, 0.0, -1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 0.0]])


def draw_best(path: Path, archive: Archive, words: str = "") -> None:
    """Write a PNG of the best minimum with words about it, complete or not at all; the archive must not be empty."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    best = archive.lowest(1)[0]
    figure = Figure(figsize=(11.0, 5.2), dpi=160, facecolor="white")
    FigureCanvasAgg(figure)
    grid = figure.add_gridspec(1, 4, width_ratios=(1.0, 1.0, 0.1, 0.5))  # the third is left empty, for numbers
    front, side, ladder = (figure.add_subplot(grid[column]) for column in (0, 1, 3))
    radii = drawn_radii(archive.composition, best.cluster)
    positions = upright(best.cluster.positions)
    reach = float((np.linalg.norm(positions, axis=1) + radii).max()) * 1.03
    for axes, view in ((front, FRONT), (side, SIDE)):
        draw_atoms(axes, positions @ view.T, radii, colours(archive, best.cluster))
        axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
        axes.axis("off")
    draw_ladder(ladder, archive)
    draw_legend(figure, archive)
    formula = archive.composition.mathtext
    figure.suptitle(f"{formula}    {best.energy:.4f} {archive.energy_unit}    {words}", fontsize=15)
    figure.subplots_adjust(left=0.01, right=0.985, top=0.9, bottom=0.12, wspace=0.08)
    with complete_file(path) as temporary:
        figure.savefig(temporary, format="png")


def upright(positions: Floats) -> Floats:
    """Positions along their principal axes, the longest to the right and the shortest towards the eye."""
    centred = positions - positions.mean(axis=0)
    _, axes = np.linalg.eigh(centred.T @ centred)
    turn = axes[:, ::-1].copy()
    if np.linalg.det(turn) < 0.0:
        turn[:, 2] *= -1.0
    return np.asarray(centred @ turn)


def drawn_radii(composition: Composition, cluster: Cluster) -> Floats:
    """Radii in the proportion of the covalent ones, as large as half the shortest distance of neighbours on average."""
    numbers = [atomic_numbers[symbol] for symbol in composition.symbols]
    radii = np.array([covalent_radii[number] for number in numbers])[cluster.types]
    if len(radii) == 1:
        return np.asarray(radii)
    gaps = np.linalg.norm(cluster.positions[:, None] - cluster.positions[None], axis=2)
    np.fill_diagonal(gaps, np.inf)
    return np.asarray(radii * 0.5 * np.mean(gaps.min(axis=1)) / radii.mean())


def colours(archive: Archive, cluster: Cluster) -> Floats:
    """Red, green and blue of every atom, shape (n, 3)."""
    from matplotlib.colors import to_rgb

    of_symbol = np.array([to_rgb(colour_of(symbol)) for symbol in archive.composition.symbols])
    return np.asarray(of_symbol[cluster.types])


def draw_atoms(axes: Any, positions: Floats, radii: Floats, colours: Floats) -> None:
    """Atoms as shaded balls, the farthest first; those farther away are paler."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Circle

    depth = positions[:, 2]
    haze = 0.45 * (depth.max() - depth) / max(float(np.ptp(depth)), 1e-9)
    discs, faces = [], []
    for atom in np.argsort(depth, kind="stable"):
        colour = colours[atom] + haze[atom] * (1.0 - colours[atom])
        x, y = positions[atom, :2]
        discs.append(Circle((x, y), radii[atom]))
        faces.append(0.35 * colour)
        for step in range(SHADES):
            share = step / (SHADES - 1)
            lightness = 0.62 + 0.38 * min(1.0, 1.6 * share)
            gleam = 0.75 * max(0.0, share - 0.6) / 0.4
            middle = (x + radii[atom] * LIGHT[0] * share, y + radii[atom] * LIGHT[1] * share)
            discs.append(Circle(middle, radii[atom] * (0.96 - 0.88 * share)))
            faces.append(lightness * colour + gleam * (1.0 - lightness * colour))
    axes.add_collection(PatchCollection(discs, facecolors=np.clip(faces, 0.0, 1.0), edgecolors="none"))


def draw_ladder(axes: Any, archive: Archive) -> None:
    """Energies of the lowest minima above the best."""
    gaps = np.array([minimum.energy for minimum in archive.lowest(30)]) - archive.lowest(1)[0].energy
    axes.hlines(gaps, 0.0, 1.0, color="#33475b", linewidth=1.2)
    axes.set(xticks=[], xlim=(-0.15, 1.15), title="lowest minima")
    axes.set_ylabel(f"above the best, {archive.energy_unit}", labelpad=1.0)
    axes.spines[["top", "right", "bottom"]].set_visible(False)


def draw_legend(figure: Any, archive: Archive) -> None:
    """Elements and how many atoms of each, below the views."""
    from matplotlib.lines import Line2D

    marks = [
        Line2D(
            [],
            [],
            marker="o",
            linestyle="",
            markersize=13,
            color=colour_of(symbol),
            markeredgecolor="#444444",
            label=f"{symbol} {count}",
        )
        for symbol, count in zip(archive.composition.symbols, archive.composition.counts, strict=True)
    ]
    figure.legend(
        handles=marks, loc="lower center", bbox_to_anchor=(0.42, 0.0), ncols=len(marks), frameon=False, fontsize=12
    )
