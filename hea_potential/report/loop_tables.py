"""Tables of a meta loop."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hea_potential.report.cost_charts import natural, origin_of
from hea_potential.report.error_charts import errors_of_new
from hea_potential.report.loop_folder import LoopRun, Step, number_of
from hea_potential.report.predictions import Predictions
from hea_potential.report.table import Column, Table, Value

MEV = 1e-3  # eV


def loop_table(run: LoopRun) -> Table:
    """A row for each number of elements of each meta loop: what was searched, chosen, labelled, and what came of it."""
    rows: list[list[Value]] = []
    places = dict.fromkeys((step.loop, step.n_elements) for step in run.steps if step.loop > 0)
    for loop, n in places:
        own = [step for step in run.steps if (step.loop, step.n_elements) == (loop, n)]
        new = errors_of_new([step for step in own if step.kind == "label"])
        refreshed = next((step.facts for step in own[::-1] if step.kind == "refresh"), {})
        after = part_of(refreshed.get("after" if refreshed.get("accepted") else "before"), "test", "all")
        rows.append(
            [
                loop,
                n,
                len({step.composition for step in own if step.composition}),
                *(total(own, fact) for fact in ("minimisations", "minima", "chosen", "labelled")),
                sum(len(step.facts.get("failed") or {}) for step in own),
                new.get("energy_mae"),
                scaled(new.get("force_mae")),
                after.get("energy_mae"),
                scaled(after.get("force_mae")),
                refreshed.get("accepted"),
                sum(step.seconds for step in own) / 60.0,
            ]
        )
    columns = [
        Column("loop"),
        Column("elements"),
        Column("compositions"),
        Column("minimisations"),
        Column("minima"),
        Column("chosen"),
        Column("labelled"),
        Column("failed"),
        Column("E MAE, new", "eV a cluster"),
        Column("F MAE, new", "eV/Å"),
        Column("E MAE, test", "eV a cluster"),
        Column("F MAE, test", "eV/Å"),
        Column("accepted"),
        Column("time", "min", 1),
    ]
    caption = (
        "new: the structures chosen in this step, by the models that chose them, before they were trained on them. "
        "test: the test split after the refresh. Atoms and pairs of atoms are left out."
    )
    return Table("Meta loops", columns, rows, caption)


def total(steps: Sequence[Step], fact: str) -> int | None:
    """The sum of a fact over steps, None where none of them has it."""
    values = [step.facts[fact] for step in steps if fact in step.facts]
    return sum(values) if values else None


def scaled(force_mae: float | None) -> float | None:
    """meV/A as eV/A."""
    return None if force_mae is None else MEV * force_mae


def part_of(errors: Mapping[str, Any] | None, part: str, count: str) -> Mapping[str, Any]:
    """The errors of a part for a number of elements, empty where there are none."""
    return ((errors or {}).get(part) or {}).get(count) or {}


def model_table(run: LoopRun) -> Table:
    """Every model of every loop with its errors before and after training, and whether it took over."""
    rows: list[list[Value]] = []
    for step in run.of_kind("refresh"):
        facts = step.facts
        calibration = facts.get("calibration") or {}
        errors = [
            (part_of(facts.get(when), part, "all"), quantity)
            for part in ("valid", "test")
            for quantity in ("energy_mae", "force_mae")
            for when in ("before", "after")
        ]
        rows.append(
            [
                number_of(facts["model"]),
                step.step,
                facts.get("accepted"),
                *(scaled(e.get(q)) if q == "force_mae" else e.get(q) for e, q in errors),
                calibration.get("z_std"),
                calibration.get("auc"),
                facts.get("structures"),
                facts.get("epochs"),
                ", ".join(facts.get("strata") or []),
                step.seconds / 60.0,
                facts.get("reason"),
                str(facts.get("sha256", ""))[:12],
            ]
        )
    columns = [Column("model"), Column("step"), Column("accepted")]
    for part in ("valid", "test"):
        for symbol, unit in (("E", "eV"), ("F", "eV/Å")):
            columns += [Column(f"{symbol} {part}, before", unit), Column(f"{symbol} {part}, after", unit)]
    columns += [
        Column("z std", digits=2),
        Column("AUC", digits=2),
        Column("structures"),
        Column("epochs"),
        Column("strata"),
    ]
    columns += [Column("time", "min", 1), Column("reason"), Column("sha256")]
    caption = (
        "Mean absolute errors of energies (a cluster) and components of forces, without atoms and pairs of atoms; "
        "before: the model that was there, after: the one trained from it. z std: standard deviation of errors over "
        "sigma on structures never trained on; AUC: how well sigma finds large errors, 0.5 is chance."
    )
    return Table("Models", columns, rows, caption)


def search_table(run: LoopRun) -> Table:
    """What was searched, with what result."""
    rows: list[list[Value]] = []
    lowest = lowest_labels(run)
    for step in run.of_kind("search"):
        search, facts = run.searches.get(step.step), step.facts
        best = search.best if search else None
        label = lowest.get(step.place)
        rows.append(
            [
                step.loop,
                step.n_elements,
                step.composition,
                number_of(facts["model"]) if "model" in facts else None,
                facts.get("minimisations"),
                facts.get("force_calls"),
                facts.get("minima"),
                facts.get("best_energy"),
                label[0] if label else None,
                label[1] if label else None,
                best.motif if best else None,
                best.point_group if best else None,
                facts.get("error") or words_of(facts.get("outcomes") or {}),
                search.header["seed"] if search else None,
                step.seconds,
                facts.get("folder"),
            ]
        )
    columns = [
        Column("loop"),
        Column("elements"),
        Column("composition"),
        Column("model"),
        Column("minimisations"),
        Column("force calls"),
        Column("minima"),
        Column("lowest, model", "eV"),
        Column("lowest, labelled", "eV"),
        Column("labels"),
        Column("motif"),
        Column("group"),
        Column("outcomes"),
        Column("seed"),
        Column("time", "s", 1),
        Column("folder"),
    ]
    caption = (
        "Energies of the lowest minimum by the model that searched, and of the lowest structure that the reference "
        "labelled of those that this search led to."
    )
    return Table("Searches", columns, rows, caption)


def words_of(counts: Mapping[str, int]) -> str:
    """Counts in words."""
    return ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))


def lowest_labels(run: LoopRun) -> dict[str, tuple[float, int]]:
    """Lowest labelled energy and number of labels of what each search led to, by the place of its step."""
    found: dict[str, tuple[float, int]] = {}
    if run.dataset is None:
        return found
    for name, energy in zip(run.dataset.name.tolist(), run.dataset.energy.tolist(), strict=True):
        place = run.place_of(name)
        if place is not None:
            before, count = found.get(place, (np.inf, 0))
            found[place] = min(before, energy), count + 1
    return found


def split_table(run: LoopRun) -> Table:
    """How many structures of each kind are in each part."""
    rows: list[list[Value]] = []
    if run.dataset is not None:
        parts = {name: Counter(run.dataset.kind[chosen].tolist()) for name, chosen in run.parts()}
        for kind in sorted(
            set(run.dataset.kind.tolist()),
            key=lambda kind: (natural(origin_of(kind)) if kind.startswith("loop") else [], kind),
        ):
            counts = [counter[kind] for counter in parts.values()]
            rows.append([kind, *counts, sum(counts)])
    columns = [Column("kind"), Column("train"), Column("valid"), Column("test"), Column("all")]
    return Table("Structures by kind and part", columns, rows)


def choice_table(run: LoopRun) -> Table:
    """Why structures were chosen, by step."""
    steps = run.of_kind("select")
    reasons = sorted({reason for step in steps for reason in step.facts.get("reasons") or {}})
    rows: list[list[Value]] = [
        [
            step.loop,
            step.n_elements,
            step.composition,
            step.facts.get("candidates"),
            step.facts.get("chosen"),
            *((step.facts.get("reasons") or {}).get(reason, 0) for reason in reasons),
        ]
        for step in steps
    ]
    heads = ["loop", "elements", "composition", "candidates", "chosen", *reasons]
    caption = "How many of the candidates were chosen to be labelled, and for which reason."
    return Table("Choice of structures", [Column(head) for head in heads], rows, caption, open=False)


def failure_table(run: LoopRun) -> Table:
    """Structures that have no label, and why."""
    rows: list[list[Value]] = [
        [step.step, name, reason]
        for step in run.steps
        for name, reason in sorted((step.facts.get("failed") or {}).items())
    ]
    columns = [Column("step"), Column("structure"), Column("reason")]
    return Table("Structures without a label", columns, rows, open=False)


def structure_rows(run: LoopRun, predictions: Mapping[str, Predictions]) -> list[list[Value]]:
    """Every structure of the data set with its part, label and, where the present model was evaluated, its predictions;
    the first row names the columns.
    """
    rows: list[list[Value]] = [
        [
            "name",
            "kind",
            "group",
            "part",
            "formula",
            "atoms",
            "energy (eV)",
            "predicted (eV)",
            "sigma (eV)",
            "F MAE (eV/A)",
        ]
    ]
    said: dict[int, tuple[float, float, float]] = {}
    for found in predictions.values():
        values = zip(found.energy.tolist(), found.sigma.tolist(), found.force_mae.tolist(), strict=True)
        said.update(zip(found.rows.tolist(), values, strict=True))
    dataset = run.dataset
    for part, chosen in run.parts():
        assert dataset is not None
        for row in chosen.tolist():
            frame = dataset.atoms(row)
            words = [str(getattr(dataset, what)[row]) for what in ("name", "kind", "group")]
            label = float(dataset.energy[row])
            rows.append([*words, part, frame.get_chemical_formula(), len(frame), label, *said.get(row, (None,) * 3)])
    return rows
