"""Charts of what a meta loop cost, and of the data that it gathered."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
from ase.data import chemical_symbols

from hea_potential.dataset import DataSet
from hea_potential.report.chart import PARTS, Chart, Panel, Series, scale_of_loops
from hea_potential.report.loop_folder import LoopRun, Step

KINDS = {"start": "#8fa3b5", "search": "#2e6fa7", "select": "#4caf50", "label": "#e0902f", "refresh": "#c2344d"}
OTHER = "#7b4fa3"


def cost_chart(run: LoopRun) -> Chart:
    """Time of the steps by loop, number of elements and kind, and training time over the number of structures."""
    places = list(dict.fromkeys(place_of(step) for step in run.steps))
    bars = []
    for kind in dict.fromkeys(step.kind for step in run.steps):
        minutes = Counter[str]()
        for step in run.of_kind(kind):
            minutes[place_of(step)] += step.seconds / 60.0  # type: ignore[assignment]
        texts = [f"{place}, {kind}: {clock(60.0 * minutes[place])}" for place in places]
        heights = [float(minutes[place]) for place in places]
        bars.append(Series(places, heights, KINDS.get(kind, OTHER), kind, "bars", texts))
    trained = [step for step in run.of_kind("refresh") if step.facts.get("structures")]
    points = []
    for loop, colour in zip(run.loops, scale_of_loops(len(run.loops)), strict=True):
        own = [step for step in trained if step.loop == loop]
        texts = [f"{step.step}: {clock(step.seconds)}, {step.facts['structures']} structures" for step in own]
        sizes, minutes_of = [step.facts["structures"] for step in own], [step.seconds / 60.0 for step in own]
        points.append(Series(sizes, minutes_of, colour, f"loop {loop}", "line and points", texts, 8.0))
    panels = [Panel("cost by step", "", "minutes", bars)]
    if trained:
        panels.append(Panel("training", "structures trained on", "minutes of a refresh", points))
    return Chart(
        "cost",
        "What it cost",
        "Time of all finished steps by meta loop and number of elements, and of each refresh of the model over the "
        "number of structures that it was trained on. Times are those of the machine that ran the loop.",
        [panels],
        row_height=300,
    )


def place_of(step: Step) -> str:
    """Where a step belongs, in words."""
    if step.loop == 0:
        return "start"
    return f"loop {step.loop}, {step.n_elements} el." if step.n_elements else f"loop {step.loop}"


def clock(seconds: float) -> str:
    """A duration in words."""
    if seconds < 60.0:
        return f"{seconds:.1f} s"
    if seconds < 3600.0:
        return f"{seconds / 60.0:.1f} min"
    return f"{seconds / 3600.0:.1f} h"


def data_chart(run: LoopRun, dataset: DataSet) -> Chart:
    """Elements in each part of the data set, and structures by number of elements and by the loop they are from."""
    elements = [chemical_symbols[number] for number in np.unique(dataset.numbers)]
    atoms = []
    for part, rows in run.parts():
        counts = np.bincount(dataset.select(rows).numbers, minlength=len(chemical_symbols))
        heights = [int(counts[chemical_symbols.index(symbol)]) for symbol in elements]
        texts = [f"{symbol}, {part}: {count:,} atoms" for symbol, count in zip(elements, heights, strict=True)]
        atoms.append(Series(elements, heights, PARTS[part], part, "bars", texts))
    n_elements = dataset.n_elements
    origins = np.array([origin_of(kind) for kind in dataset.kind.tolist()])
    names = sorted(set(origins.tolist()), key=lambda name: (name != "start", natural(name)))
    colours = ["#c9d1d8", *scale_of_loops(max(len(names) - 1, 1))]
    structures = []
    for name, colour in zip(names, colours, strict=False):
        heights = [int(np.count_nonzero((origins == name) & (n_elements == n))) for n in np.unique(n_elements)]
        words = [f"{n}" for n in np.unique(n_elements)]
        texts = [f"{word} elements, {name}: {count:,}" for word, count in zip(words, heights, strict=True)]
        structures.append(Series(words, heights, colour, name, "bars", texts))
    return Chart(
        "data",
        "The data set",
        f"{len(dataset):,} labelled structures with {len(dataset.numbers):,} atoms: atoms of each element in each "
        "part, and structures by their number of elements and by where they come from.",
        [
            [
                Panel("atoms of each element", "", "atoms", atoms),
                Panel("structures", "number of elements", "structures", structures),
            ]
        ],
        row_height=280,
    )


def origin_of(kind: str) -> str:
    """Where structures of a kind come from: the start, or a loop."""
    found = re.match(r"loop(\d+)\.", kind)
    return f"loop {found[1]}" if found else "start"


def natural(name: str) -> list[int | str]:
    """A key that sorts numbers in names by their value."""
    return [int(part) if part.isdecimal() else part for part in re.split(r"(\d+)", name)]
