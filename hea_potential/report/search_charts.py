"""Charts and tables of one search."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hea_potential.report.chart import Chart, Panel, Series
from hea_potential.report.ladders import Gallery, Ranked, energy_grid, path_chart
from hea_potential.report.page import View
from hea_potential.report.radial import radial_chart
from hea_potential.report.search_folder import Found, SearchRun
from hea_potential.report.table import Column, Table, Value
from hea_potential.search.view import Shown

LENGTHS = {"lj": "sigma", "electron": "bohr"}  # units of length other than Angstrom
BLUE, GREY, RED = "#2e6fa7", "#b8c2cc", "#c2344d"
MOST_ROWS = 500  # of the table of minima
MOST_VIEWED = 20  # minima in the 3-D view
LOWEST = 10  # minima that the radial densities are of
MOST_POINTS = 2000


def length_unit(run: SearchRun) -> str:
    """The unit of lengths."""
    return LENGTHS.get(run.header["pair"].get("units", "metal"), "Å")


def words_of(run: SearchRun, found: Found) -> str:
    """A minimum in a line."""
    gap = found.energy - run.minima[0].energy
    return f"minimum {found.number}: {gap:.4f} {run.unit} above the best, {found.motif}, {found.point_group}"


def progress_chart(run: SearchRun) -> Chart:
    """How the energy fell with minimisations and force calls, and what was found on the way."""
    energies = np.array([entry.get("energy", np.nan) for entry in run.entries], dtype=float)
    tasks = np.arange(1, len(energies) + 1)
    calls = np.cumsum([entry["calls"] for entry in run.entries])
    best = np.fmin.accumulate(energies)
    found = np.flatnonzero(np.isfinite(energies))
    found = found[np.unique(np.linspace(0, len(found) - 1, min(MOST_POINTS, len(found))).astype(int))]
    lowest, middle = float(np.nanmin(energies)), float(np.nanmedian(energies))
    span = max(middle - lowest, 1e-6)
    limits = (lowest - 0.08 * span, middle + 1.2 * span)
    panels = []
    for title, label, x in (("by minimisations", "minimisations", tasks), ("by force calls", "force calls", calls)):
        lines = [(energies[place], run.entries[place]) for place in found.tolist()]
        texts = [f"task {line['task']}: {energy:.5f} {run.unit}, {line['operator']}" for energy, line in lines]
        points = Series(x[found], energies[found], GREY, "minima", "points", texts, 4.0, opacity=0.8)
        known = np.isfinite(best)
        line = Series(x[known], best[known], BLUE, "lowest so far", "line", width=2.4)
        panels.append(Panel(title, label, f"energy, {run.unit}", [points, line], y_range=limits))
    return Chart(
        "progress",
        "How the search went",
        "Every minimum that a minimisation led to, known ones as well, and the lowest until then. The upper end of "
        "the energies is cut off.",
        [panels],
        row_height=300,
    )


def motif_chart(run: SearchRun) -> Chart:
    """Minima of each motif by energy, and what each start and move led to."""
    lowest = run.minima[0].energy
    order = list(dict.fromkeys(found.motif for found in run.minima))
    # Points of a motif are spread sideways, evenly and in no order, by the golden ratio.
    x = [
        order.index(found.motif) + 0.6 * ((0.618034 * k) % 1.0 - 0.5)
        for k, found in enumerate(run.minima[:MOST_POINTS])
    ]
    y = [found.energy - lowest for found in run.minima[:MOST_POINTS]]
    texts = [words_of(run, found) for found in run.minima[:MOST_POINTS]]
    motifs = Panel(
        f"motifs ({len(order)})",
        "",
        f"above the best, {run.unit}",
        [Series(x, y, BLUE, "", "points", texts, 5.0, opacity=0.5)],
        x_ticks=list(range(len(order))),
        x_words=order,
    )
    names, counts = operator_counts(run)
    bars = [
        Series(names, [counts[name][what] for name in names], colour, what, "bars",
               [f"{name}: {counts[name][what]} {what}" for name in names])
        for what, colour in (("new minimum", BLUE), ("known minimum", GREY), ("no minimum", RED))
    ]  # fmt: skip
    operators = Panel("starts and moves", "", "minimisations", bars)
    return Chart(
        "motifs",
        "What was found, and by what",
        "Left: distinct minima by motif (common-neighbour analysis). Right: what the minimisations of each start and "
        "move led to.",
        [[motifs, operators]],
        row_height=300,
    )


def operator_counts(run: SearchRun) -> tuple[list[str], dict[str, Counter[str]]]:
    """Starts and moves by how often they were used, and the outcomes of each."""
    counts: dict[str, Counter[str]] = {}
    for entry in run.entries:
        outcome = "no minimum"
        if "minimum" in entry:
            outcome = "new minimum" if "positions" in entry else "known minimum"
        counts.setdefault(entry["operator"], Counter())[outcome] += 1
    return sorted(counts, key=lambda name: -counts[name].total()), counts


def path_of(run: SearchRun) -> Chart:
    """The sorted energies of all minima."""
    lowest = run.minima[0].energy
    ranked = [Ranked(run.atoms_of(found), found.energy - lowest, words_of(run, found)) for found in run.minima]
    caption = f"All {len(ranked):,} distinct minima, sorted by energy; some of them are shown at their places."
    return path_chart({run.composition.formula: ranked}, run.unit, caption)


def grid_of(run: SearchRun) -> Gallery:
    """A hundred minima over their normalised energy."""
    lowest, span = run.minima[0].energy, max(run.minima[-1].energy - run.minima[0].energy, 1e-12)
    ranked = [Ranked(run.atoms_of(f), (f.energy - lowest) / span, words_of(run, f)) for f in run.minima]
    return energy_grid(
        ranked, "Distinct minima, evenly drawn in the order of their energy: 0 is the lowest, 1 the highest."
    )


def radial_of(run: SearchRun) -> Chart:
    """Where the elements lie in the best minimum and in the lowest ones."""
    lowest = [run.atoms_of(found) for found in run.minima[:LOWEST]]
    groups = {"the best": lowest[:1]} | ({f"the {len(lowest)} lowest": lowest} if len(lowest) > 1 else {})
    caption = "Atoms of each element in a cluster over the distance from its centre."
    return radial_chart(groups, caption, length_unit(run))


def view_of(run: SearchRun) -> View:
    """The lowest minima in three dimensions."""
    columns = ("", f"energy, {run.unit}", "above best", "motif", "group", "shells, core@surface")
    clusters = [
        Shown(
            (
                f"{rank}",
                f"{found.energy:.5f}",
                f"{found.energy - run.minima[0].energy:.5f}",
                found.motif,
                found.point_group,
                run.shells_of(found),
            ),
            run.composition,
            found.cluster,
            run.bonds,
        )
        for rank, found in enumerate(run.minima[:MOST_VIEWED], start=1)
    ]
    return View("The lowest minima", columns, clusters, "Drag to turn, scroll to zoom, choose in the list.")


def minima_table(run: SearchRun) -> Table:
    """The lowest minima."""
    rows: list[list[Value]] = [
        [
            rank,
            found.energy,
            found.energy - run.minima[0].energy,
            found.motif,
            found.point_group,
            run.shells_of(found),
            found.operator,
            found.quench,
            found.task,
            found.hits,
            found.elapsed,
            " ".join(map(str, found.parents)),
            found.number,
        ]
        for rank, found in enumerate(run.minima[:MOST_ROWS], start=1)
    ]
    columns = [
        Column("rank"),
        Column("energy", run.unit, 6),
        Column("above best", run.unit, 6),
        Column("motif"),
        Column("group"),
        Column("shells", "core@surface"),
        Column("found by"),
        Column("quench"),
        Column("task"),
        Column("hits"),
        Column("found after", "s", 1),
        Column("parents", "minima"),
        Column("minimum"),
    ]
    most = f" The table has the lowest {MOST_ROWS} of {len(run.minima):,}." if len(run.minima) > MOST_ROWS else ""
    return Table("Distinct minima", columns, rows, f"Lineage and structure of the minima.{most}")


def operator_table(run: SearchRun) -> Table:
    """What each start and move cost and led to."""
    names, counts = operator_counts(run)
    calls = Counter[str]()
    lowest: dict[str, float] = {}
    for entry in run.entries:
        calls[entry["operator"]] += entry["calls"]
        lowest[entry["operator"]] = min(lowest.get(entry["operator"], np.inf), entry.get("energy", np.inf))
    rows: list[list[Value]] = [
        [
            name,
            counts[name].total(),
            *(counts[name][what] for what in ("new minimum", "known minimum", "no minimum")),
            calls[name] / counts[name].total(),
            lowest[name] if np.isfinite(lowest[name]) else None,
        ]
        for name in names
    ]
    columns = [
        Column("start or move"),
        Column("minimisations"),
        Column("new minima"),
        Column("known minima"),
        Column("no minimum"),
        Column("force calls", "each", 1),
        Column("lowest", run.unit, 5),
    ]
    return Table("Starts and moves", columns, rows)
