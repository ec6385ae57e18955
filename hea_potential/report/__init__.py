"""The report of a meta loop or of a search: figures, and one page that needs no network.

    from hea_potential.report import write_report
    write_report("runs/loop")          # runs/loop/report.html and runs/loop/figures/*.png

The rooms, in the order in which they build on each other: `search_folder`, `loop_folder` (what a run's folder holds;
nothing in it is changed); `predictions`, `loop_predictions` (what models say of its data); `chart` (a chart said once),
`chart_png`, `chart_web` (and drawn twice); `clusters`, `ladders`, `radial`, `calibration`, `error_charts`,
`cost_charts`, `search_charts` (the charts); `table`, `page` with `page.html`, `page.css`, `page.js` (the page);
`found_clusters`, `loop_tables`, `reproduction`, `loop_report`, `search_report` (what is said in which order).
"""

from __future__ import annotations

import os
from pathlib import Path

from hea_potential.errors import OutputError
from hea_potential.loop_files import IDENTITY
from hea_potential.report.chart import Chart
from hea_potential.report.chart_png import draw_chart
from hea_potential.report.ladders import draw_gallery
from hea_potential.report.loop_folder import Progress
from hea_potential.report.loop_report import loop_report
from hea_potential.report.page import Report, write_page
from hea_potential.report.search_report import search_report, series_report
from hea_potential.search.journal import NAME, RunFolderError

__all__ = ["write_report"]


def write_report(folder: str | os.PathLike[str], progress: Progress = lambda what, done, total: None) -> Path:
    """Make, or make anew, the report of the run in a folder: of a meta loop, of a search, or of searches of several
    compositions below it, finished or not. Returns the path of the page.

    progress: called with what is being done, and how much of how much of it is.

    Raises RunFolderError for a folder that holds none of them or whose ledger or journal is damaged, InputError for a
    damaged data set, OutputError where nothing can be written.
    """
    folder = Path(folder)
    return draw_report(folder, report_of(folder, progress), progress)


def draw_report(folder: Path, report: Report, progress: Progress) -> Path:
    """Write the figures and the page of what is to be said of a folder."""
    figures, page = folder / "figures", folder / "report.html"
    try:
        figures.mkdir(exist_ok=True)
    except OSError as error:
        raise OutputError(f"{figures}: cannot be made: {error.strerror}; figures need a folder of their own") from error
    pictures = report.pictures()
    for number, picture in enumerate(pictures, start=1):
        target = figures / f"{picture.name}.png"
        if isinstance(picture, Chart):
            draw_chart(target, picture)
        else:
            draw_gallery(target, picture)
        progress("figures", number, len(pictures))
    write_page(page, report)
    return page


def report_of(folder: Path, progress: Progress) -> Report:
    """What is to be said of a folder."""
    if (folder / IDENTITY).exists():
        return loop_report(folder, progress)
    if (folder / NAME).exists():
        return search_report(folder)
    if any(folder.glob(f"*/{NAME}")):
        return series_report(folder, progress)
    raise RunFolderError(
        f"{str(folder)!r} holds no run; a report can be made of the folder of a meta loop ({IDENTITY}), of a search "
        f"({NAME}) or of several searches"
    )
