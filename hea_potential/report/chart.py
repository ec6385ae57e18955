"""A chart said once: what is drawn, in plain values, for `chart_png` (matplotlib) and `chart_web` (plotly) alike."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

Style = Literal["line", "dashed", "points", "line and points", "bars"]
Scale = Literal["linear", "log"]
Range = tuple[float, float]

INK = "#1f2d3a"
MUTED = "#5b6b79"
RULE = "#dde3e8"
PARTS = {
    "train": "#8fa3b5",
    "valid": "#e0902f",
    "test": "#c2344d",
    "new": "#7b4fa3",
}  # colours of the parts of a data set


@dataclass(frozen=True)
class Series:
    """Values of one colour. Numbers, or on the x axis words; those of one name share an entry of the legend.

    `texts` is what the web page says of each point under the pointer. Bars stand over words; those of one panel are
    stacked.
    """

    x: ArrayLike
    y: ArrayLike
    colour: str
    name: str = ""
    style: Style = "line and points"
    texts: Sequence[str] = ()
    size: float = 5.0  # of a point, in pixels
    width: float = 1.8  # of a line, in pixels
    opacity: float = 1.0
    filled: bool = False  # a line, with the area below it

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return np.size(self.y) == 0


@dataclass(frozen=True)
class Picture:
    """A square picture (pixels, pixels, 4) of values from 0 to 1, its middle at a place in data coordinates, as wide as
    this share of the panel.
    """

    image: NDArray[np.float64]
    x: float
    y: float
    share: float


@dataclass(frozen=True)
class Panel:
    """Axes with what is drawn in them; ranges are in data coordinates, also where the scale is logarithmic."""

    title: str
    x_label: str
    y_label: str
    series: Sequence[Series]
    x_scale: Scale = "linear"
    y_scale: Scale = "linear"
    x_range: Range | None = None
    y_range: Range | None = None
    x_ticks: Sequence[float] | None = None
    x_words: Sequence[str] = ()  # at the ticks, instead of their numbers
    pictures: Sequence[Picture] = ()
    note: str = ""  # words in the upper left corner, or in the lower right one
    note_below: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(each.is_empty for each in self.series)


@dataclass(frozen=True)
class Chart:
    """Panels in rows. `name` is that of the picture's file, `caption` says what is shown, of what, in which units."""

    name: str
    title: str
    caption: str
    rows: Sequence[Sequence[Panel]]
    row_height: int = 330  # pixels
    marks: Mapping[str, str] = field(default_factory=dict)  # colours by name that belong into the legend as well

    @property
    def panels(self) -> list[Panel]:
        """All panels, row by row."""
        return [panel for row in self.rows for panel in row]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to draw."""
        return all(panel.is_empty for panel in self.panels)


def in_rows(panels: Sequence[Panel], columns: int) -> list[list[Panel]]:
    """Panels in rows of at most so many."""
    return [list(panels[start : start + columns]) for start in range(0, len(panels), columns)]


def log_ticks(low: float, high: float) -> list[float]:
    """Where a logarithmic axis has ticks: at powers of ten, and at 2 and 5 times these where it spans few of them."""
    steps = (1.0, 2.0, 5.0) if high / low < 200.0 else (1.0,)
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    return [step * 10.0**power for power in powers for step in steps if low <= step * 10.0**power <= high]


def scale_of_loops(count: int) -> list[str]:
    """A colour for each of so many loops, from light to dark: later ones stand out."""
    light, dark = np.array([158, 196, 222]), np.array([12, 62, 110])
    shares = np.linspace(0.0, 1.0, count) if count != 1 else np.ones(1)
    return ["#" + "".join(f"{round(part):02x}" for part in light + share * (dark - light)) for share in shares]


def line_colour(colour: str) -> str:
    """The colour of an element, darkened where it would be too pale for a line on white."""
    parts = np.array([int(colour[k : k + 2], 16) for k in (1, 3, 5)], dtype=float)
    lightness = parts @ [0.299, 0.587, 0.114] / 255.0
    return "#" + "".join(f"{round(part):02x}" for part in parts * min(1.0, 0.68 / lightness)) if lightness else colour
