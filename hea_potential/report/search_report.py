"""The report of a search of one composition, and of several in a folder."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from hea_potential.report.chart import Chart, Panel, Series, Style
from hea_potential.report.cost_charts import clock
from hea_potential.report.loop_folder import Progress
from hea_potential.report.page import Part, Report, Section, View, Words
from hea_potential.report.reproduction import flattened
from hea_potential.report.search_charts import (
    grid_of,
    minima_table,
    motif_chart,
    operator_table,
    path_of,
    progress_chart,
    radial_of,
    view_of,
)
from hea_potential.report.search_folder import SearchRun, read_search
from hea_potential.report.table import Column, Table, Value
from hea_potential.search.composition import Composition
from hea_potential.search.description import quantity
from hea_potential.search.hull import above_hull, binary_elements, excess_energies
from hea_potential.search.journal import NAME, RunFolderError
from hea_potential.search.view import Shown


def search_report(folder: Path) -> Report:
    """Say all of a search. Raises RunFolderError for a damaged journal."""
    run = read_search(folder)
    best, header = run.best, run.header
    figures = [("minimisations", f"{len(run.entries):,}"), ("distinct minima", f"{len(run.minima):,}")]
    if best is not None:
        figures = [(f"lowest energy, {run.unit}", f"{best.energy:.4f}"), ("motif", best.motif), *figures]  # fmt: skip
    figures += [("force calls", f"{run.calls:,}"), ("not a minimum", run.failures), ("time", clock(run.age))]
    remarks = [said_of_kappa(run)] if run.kappa else []
    remarks += [f"Left out are saddles, from which the energy falls: {len(run.left_out)}."] if run.left_out else []
    remarks += [f"{saddle.energy:.6f} {run.unit} is a saddle, below all minima that were found." for saddle in run.kept]
    remarks += [] if best is not None else ["No minimum is found yet: there is nothing to show of clusters."]
    remarks += [f"Task {task} killed its process: {message}" for task, message in run.crashed.items()]
    clusters: list[Part] = []
    course: list[Part] = []
    if best is not None:
        clusters = [view_of(run), path_of(run), grid_of(run), radial_of(run), minima_table(run)]
        course = [progress_chart(run), motif_chart(run)]
    sections = [
        Section("Lowest minima", clusters),
        Section("The search", [*course, operator_table(run)]),
        Section("Run it again", [Words([how_to(run)]), settings_table(run)]),
    ]
    return Report(
        f"Search of {run.composition.formula}",
        f"{header['method']} \u00b7 {run.pair} \u00b7 seed {header['seed']} \u00b7 window {header['window']}",
        figures,
        remarks,
        [section for section in sections if section.parts],
    )


def said_of_kappa(run: SearchRun) -> str:
    """What the energies of a search with kappa are."""
    return f"What is called energy here is {quantity(run.kappa)} of the model, which this search has minimised."


def how_to(run: SearchRun) -> str:
    """How the same minima are found again."""
    header = run.header
    pair = "--model FILE (its hash is below)" if "model" in header["pair"] else "--pair FILE (its lines are below)"
    pair += f" --kappa {run.kappa:g}" if run.kappa else ""
    return (
        "What a search finds is a function of its seed and its window, on any number of ranks: "
        f"hea search {header['composition']} --seed {header['seed']} --window {header['window']} --method "
        f"{header['method']} --budget {len(run.entries)} {pair}, with the limits, starts and moves below."
    )


def settings_table(run: SearchRun) -> Table:
    """All that decides what is found."""
    rows: list[list[Value]] = [[name, json.dumps(value)] for name, value in flattened(run.header) if name != "check"]
    return Table("Settings", [Column("setting"), Column("value")], rows, open=False)


def series_report(folder: Path, progress: Progress) -> Report:
    """Say all of the searches of several compositions, each in a folder of its own. Damaged ones are remarked."""
    folders = sorted(path.parent for path in folder.glob(f"*/{NAME}"))
    runs, remarks = [], []
    for number, each in enumerate(folders, start=1):
        try:
            runs.append(read_search(each))
        except RunFolderError as error:
            remarks.append(f"{each.name} is left out: {error}")
        progress("searches", number, len(folders))
    if not runs:
        raise RunFolderError(f"run folder {str(folder)!r}: {' '.join(remarks)}")
    found = [run for run in runs if run.best is not None]
    remarks += [f"{run.composition.formula}: no minimum is found yet." for run in runs if run.best is None]
    remarks += [said_of_kappa(run) for run in runs[:1] if run.kappa]
    figures = [
        ("compositions", f"{len(runs)}"),
        ("minimisations", f"{sum(len(run.entries) for run in runs):,}"),
        ("distinct minima", f"{sum(len(run.minima) for run in runs):,}"),
        ("force calls", f"{sum(run.calls for run in runs):,}"),
        ("time of all searches", clock(sum(run.age for run in runs))),
    ]
    parts: list[Part] = [series_table(runs)]
    if found:
        parts += [best_view(found), *excess_charts(found)]
    settings = Table("Seeds", [Column("composition"), Column("seed"), Column("window"), Column("pair style")],
                     [[r.composition.formula, r.header["seed"], r.header["window"], r.pair] for r in runs])  # fmt: skip
    sections = [Section("Compositions", parts), Section("Run it again", [settings])]
    return Report("Searches of several compositions", str(folder.resolve().name), figures, remarks, sections)


def series_table(runs: list[SearchRun]) -> Table:
    """A row for each composition."""
    compositions = [run.composition for run in runs]
    excess = excess_energies(compositions, [run.best.energy if run.best else np.nan for run in runs])
    gaps = above_hull(compositions, excess)
    rows: list[list[Value]] = []
    for run, own, gap in zip(runs, excess.tolist(), gaps.tolist(), strict=True):
        best = run.best
        words: list[Value] = [best.motif, best.point_group, run.shells_of(best)] if best else [None] * 3
        counts: list[Value] = [len(run.minima), len(run.entries), run.calls, run.failures, run.age]
        energy = best.energy if best else None
        rows.append([run.composition.formula, run.composition.size, energy, own, gap, *words, *counts])
    unit = runs[0].unit
    columns = [
        Column("composition"),
        Column("atoms"),
        Column("lowest", unit, 5),
        Column("excess", f"{unit}/atom", 5),
        Column("above hull", f"{unit}/atom", 5),
        Column("motif"),
        Column("group"),
        Column("shells", "core@surface"),
        Column("minima"),
        Column("minimisations"),
        Column("force calls"),
        Column("not a minimum"),
        Column("time", "s", 1),
    ]
    return Table("Lowest minimum of each composition", columns, rows)


def best_view(runs: list[SearchRun]) -> View:
    """The best of each composition in three dimensions."""
    columns = ("composition", f"energy, {runs[0].unit}", "motif", "group", "shells, core@surface")
    clusters = []
    for run in runs:
        best = run.minima[0]
        texts = (run.composition.formula, f"{best.energy:.5f}", best.motif, best.point_group, run.shells_of(best))
        clusters.append(Shown(texts, run.composition, best.cluster, run.bonds))
    return View("The best of each composition", columns, clusters, "Drag to turn, choose in the list.")


def excess_charts(runs: list[SearchRun]) -> list[Chart]:
    """Excess energies of all compositions against the pure clusters, where these are among them."""
    compositions = [run.composition for run in runs]
    excess = excess_energies(compositions, [run.minima[0].energy for run in runs])
    gaps = above_hull(compositions, excess)
    known = np.flatnonzero(np.isfinite(excess))
    if not len(known):
        return []
    elements = binary_elements(compositions)
    on_hull: Style = "bars" if elements is None else "line and points"
    above: Style = "bars" if elements is None else "points"
    place = [each.formula if elements is None else count_of(each, elements[0]) for each in compositions]
    order = sorted(known.tolist(), key=lambda k: excess[k] if elements is None else place[k])
    series = []
    for name, colour, style, chosen in (
        ("on the hull", "#2e6fa7", on_hull, [k for k in order if gaps[k] == 0.0]),
        ("above the hull", "#9aa7b3", above, [k for k in order if gaps[k] > 0.0]),
    ):
        texts = [f"{compositions[k].formula}: {excess[k]:.5f}, {gaps[k]:.5f} above the hull" for k in chosen]
        series.append(Series([place[k] for k in chosen], excess[chosen], colour, name, style, texts, 8.0))
    axis = f"{elements[0]} atoms of {compositions[0].size}, the others {elements[1]}" if elements else ""
    panel = Panel("", axis, f"excess energy, {runs[0].unit}/atom", series)
    caption = "Energy per atom against the pure clusters of the same size: below zero, mixing is favourable."
    return [Chart("excess", "Excess energies", caption, [[panel]], row_height=300)]


def count_of(composition: Composition, symbol: str) -> int:
    """How many atoms of an element a composition has."""
    return dict(zip(composition.symbols, composition.counts, strict=True)).get(symbol, 0)
