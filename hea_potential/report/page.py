"""The page of a report: sections of charts, tables, pictures, a 3-D view and files, in one HTML file that needs no
network.

The frame of the page, its looks and its scripts are `page.html`, `page.css` and `page.js` beside this module. Plotly is
put in once.
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from hea_potential.complete_file import complete_file
from hea_potential.report.chart import Chart
from hea_potential.report.chart_web import plotly_figure
from hea_potential.report.clusters import as_data_uri
from hea_potential.report.ladders import Gallery
from hea_potential.report.table import Table, table_html
from hea_potential.search.view import Shown, page_of

FOLDER = Path(__file__).parent
LARGE_WORDS = 8  # letters of a key figure that fit into its card in large type


@dataclass(frozen=True)
class View:
    """A 3-D view of clusters with a list of them; see `search.view`."""

    title: str
    columns: Sequence[str]
    clusters: Sequence[Shown]
    caption: str = ""


@dataclass(frozen=True)
class Words:
    """Paragraphs, and lines for a terminal."""

    paragraphs: Sequence[str]
    commands: str = ""


@dataclass(frozen=True)
class Files:
    """Files that the page holds, to be saved from it: name and content."""

    contents: Sequence[tuple[str, bytes]]


Part = Chart | Gallery | Table | View | Words | Files


@dataclass(frozen=True)
class Section:
    """A heading and what is below it."""

    title: str
    parts: Sequence[Part]

    @property
    def anchor(self) -> str:
        """Its name in addresses."""
        return "".join(letter if letter.isalnum() else "-" for letter in self.title.lower())


@dataclass(frozen=True)
class Report:
    """A title, a line below it, the key figures (what and how much), what is to be known first, and the sections."""

    title: str
    subtitle: str
    figures: Sequence[tuple[str, str]]
    remarks: Sequence[str]
    sections: Sequence[Section]

    def pictures(self) -> list[Chart | Gallery]:
        """All that is drawn as PNG as well."""
        return [part for section in self.sections for part in section.parts if isinstance(part, Chart | Gallery)]


def write_page(path: Path, report: Report) -> None:
    """Write the page, complete or not at all."""
    with complete_file(path) as temporary:
        temporary.write_text(page_html(report), encoding="utf-8")


def page_html(report: Report) -> str:
    """The whole page."""
    from plotly.offline import get_plotlyjs

    links = "".join(f'<a href="#{each.anchor}">{escape(each.title)}</a>' for each in report.sections)
    figures = "".join(
        f"<div><b{' class=words' if len(value) > LARGE_WORDS else ''}>{escape(value)}</b>"
        f"<span>{escape(what)}</span></div>"
        for what, value in report.figures
    )
    remarks = "".join(f"<li>{escape(remark)}</li>" for remark in report.remarks)
    pieces = {
        "title": escape(report.title),
        "subtitle": escape(report.subtitle),
        "links": links,
        "figures": figures,
        "remarks": f"<ul id=remarks>{remarks}</ul>" if remarks else "",
        "sections": "".join(section_html(section) for section in report.sections),
        "style": (FOLDER / "page.css").read_text(encoding="utf-8"),
        "script": (FOLDER / "page.js").read_text(encoding="utf-8"),
        "plotly": get_plotlyjs().replace("</script", "<\\/script"),
    }
    page = (FOLDER / "page.html").read_text(encoding="utf-8")
    before, *rest = page.split("{{")
    return before + "".join(pieces[name] + after for name, _, after in (piece.partition("}}") for piece in rest))


def section_html(section: Section) -> str:
    """A section as HTML."""
    parts = "".join(part_html(part) for part in section.parts)
    return f'<section id="{section.anchor}"><h2>{escape(section.title)}</h2>{parts}</section>'


def part_html(part: Part) -> str:
    """A part of a section as HTML."""
    match part:
        case Chart():
            return chart_html(part)
        case Gallery():
            return gallery_html(part)
        case Table():
            return table_html(part)
        case View():
            page = page_of(part.title, part.columns, part.clusters)
            frame = f'<iframe class=view title="{escape(part.title)}" srcdoc="{escape(page)}"></iframe>'
            return f"<figure>{caption(part.caption)}{frame}</figure>"
        case Words():
            commands = f"<pre>{escape(part.commands)}</pre>" if part.commands else ""
            return "".join(f"<p>{escape(words)}</p>" for words in part.paragraphs) + commands
        case Files():
            return f"<p class=files>{''.join(file_html(name, content) for name, content in part.contents)}</p>"


def chart_html(chart: Chart) -> str:
    """A chart, drawn by plotly from the data beside it."""
    figure = plotly_figure(chart)
    # No text may end the element that holds the data.
    data = json.dumps(figure, separators=(",", ":")).replace("<", "\\u003c")
    return (
        f"<figure>{heading(chart.title)}{caption(chart.caption)}"
        f'<div class=chart id="chart-{chart.name}" style="height:{figure["layout"]["height"]}px"></div>'
        f"<script type=application/json>{data}</script></figure>"
    )


def gallery_html(gallery: Gallery) -> str:
    """Pictures in rows, each with a mark of its energy."""
    tiles = "".join(
        f'<div class=tile title="{escape(words)}"><img alt="" loading=lazy src="{as_data_uri(image)}">'
        f'<i style="--share:{share:.3f};--mark:{colour}"></i>{share:.2f}</div>'
        for image, share, words, colour in zip(
            gallery.images, gallery.shares, gallery.words, gallery.colours, strict=True
        )
    )
    marks = "".join(
        f'<span><i style="background:{each}"></i>{escape(name)}</span>' for name, each in gallery.marks.items()
    )
    return (
        f"<figure>{heading(gallery.title)}{caption(gallery.caption)}<p class=marks>{marks}</p>"
        f"<div class=tiles>{tiles}</div></figure>"
    )


def heading(text: str) -> str:
    """The title of a figure."""
    return f"<h3>{escape(text)}</h3>"


def caption(text: str) -> str:
    """What a figure shows."""
    return f"<p class=caption>{escape(text)}</p>" if text else ""


def file_html(name: str, content: bytes) -> str:
    """A link that saves a file held by the page."""
    address = f"data:application/octet-stream;base64,{b64encode(content).decode()}"
    return f'<a download="{escape(name)}" href="{address}">{escape(name)} <small>{size_words(len(content))}</small></a>'


def size_words(count: int) -> str:
    """A number of bytes as a person reads it."""
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{max(1, round(count / 1e3))} kB"
