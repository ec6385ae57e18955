"""Charts as PNG files, drawn by matplotlib."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from hea_potential.complete_file import complete_file
from hea_potential.report.chart import INK, MUTED, RULE, Chart, Panel, Picture, Series, log_ticks

WIDTH = 11.0  # inches
PIXELS = 100.0  # of the web page in an inch here
DPI = 150
LEGEND = 95  # letters that have room beside the title
SHORT_WORDS = 60  # letters below the bars of a panel that do not run into each other
PLOT = 0.9  # of the width of a panel, without what is written beside its axes


def draw_chart(path: Path, chart: Chart) -> None:
    """Write the picture of a chart, complete or not at all."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = len(chart.rows) * chart.row_height / PIXELS + 0.9
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    columns = max(len(row) for row in chart.rows)
    grid = figure.add_gridspec(len(chart.rows), columns)
    for i, row in enumerate(chart.rows):
        for j, panel in enumerate(row):
            draw_panel(figure.add_subplot(grid[i, j]), panel)
    draw_legend(figure, chart)
    figure.suptitle(chart.title, fontsize=14, color=INK, x=0.01, ha="left", fontweight="bold")
    with complete_file(path) as temporary:
        figure.savefig(temporary, format="png")


def draw_panel(axes: Any, panel: Panel) -> None:
    """Draw one panel into its axes."""
    words = words_of(panel)
    bottoms: dict[float, float] = {}
    for series in panel.series:
        if not series.is_empty:
            draw_series(axes, series, words, bottoms)
    if words:
        axes.set_xticks(range(len(words)), labels=words)
    if panel.x_range:
        axes.set_xlim(panel.x_range)
    if panel.y_range:
        axes.set_ylim(panel.y_range)
    if panel.x_scale == "log":
        axes.set_xscale("log")
        place_ticks(axes.xaxis)
    if panel.y_scale == "log":
        axes.set_yscale("log")
        place_ticks(axes.yaxis)
    if panel.x_ticks is not None:
        axes.set_xticks(panel.x_ticks, labels=panel.x_words or None)
    axes.set_title(panel.title, fontsize=10.5, color=INK, loc="left")
    axes.set_xlabel(panel.x_label, fontsize=9.5, color=MUTED)
    axes.set_ylabel(panel.y_label, fontsize=9.5, color=MUTED)
    axes.tick_params(labelsize=8.5, colors=MUTED)
    axes.grid(color=RULE, linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color("#b8c2cc")
    if panel.note:
        place, sides = ((0.97, 0.03), ("right", "bottom")) if panel.note_below else ((0.03, 0.97), ("left", "top"))
        corner = {"xy": place, "xycoords": "axes fraction", "ha": sides[0], "va": sides[1]}
        axes.annotate(panel.note, **corner, fontsize=8.5, color=INK)
    if sum(map(len, words)) > SHORT_WORDS:
        for label in axes.get_xticklabels():
            label.set(rotation=32, ha="right", rotation_mode="anchor")
    for picture in panel.pictures:
        place_picture(axes, picture)


def place_ticks(axis: Any) -> None:
    """Write few numbers at a logarithmic axis."""
    from matplotlib.ticker import NullLocator

    ticks = log_ticks(*axis.get_view_interval())
    axis.set_ticks(ticks, labels=[f"{tick:g}" for tick in ticks])
    axis.set_minor_locator(NullLocator())


def words_of(panel: Panel) -> list[str]:
    """The words on the x axis, in the order in which they come; none where it has numbers."""
    values = (each for series in panel.series for each in np.asarray(series.x).tolist())
    return list(dict.fromkeys(each for each in values if isinstance(each, str)))


def draw_series(axes: Any, series: Series, words: list[str], bottoms: dict[float, float]) -> None:
    """Draw one series, words at their places in the list; `bottoms` holds how high the bars at each x are already."""
    x, y = np.asarray(series.x), np.asarray(series.y, dtype=float)
    if words:  # matplotlib would take them as they are, but complains in the log of those that look like numbers
        x = np.array([words.index(each) for each in x.tolist()])
    look = {"color": series.colour, "alpha": series.opacity}
    if series.style == "bars":
        under = [bottoms.get(each, 0.0) for each in x.tolist()]
        axes.bar(x, y, bottom=under, width=0.75, linewidth=0, **look)
        bottoms.update(zip(x.tolist(), (np.array(under) + y).tolist(), strict=True))
        return
    if series.style == "points":
        axes.scatter(x, y, s=(0.6 * series.size) ** 2, linewidths=0, **look)
        return
    marker = "o" if series.style == "line and points" else None
    line = "--" if series.style == "dashed" else "-"
    thickness = 0.72 * series.width
    axes.plot(x, y, line, marker=marker, markersize=0.72 * series.size, linewidth=thickness, **look)
    if series.filled:
        axes.fill_between(x, y, color=series.colour, alpha=0.14 * series.opacity, linewidth=0)


def place_picture(axes: Any, picture: Picture) -> None:
    """Put a picture into a panel, as wide as its share of it."""
    from matplotlib.offsetbox import AnnotationBbox, OffsetImage

    inches = axes.figure.get_figwidth() / axes.get_subplotspec().get_gridspec().ncols * PLOT * picture.share
    zoom = 72.0 * inches / picture.image.shape[0]  # OffsetImage draws a pixel as a point, 1/72 inch
    box = AnnotationBbox(OffsetImage(picture.image, zoom=zoom), (picture.x, picture.y), frameon=False, pad=0.0)
    axes.add_artist(box)


def draw_legend(figure: Any, chart: Chart) -> None:
    """One legend for all panels, above them, or below where it is long."""
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    handles: dict[str, Any] = {
        name: Line2D([], [], color=colour, marker="o", linestyle="") for name, colour in chart.marks.items()
    }
    for series in (each for panel in chart.panels for each in panel.series if each.name and not each.is_empty):
        if series.style == "bars":
            handles.setdefault(series.name, Patch(color=series.colour))
        else:
            marker = "o" if "points" in series.style else ""
            line = {"points": "", "dashed": "--"}.get(series.style, "-")
            handles.setdefault(series.name, Line2D([], [], color=series.colour, marker=marker, linestyle=line))
    if handles:
        is_long = sum(map(len, handles)) + 5 * len(handles) > LEGEND
        place = {"loc": "outside lower center" if is_long else "outside upper right", "ncols": 5 if is_long else 9}
        figure.legend(handles.values(), handles.keys(), **place, frameon=False, fontsize=9)
