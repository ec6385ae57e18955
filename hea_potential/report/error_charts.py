"""Charts of errors: by number of elements and loop, parity, histograms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hea_potential.report.chart import MUTED, PARTS, Chart, Panel, Series, in_rows, scale_of_loops
from hea_potential.report.loop_folder import LoopRun, Step
from hea_potential.report.predictions import Floats, Predictions
from hea_potential.search.composition import Composition

NEW = "new, before they were labelled"
MOST_POINTS = 1500  # of a series of a parity plot: more make the page slow and the picture no clearer
QUANTITIES = {"energy_mae": ("energy MAE, eV a cluster", 1.0), "force_mae": ("force MAE, eV/Å", 1e-3)}


def errors_after(run: LoopRun, loop: int) -> Mapping[str, Any]:
    """The errors of the model that a loop ended with, by part and number of elements; empty if nothing was trained."""
    steps = [step for step in run.of_kind("refresh") if step.loop == loop]
    if not steps:
        return {}
    last = steps[-1].facts
    return last.get("after" if last.get("accepted") else "before") or {}


def errors_of_new(steps: Sequence[Step]) -> dict[str, float]:
    """Errors on the structures of several label steps together, as the ledger has them of one."""
    entries = [(step.facts.get("errors") or {}, atoms_of(step)) for step in steps]
    entries = [(errors, atoms) for errors, atoms in entries if errors.get("structures")]
    if not entries:
        return {}
    structures = [errors["structures"] for errors, _ in entries]
    # Errors of forces are means over components, of which larger clusters have more.
    components = [3 * atoms * errors["structures"] for errors, atoms in entries]
    means = {
        quantity: float(np.average([errors[quantity] for errors, _ in entries], weights=weights))
        for quantity, weights in (
            ("energy_mae", structures),
            ("energy_mae_atom", structures),
            ("force_mae", components),
        )
        if all(quantity in errors for errors, _ in entries)
    }
    return {"structures": sum(structures), **means}


def atoms_of(step: Step) -> int:
    """Atoms of each structure that a step labelled; 1 where the ledger names no composition."""
    return Composition.parse(step.composition).size if step.composition else 1


def errors_by_elements(run: LoopRun) -> Chart:
    """Energy and force MAE over the number of elements, a line for each meta loop, of each part of the data."""
    colours = dict(zip(run.loops, scale_of_loops(len(run.loops)), strict=True))
    lines: dict[str, dict[int, dict[int, dict[str, float]]]] = {}
    for loop in run.loops:
        for part, entries in errors_after(run, loop).items():
            counts = {int(n): entry for n, entry in entries.items() if n.isdigit() and entry.get("structures")}
            lines.setdefault(part, {})[loop] = counts
        labels = [step for step in run.of_kind("label") if step.loop == loop]
        found = {n: errors_of_new([each for each in labels if each.n_elements == n]) for n in elements_of(labels)}
        lines.setdefault(NEW, {})[loop] = {n: entry for n, entry in found.items() if entry}
    parts = [part for part in ("train", "valid", "test", NEW) if any(lines.get(part, {}).values())]
    ticks = sorted({n for part in parts for entries in lines[part].values() for n in entries})
    rows = []
    for quantity, (label, scale) in QUANTITIES.items():
        values = [
            scale * entry[quantity]
            for part in parts
            for entries in lines[part].values()
            for entry in entries.values()
            if quantity in entry
        ]
        panels = []
        for part in parts:
            series = []
            for loop, entries in lines[part].items():
                shown = {n: entry for n, entry in sorted(entries.items()) if quantity in entry}
                texts = [
                    f"loop {loop}, {n} elements: {scale * entry[quantity]:.4f}, {entry['structures']:.0f} structures"
                    for n, entry in shown.items()
                ]
                y = [scale * entry[quantity] for entry in shown.values()]
                series.append(Series(list(shown), y, colours[loop], f"loop {loop}", texts=texts, size=8.0, width=2.2))
            panels.append(
                Panel(
                    part if quantity == "energy_mae" else "",
                    "elements in the cluster",
                    label if part == parts[0] else "",
                    series,
                    y_range=(0.0, 1.08 * max(values, default=1.0)),
                    x_range=(min(ticks) - 0.4, max(ticks) + 0.4),
                    x_ticks=ticks,
                )
            )
        rows.append(panels)
    return Chart(
        "errors_by_elements",
        "Errors by number of elements",
        "Mean absolute errors of the model at the end of each meta loop on the parts of the data set, and of the "
        "models that chose the new structures of each loop on these, before they were trained on them. Energies in "
        "eV a cluster, forces in eV/Å for a component.",
        rows if parts else [],
        row_height=250,
    )


def elements_of(steps: Sequence[Step]) -> list[int]:
    """The numbers of elements of steps, ascending."""
    return sorted({step.n_elements for step in steps})


def parity(predictions: Mapping[str, Predictions], names: Sequence[str]) -> Chart:
    """Predicted over labelled energies and forces; `names` are those of the data set's structures."""
    energies, forces = [], []
    for part, found in predictions.items():
        labelled, predicted = found.binding(found.labelled_energy), found.binding(found.energy)
        texts = [
            f"{names[row]}<br>{1000 * error:.1f} meV/atom too {'high' if error > 0 else 'low'}"
            for row, error in zip(found.rows.tolist(), predicted - labelled, strict=True)
        ]
        keep = evenly(len(labelled))
        kept = [texts[k] for k in keep]
        energies.append(Series(labelled[keep], predicted[keep], PARTS[part], part, "points", kept, 5.0, opacity=0.7))
        pick = evenly(found.forces.size)
        components = found.labelled_forces.ravel()[pick], found.forces.ravel()[pick]
        forces.append(Series(*components, PARTS[part], part, "points", size=4.0, opacity=0.45))
    panels = [
        square("energy against isolated atoms", "eV/atom", energies, error_words(predictions, "energy")),
        square("components of forces", "eV/Å", forces, error_words(predictions, "force")),
    ]
    return Chart(
        "parity",
        "Predicted against labelled",
        "The present model on the parts of the data set: energies against isolated atoms, and components of forces "
        f"(at most {MOST_POINTS} points of each part, evenly spread).",
        [panels],
        row_height=430,
    )


