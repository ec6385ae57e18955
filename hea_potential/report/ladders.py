"""Clusters along their energies: the path of sorted energies, and the grid of a hundred from low to high."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from hea_potential.complete_file import complete_file
from hea_potential.report.chart import INK, MUTED, Chart, Panel, Picture, Series, in_rows
from hea_potential.report.clusters import Image, picture_of, rgb
from hea_potential.search.colours import colour_of

ACROSS = 10  # the grid has as many rows as columns
SHOWN = 6  # clusters on a path
ROOM = 0.45  # of a path's panel, above its curve, for the clusters
LOW, HIGH = rgb("#0c3e6e"), rgb("#f2c230")  # colours of the lowest and of the highest energy


@dataclass(frozen=True)
class Ranked:
    """A cluster with its energy against the lowest of its composition and what is said of it; `predicted` is another
    energy against the same zero, if there is one.
    """

    atoms: Atoms
    energy: float
    words: str
    predicted: float = math.nan


def path_chart(paths: Mapping[str, Sequence[Ranked]], unit: str, caption: str) -> Chart:
    """A panel for each list of clusters, by its title: sorted energies, with clusters at their places."""
    columns = 2 if len(paths) > 1 else 1
    panels = [path_panel(title, ranked, unit, columns) for title, ranked in paths.items()]
    marks = marks_of([each.atoms for ranked in paths.values() for each in ranked])
    return Chart("path", "Path of sorted energies", caption, in_rows(panels, columns), 330, marks)


def marks_of(clusters: Sequence[Atoms]) -> dict[str, str]:
    """The colours of the elements of clusters."""
    symbols = sorted({symbol for atoms in clusters for symbol in atoms.symbols.species()})
    return {symbol: colour_of(symbol) for symbol in symbols}


def path_panel(title: str, ranked: Sequence[Ranked], unit: str, columns: int) -> Panel:
    """The sorted energies of clusters, some of them shown above the curve."""
    ranked = sorted(ranked, key=lambda each: each.energy)
    words = [each.words for each in ranked]
    energies, predicted = (np.array([getattr(each, what) for each in ranked]) for what in ("energy", "predicted"))
    places = np.arange(1, len(ranked) + 1)
    is_known = np.isfinite(predicted)
    both = np.append(energies, predicted[is_known])
    lowest = min(float(both.min()), 0.0)
    span = max(float(both.max()) - lowest, 1e-9)
    y_range = (lowest - 0.04 * span, lowest + span / (1.0 - ROOM))
    height = y_range[1] - 0.5 * (ROOM - 0.12) * (y_range[1] - y_range[0])
    edge = 0.09 * max(len(ranked) - 1, 1)
    x_range = (1.0 - edge, len(ranked) + edge)
    count = min(SHOWN * (3 - columns), len(ranked))
    shown = sorted({round(place) for place in np.linspace(0, len(ranked) - 1, count)})
    stems = [Series([k + 1] * 2, [energies[k], height], "#b8c2cc", style="line", width=1.0) for k in shown]
    name = "labelled" if is_known.any() else ""
    curve = Series(places, energies, INK, name, texts=words, size=4.0)
    known = np.flatnonzero(is_known)
    points = Series(places[known], predicted[known], "#c2344d", "predicted", "points", [words[k] for k in known], 5.0)
    share = min(0.09 * columns, 0.95 / count)
    pictures = [Picture(picture_of(ranked[k].atoms, 110), k + 1, height, share) for k in shown]
    label = f"above the lowest, {unit}"
    series = [*stems, points, curve]
    return Panel(
        title, "place in the order of energies", label, series, x_range=x_range, y_range=y_range, pictures=pictures
    )


@dataclass(frozen=True)
class Gallery:
    """Pictures of clusters from low to high energy. `shares` are the energies from 0 (lowest) to 1 (highest)."""

    name: str
    title: str
    caption: str
    images: Sequence[Image]
    shares: Sequence[float]
    words: Sequence[str]
    marks: Mapping[str, str]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return not self.images

    @property
    def colours(self) -> list[str]:
        """The colour of each picture's mark, by its energy."""
        mixed = [LOW + share * (HIGH - LOW) for share in self.shares]
        return ["#" + "".join(f"{round(255 * part):02x}" for part in each) for each in mixed]


def energy_grid(ranked: Sequence[Ranked], caption: str) -> Gallery:
    """A hundred clusters, or as many as there are, evenly spread over those given in order of energy, which is drawn
    from 0 to 1.
    """
    ordered = sorted(ranked, key=lambda each: each.energy)
    count = min(ACROSS * ACROSS, len(ordered))
    chosen = [ordered[round(k)] for k in np.linspace(0, len(ordered) - 1, count)] if ordered else []
    images, marks = [picture_of(each.atoms, 84) for each in chosen], marks_of([each.atoms for each in chosen])
    shares, words = [each.energy for each in chosen], [each.words for each in chosen]
    return Gallery("grid", "Grid of clusters over their energy", caption, images, shares, words, marks)


def draw_gallery(path: Path, gallery: Gallery) -> None:
    """Write the grid as PNG, complete or not at all. Lengths are in tiles."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D

    height = 1.22 * -(-len(gallery.images) // ACROSS)
    figure = Figure(figsize=(ACROSS, height + 0.6), dpi=120, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0.0, 0.0, 1.0, height / (height + 0.6)))
    tiles = zip(gallery.images, gallery.shares, gallery.colours, strict=True)
    for number, (image, share, colour) in enumerate(tiles):
        left, top = number % ACROSS + 0.06, height - 1.22 * (number // ACROSS)
        axes.imshow(image, extent=(left, left + 0.88, top - 0.92, top - 0.04), interpolation="antialiased")
        for end, shade in ((0.88, "#dde3e8"), (0.88 * share, colour)):
            axes.plot([left, left + end], [top - 0.98] * 2, color=shade, linewidth=3, solid_capstyle="butt")
        axes.text(left + 0.44, top - 1.03, f"{share:.2f}", fontsize=6.5, color=MUTED, ha="center", va="top")
    axes.set(xlim=(0.0, ACROSS), ylim=(0.0, height), aspect="equal")
    axes.axis("off")
    look: dict[str, Any] = {"marker": "o", "linestyle": ""}
    dots = [Line2D([], [], color=colour, label=name, **look) for name, colour in gallery.marks.items()]
    figure.legend(handles=dots, loc="upper right", ncols=len(dots), frameon=False, fontsize=10)
    figure.suptitle(gallery.title, fontsize=14, color=INK, x=0.01, ha="left", fontweight="bold")
    with complete_file(path) as temporary:
        figure.savefig(temporary, format="png")
