"""Charts as plotly's JSON documents, as the report's page draws them."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10
from typing import Any

import numpy as np

from hea_potential.report.chart import INK, MUTED, RULE, Chart, Panel, Range, Scale, Series, log_ticks
from hea_potential.report.clusters import as_data_uri

FONT = "system-ui, -apple-system, 'Segoe UI', sans-serif"
GAP = 0.075  # between the panels of a row, as shares of the chart's width
LEGEND, TITLE, BELOW = 24, 32, 48  # pixels: of a line of the legend, of a row's titles, of a row's axis labels
LINE = 130  # letters of a line of the legend
DIGITS = 6  # that are kept of numbers: a chart needs no more, and the page is smaller


def plotly_figure(chart: Chart) -> dict[str, Any]:
    """The `data` and `layout` of a chart for Plotly.newPlot."""
    inner = len(chart.rows) * (chart.row_height + TITLE + BELOW)
    names = dict.fromkeys([*chart.marks, *(each.name for panel in chart.panels for each in panel.series if each.name)])
    above = LEGEND * (2 + sum(len(name) + 8 for name in names) // LINE)
    layout: dict[str, Any] = {
        "font": {"family": FONT, "size": 12, "color": INK},
        "height": inner + above,
        "margin": {"l": 62, "r": 16, "t": above, "b": 0},
        "paper_bgcolor": "rgba(0,0,0,0)",
        "plot_bgcolor": "#ffffff",
        "barmode": "stack",
        "bargap": 0.25,
        "hovermode": "closest",
        "modebar": {"bgcolor": "rgba(0,0,0,0)", "color": "#b8c2cc", "activecolor": MUTED},
        "legend": {"orientation": "h", "x": 0, "y": 1, "yref": "container", "yanchor": "top", "itemsizing": "constant"},
        "annotations": [],
        "images": [],
    }
    data: list[dict[str, Any]] = [mark_of(*mark) for mark in chart.marks.items()]
    named: set[str] = set()
    number = 0
    for i, row in enumerate(chart.rows):
        top = 1.0 - (i * (chart.row_height + TITLE + BELOW) + TITLE) / inner
        vertical = (top - chart.row_height / inner, top)
        for panel, horizontal in zip(row, columns_of(max(map(len, chart.rows))), strict=False):
            number += 1
            place_panel(layout, panel, number, horizontal, vertical)
            for series in (each for each in panel.series if not each.is_empty):
                data.append(trace_of(series, number, is_named_first=series.name not in named))
                named.add(series.name)
    return {"data": data, "layout": layout}


def columns_of(count: int) -> list[Range]:
    """The shares of the width that the panels of a row have."""
    width = (1.0 - GAP * (count - 1)) / count
    return [(column * (width + GAP), column * (width + GAP) + width) for column in range(count)]


def place_panel(layout: dict[str, Any], panel: Panel, number: int, horizontal: Range, vertical: Range) -> None:
    """Add a panel's axes, title, note and pictures to the layout."""
    place = numbered(number)
    x, y = f"x{place}", f"y{place}"
    common = {"gridcolor": RULE, "zeroline": False, "linecolor": "#b8c2cc", "ticks": "outside", "tickcolor": "#b8c2cc"}
    small = {"size": 11, "color": MUTED}
    layout[f"xaxis{place}"] = {
        **common,
        "domain": list(horizontal),
        "anchor": y,
        "title": {"text": panel.x_label, "font": small, "standoff": 6},
        "tickfont": small,
        **scaled(panel.x_scale, panel.x_range),
        **ticked(panel),
    }
    layout[f"yaxis{place}"] = {
        **common,
        "domain": list(vertical),
        "anchor": x,
        "title": {"text": panel.y_label, "font": small, "standoff": 6},
        "tickfont": small,
        **scaled(panel.y_scale, panel.y_range),
    }
    corner = {"xref": f"{x} domain", "yref": f"{y} domain", "showarrow": False, "align": "left", "xanchor": "left"}
    words = {**corner, "x": 0, "y": 1.0, "yanchor": "bottom", "yshift": 6, "text": panel.title}
    layout["annotations"].append({**words, "font": {"size": 13, "color": INK}})
    if panel.note:
        text = panel.note.replace("\n", "<br>")
        spot = {"x": 0.03, "y": 0.97, "yanchor": "top"}
        if panel.note_below:
            spot = {"x": 0.97, "y": 0.03, "yanchor": "bottom", "xanchor": "right"}
        layout["annotations"].append({**corner, **spot, "text": text, "font": small})
    for picture in panel.pictures:
        assert panel.x_range
        assert panel.y_range
        spot = {"xref": x, "yref": y, "x": picture.x, "y": picture.y, "xanchor": "center", "yanchor": "middle"}
        spans = {
            "sizex": picture.share * (panel.x_range[1] - panel.x_range[0]),
            "sizey": picture.share * (panel.y_range[1] - panel.y_range[0]) * 3.0,  # its width decides
        }
        layout["images"].append({"source": as_data_uri(picture.image), **spot, **spans, "layer": "above"})