def evenly(count: int) -> list[int]:
    """At most MOST_POINTS indices, evenly spread."""
    return np.unique(np.linspace(0, count - 1, min(count, MOST_POINTS)).astype(int)).tolist()


def error_words(predictions: Mapping[str, Predictions], what: str) -> str:
    """The mean absolute errors of each part, a line each."""
    if what == "energy":
        return "\n".join(f"{part}: {np.abs(p.errors_of_atoms).mean():.1f} meV/atom" for part, p in predictions.items())
    return "\n".join(f"{part}: {np.abs(p.force_errors).mean():.3f} eV/Å" for part, p in predictions.items())


def square(title: str, unit: str, series: Sequence[Series], note: str) -> Panel:
    """A panel with the same range on both axes and its diagonal."""
    values = np.concatenate([np.asarray(each.x) for each in series] + [np.asarray(each.y) for each in series])
    low, high = float(values.min()), float(values.max())
    edge = 0.04 * max(high - low, 1e-3)
    limits = (low - edge, high + edge)
    diagonal = Series(limits, limits, MUTED, style="dashed", width=1.0)
    return Panel(title, f"labelled, {unit}", f"predicted, {unit}", [diagonal, *series], x_range=limits, y_range=limits,
                 note=note)  # fmt: skip


def histograms(predictions: Mapping[str, Predictions]) -> Chart:
    """How errors are distributed in each part: shares of structures, of components."""
    panels = []
    for title, unit, attribute in (
        ("errors of energies", "meV/atom", "errors_of_atoms"),
        ("errors of components of forces", "eV/Å", "force_errors"),
    ):
        errors = {part: getattr(found, attribute) for part, found in predictions.items()}
        bound = float(np.quantile(np.abs(np.concatenate(list(errors.values()))), 0.99)) or 1.0
        edges = np.linspace(-bound, bound, 42)
        series = [outline(values, edges, part) for part, values in errors.items()]
        panels.append(Panel(title, f"predicted less labelled, {unit}", "share of them, %", series))
    return Chart(
        "error_histograms",
        "How errors are distributed",
        "Errors of the present model on each part of the data set, within what holds 99 % of them.",
        in_rows(panels, 2),
        row_height=280,
    )


def outline(values: Floats, edges: Floats, part: str) -> Series:
    """A histogram as an outline: shares in per cent between edges."""
    counts, _ = np.histogram(values, edges)
    shares = 100.0 * counts / max(len(values), 1)
    return Series(np.repeat(edges, 2)[1:-1], np.repeat(shares, 2), PARTS[part], part, "line", filled=True)
