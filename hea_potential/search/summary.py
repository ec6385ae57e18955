"""What a person sees when a search has ended: the lowest minima with their gaps, what the run cost, and where the
files are.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from hea_potential.search.database import LOWEST, SADDLES
from hea_potential.search.database import NAME as DATABASE
from hea_potential.search.description import headings, quantity, texts
from hea_potential.search.journal import NAME as JOURNAL
from hea_potential.search.pictures import draw_best
from hea_potential.search.result_table import result_table
from hea_potential.search.state import Run
from hea_potential.search.view import Shown, write_view

FILES = {
    "best.png": "picture of the best",
    "view.html": "ten lowest, to look at in a browser",
    LOWEST: "ten lowest (extended XYZ)",
    SADDLES: "saddles that were left out (extended XYZ)",
    DATABASE: "all minima (ASE database)",
    JOURNAL: "journal, to continue from",
}


def illustrate(run: Run) -> None:
    """Make the picture and the web page of a run in its folder, if it has one and found what they do not show."""
    archive = run.archive
    if archive.folder is None or archive.best is None:
        return
    if is_illustrated(archive.folder) and not archive.saddles and not (archive.folder / SADDLES).exists():
        return  # earlier calls may have had no time to leave saddles out
    kappa = run.setup.pair.kappa
    words = [archive.best.motif, archive.best.point_group, *([quantity(kappa)] if kappa else [])]
    words += ["saddle"] if archive.best.falls_to is not None else []
    draw_best(archive.folder / "best.png", archive, ", ".join(words))
    listed = [
        Shown(texts(archive, rank, minimum), archive.composition, minimum.cluster, archive.bonds)
        for rank, minimum in enumerate(archive.lowest(10), start=1)
    ]
    title = f"{archive.composition.formula}: lowest minima, seed {run.setup.seed}"
    write_view(archive.folder / "view.html", title, headings(archive.energy_unit, kappa), listed)


def is_illustrated(folder: Path) -> bool:
    """Whether the page, which is made last, is not older than the journal: nothing was found since."""
    page = folder / "view.html"
    return page.exists() and page.stat().st_mtime_ns >= (folder / JOURNAL).stat().st_mtime_ns


def report(run: Run, console: Console) -> None:
    """Print the end of a run."""
    archive, tally = run.archive, run.tally
    parts: list[Table | Text] = []
    if archive.best is not None:
        parts.append(lowest_table(run, console.width))
    parts += [Text(words) for words in said_of_saddles(run)]
    parts.append(Text(cost(run)))
    if tally.last_message:
        parts.append(Text(f"last failure: {tally.last_message}"))
    if run.stop.target is not None:
        reached = "reached" if run.target_reached else "not reached"
        parts.append(Text(f"target {run.stop.target} {archive.energy_unit}: {reached}"))
    console.print(Group(*parts))
    if archive.folder is not None:
        print_files(archive.folder, FILES, console)


def lowest_table(run: Run, width: int) -> Table:
    """The ten lowest distinct minima, for a terminal of so many columns."""
    archive = run.archive
    rows = [texts(archive, rank, minimum) for rank, minimum in enumerate(archive.lowest(10), start=1)]
    title = f"{archive.composition.formula}: lowest distinct minima"
    return result_table(title, headings(archive.energy_unit, run.setup.pair.kappa), rows, width)


def said_of_saddles(run: Run) -> list[str]:
    """What the check of the lowest minima has met, and what of the ten that are shown it has not come to."""
    check, archive = run.check, run.archive
    if check is None:
        return []
    words = []
    if number := len(check.left_out):
        are, saddles = ("is", "a saddle") if number == 1 else ("are", "saddles")
        among = f"{number} of the {check.shown + number} lowest"
        words.append(f"{among} {are} {saddles}, from which the energy falls, and {are} left out")
    if check.lower is not None:
        words.append(
            f"off a saddle the energy falls to {check.lower:.6f} {archive.energy_unit}, lower than all that was found: "
            f"more minimisations or a smaller --fmax may lead there"
        )
    if check.ended_by:
        shown = len(archive.lowest(10))
        words.append(f"{shown - check.shown} of the {shown} are not checked for being saddles: {check.ended_by}")
    return words


def cost(run: Run) -> str:
    """What a run took, and how it went."""
    tally = run.tally
    share = 100.0 * tally.quench_seconds / tally.seconds if tally.seconds else 0.0
    made = "candidates and their orderings" if len(run.archive.composition.symbols) > 1 else "candidates"
    before = f" ({run.resumed} of them in earlier calls)" if run.resumed else ""
    return (
        f"{tally.done} minimisations{before}, {tally.calls} force calls, {run.age:.1f} s on {run.ranks} "
        f"{'rank' if run.ranks == 1 else 'ranks'}, seed {run.setup.seed}; work: {share:.0f} % in LAMMPS, "
        f"{100.0 - share:.0f} % on {made}; {len(run.archive)} distinct minima; not a minimum: {tally.failures}"
    )


def print_files(folder: Path, files: Mapping[str, str], console: Console) -> None:
    """Print where the files are that a folder holds, with the meaning of each; paths are never broken."""
    found = {meaning: str(folder / name) for name, meaning in files.items() if (folder / name).exists()}
    width = max(map(len, found), default=0)
    for meaning, path in found.items():
        console.print(f"{meaning:{width}}  {path}", soft_wrap=True, markup=False, highlight=False)
