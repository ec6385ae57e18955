"""What a person sees when several compositions have been searched: one table over all of them, their excess energies
and the files with the best of each.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from ase.io import write
from rich.console import Console

from hea_potential.complete_file import complete_file
from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.database import atoms_of, facts_of
from hea_potential.search.description import quantity, shells_in
from hea_potential.search.hull import above_hull, binary_elements, draw_hull, excess_energies
from hea_potential.search.result_table import result_table
from hea_potential.search.state import Run, Tally
from hea_potential.search.summary import print_files
from hea_potential.search.view import Shown, write_view

FILES = {
    "compositions.csv": "this table",
    "hull.png": "excess energies and their convex hull",
    "view.html": "the best of each, to look at in a browser",
    "best.extxyz": "the best of each (extended XYZ)",
    "": "a folder for each composition",
}


@dataclass(frozen=True)
class Member:
    """A composition of a series: its run, and its energy per atom against the others of its size."""

    run: Run
    excess: float
    above_hull: float

    @property
    def archive(self) -> Archive:
        """What was found."""
        return self.run.archive

    @property
    def best(self) -> Minimum | None:
        """The lowest minimum."""
        return self.archive.best


def members_of(runs: Sequence[Run]) -> list[Member]:
    """The compositions of a series with their excess energies per atom."""
    compositions = [run.archive.composition for run in runs]
    energies = [run.archive.best.energy if run.archive.best else np.nan for run in runs]
    excess = excess_energies(compositions, energies)
    gaps = above_hull(compositions, excess)
    return [Member(*each) for each in zip(runs, excess.tolist(), gaps.tolist(), strict=True)]


def write_series(folder: Path, members: Sequence[Member]) -> None:
    """Write the table, the best of each composition and, for a binary range, the picture of its hull."""
    unit, kappa = members[0].archive.energy_unit, members[0].run.setup.pair.kappa
    found = [(member, member.best) for member in members if member.best is not None]
    with complete_file(folder / "compositions.csv") as temporary, temporary.open("w", newline="") as stream:
        csv.writer(stream).writerows(rows_of(members))
    if not found:
        return
    frames = []
    for member, best in found:
        atoms = atoms_of(best, member.archive.composition)
        atoms.info.update(facts_of(best, kappa), hits=best.hits)
        if best.falls_to is not None:
            atoms.info["falls_to"] = best.falls_to
        frames.append(atoms)
    with complete_file(folder / "best.extxyz") as temporary:
        write(temporary, frames, format="extxyz", parallel=False)
    shown = [
        Shown(cells(member), member.archive.composition, best.cluster, member.archive.bonds) for member, best in found
    ]
    write_view(folder / "view.html", "Lowest minimum of each composition", headings(unit, kappa), shown)
    compositions = [member.archive.composition for member, _ in found]
    if binary_elements(compositions) is not None:
        excess, gaps = (np.array([getattr(member, name) for member, _ in found]) for name in ("excess", "above_hull"))
        draw_hull(folder / "hull.png", compositions, excess, gaps, unit)


def headings(unit: str, kappa: float) -> tuple[str, ...]:
    """The headings of the table of compositions that a person reads."""
    scaled = "meV" if unit == "eV" else unit
    return (
        "composition",
        f"{quantity(kappa)}, {unit}",
        f"excess, {scaled}/atom",
        f"above hull, {scaled}/atom",
        "motif",
        "group",
        "shells, core@surface",
        "hits",
        "minima",
    )


def cells(member: Member) -> tuple[str, ...]:
    """A line of that table."""
    archive, best = member.archive, member.best
    if best is None:
        return (archive.composition.formula, "none found", *[""] * 6, "0")
    scale, digits = (1000.0, 2) if archive.energy_unit == "eV" else (1.0, 6)
    return (
        archive.composition.formula,
        f"{best.energy:.6f}",
        *(f"{scale * each:.{digits}f}" if np.isfinite(each) else "-" for each in (member.excess, member.above_hull)),
        best.motif,
        best.point_group,
        shells_in(archive, best),
        f"{best.hits}",
        f"{len(archive)}",
    )


def rows_of(members: Sequence[Member]) -> list[list[object]]:
    """The table of compositions for other programs: headings, then a row for each, nothing where nothing is known."""
    unit = members[0].run.archive.energy_unit.replace("/", " per ")
    lowest = f"{quantity(members[0].run.setup.pair.kappa)} ({unit})"
    heads = ["composition", "atoms", lowest, f"excess ({unit} per atom)", f"above hull ({unit} per atom)"]
    words = ["motif", "point group", "shells"]
    rows: list[list[object]] = [[*heads, *words, "hits", "minima", "minimisations", "force calls", "seed"]]
    for member in members:
        run, archive, best = member.run, member.archive, member.best
        numbers = (best.energy if best else np.nan, member.excess, member.above_hull)
        rows.append(
            [
                archive.composition.formula,
                archive.composition.size,
                *(round(number, 9) if np.isfinite(number) else "" for number in numbers),
                *((best.motif, best.point_group, shells_in(archive, best)) if best else [""] * len(words)),
                best.hits if best else 0,
                len(archive),
                run.tally.done,
                run.tally.calls,
                run.setup.seed,
            ]
        )
    return rows


def report_series(folder: Path, members: Sequence[Member], console: Console) -> None:
    """Print the table of compositions, what all of them cost, and where the files are."""
    runs = [member.run for member in members]
    heads = headings(runs[0].archive.energy_unit, runs[0].setup.pair.kappa)
    rows = [cells(member) for member in members]
    tally = Tally()
    for run in runs:
        tally.add(run.tally)
    console.print(result_table("Lowest minimum of each composition", heads, rows, console.width))
    console.print(
        f"{tally.done} minimisations, {tally.calls} force calls, {sum(run.age for run in runs):.1f} s on "
        f"{runs[0].ranks} {'rank' if runs[0].ranks == 1 else 'ranks'}; not a minimum: {tally.failures}"
    )
    for words in said_of_saddles(runs):
        console.print(words)
    print_files(folder, FILES, console)


def said_of_saddles(runs: Sequence[Run]) -> list[str]:
    """What the checks of the lowest minima of several compositions have met and left."""
    checks = [run.check for run in runs if run.check is not None]
    left_out = sum(len(check.left_out) for check in checks)
    bests = {run.archive.composition.formula: run.archive.best for run in runs}
    saddles = [formula for formula, best in bests.items() if best is not None and best.falls_to is not None]
    unsure = [run.archive.composition.formula for run in runs if run.check is not None and not run.check.shown]
    words = [f"saddles, from which the energy falls, that are left out: {left_out}"] if left_out else []
    if saddles:
        words.append(f"saddles, below all minima that were found: the lowest of {', '.join(saddles)}")
    if unsure:
        words.append(f"not checked for being saddles: the lowest of {', '.join(unsure)}")
    return words