def numbered(panel: int) -> str:
    """How plotly numbers the axes of a panel: the first have no number."""
    return "" if panel == 1 else str(panel)


def ticked(panel: Panel) -> dict[str, Any]:
    """Where the x axis has ticks, and what is written there, if that is given."""
    words = {"ticktext": list(panel.x_words)} if panel.x_words else {}
    return words if panel.x_ticks is None else {"tickvals": plain(panel.x_ticks), **words}


def scaled(scale: Scale, limits: Range | None) -> dict[str, Any]:
    """Kind and range of an axis."""
    if scale == "linear":
        return {"range": list(limits)} if limits else {}
    if not limits:
        return {"type": "log", "dtick": 1}
    low, high = map(log10, limits)
    ticks = log_ticks(*limits)
    return {"type": "log", "range": [low, high], "tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def trace_of(series: Series, number: int, is_named_first: bool) -> dict[str, Any]:
    """A series as plotly has it."""
    trace: dict[str, Any] = {
        "x": plain(series.x),
        "y": plain(series.y),
        "xaxis": f"x{numbered(number)}",
        "yaxis": f"y{numbered(number)}",
        "name": series.name,
        "legendgroup": series.name,
        "showlegend": bool(series.name) and is_named_first,
        "opacity": series.opacity,
    }
    if series.texts:
        trace |= {"text": list(series.texts), "hovertemplate": "%{text}<extra></extra>"}
    elif not series.name:
        trace |= {"hoverinfo": "skip"}
    if series.style == "bars":
        return trace | {"type": "bar", "marker": {"color": series.colour}, "textposition": "none"}
    mode = {"points": "markers", "line and points": "lines+markers"}.get(series.style, "lines")
    trace |= {"type": "scatter", "mode": mode}
    if "markers" in mode:
        trace["marker"] = {"color": series.colour, "size": series.size}
    if "lines" in mode:
        dash = "dash" if series.style == "dashed" else "solid"
        trace["line"] = {"color": series.colour, "width": series.width, "dash": dash}
    if series.filled:
        trace |= {"fill": "tozeroy", "fillcolor": f"{series.colour}24"}
    return trace


def mark_of(name: str, colour: str) -> dict[str, Any]:
    """An entry of the legend without points in the panels."""
    look = {"type": "scatter", "mode": "markers", "marker": {"color": colour, "size": 10}, "hoverinfo": "skip"}
    return {"x": [None], "y": [None], "name": name, "showlegend": True, **look}


def plain(values: Any) -> Sequence[Any]:
    """Values as JSON has them; what is not a number is left out by plotly as null."""
    array = np.asarray(values)
    if array.dtype.kind == "f":
        return [float(f"{each:.{DIGITS}g}") if np.isfinite(each) else None for each in array.tolist()]
    return array.tolist()
