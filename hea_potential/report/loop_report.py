"""The report of a meta loop: which charts, tables and words, in which order."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from hea_potential.report.calibration import calibration_chart
from hea_potential.report.cost_charts import clock, cost_chart, data_chart
from hea_potential.report.error_charts import errors_by_elements, histograms, parity
from hea_potential.report.found_clusters import FoundClusters
from hea_potential.report.loop_folder import LoopRun, Progress, read_loop
from hea_potential.report.loop_predictions import NEW, predictions_when_chosen, present_predictions
from hea_potential.report.loop_tables import (
    choice_table,
    failure_table,
    loop_table,
    model_table,
    search_table,
    split_table,
    structure_rows,
)
from hea_potential.report.page import Part, Report, Section
from hea_potential.report.predictions import Predictions
from hea_potential.report.reproduction import reproduction_parts

TRAINED_ELSEWHERE = (
    "The loop began with a model that was trained elsewhere, on a split of its own. What the data set had at the "
    "beginning may have been in that training, also where it is in the test split here; what the loops found was not."
)


def loop_report(folder: Path, progress: Progress) -> Report:
    """Read a meta loop's folder and say all of it. Raises RunFolderError, InputError; see `read_loop`."""
    run = read_loop(folder, progress)
    remarks = list(run.remarks)
    predictions = present_predictions(run, remarks, progress)
    unseen = {**predictions_when_chosen(run, remarks, progress), **never_trained_on(run, predictions)}
    if run.begins_with_a_model:
        remarks.append(TRAINED_ELSEWHERE)
    structures = structure_rows(run, predictions)
    sections = [
        Section("Loops", [loop_table(run), errors_by_elements(run), model_table(run)]),
        Section("Errors", error_parts(run, predictions)),
        Section("Calibration", [calibration_chart(unseen, tested_on(run))]),
        Section("Clusters", cluster_parts(run, predictions)),
        Section("Searches", [search_table(run), choice_table(run)]),
        Section("Data", [*data_charts(run), split_table(run), failure_table(run)]),
        Section("Cost", [cost_chart(run)]),
        Section("Run it again", reproduction_parts(run, structures, predictions)),
    ]
    return Report(
        f"Meta loop: {run.identity.get('config', {}).get('name', run.folder.resolve().name)}",
        subtitle(run),
        key_figures(run, predictions, unseen),
        remarks,
        [section for section in map(without_empty, sections) if section.parts],
    )


def without_empty(section: Section) -> Section:
    """A section without parts that would show nothing."""
    return Section(section.title, [part for part in section.parts if not getattr(part, "is_empty", False)])


def never_trained_on(run: LoopRun, predictions: Mapping[str, Predictions]) -> dict[str, Predictions]:
    """The test split, of which no model has learnt; only structures of the loops where the first model came from
    elsewhere.
    """
    if run.dataset is None or "test" not in predictions:
        return {}
    test = predictions["test"]
    if not run.begins_with_a_model:
        return {"test": test}
    return {
        "test": test.only(np.array([kind.startswith("loop") for kind in run.dataset.kind[test.rows].tolist()], bool))
    }


def tested_on(run: LoopRun) -> str:
    """What `never_trained_on` gives, in words."""
    return "what the loops found of the test split" if run.begins_with_a_model else "the test split"


def error_parts(run: LoopRun, predictions: Mapping[str, Predictions]) -> list[Part]:
    """What the present model gets wrong."""
    if run.dataset is None or not predictions:
        return []
    return [parity(predictions, run.dataset.name.tolist()), histograms(predictions)]


def data_charts(run: LoopRun) -> list[Part]:
    """What the data set is made of."""
    return [] if run.dataset is None else [data_chart(run, run.dataset)]


def cluster_parts(run: LoopRun, predictions: Mapping[str, Predictions]) -> list[Part]:
    """What is shown of the structures that were found."""
    if run.dataset is None:
        return []
    clusters = FoundClusters(run, predictions)
    if not clusters.rows:
        return []
    inside: list[Part] = [clusters.radial(), clusters.depths()]
    return [clusters.view(), clusters.paths(), clusters.grid(), *inside, clusters.discovery()]


def subtitle(run: LoopRun) -> str:
    """What the run is and how far it has come, in a line."""
    config = run.identity.get("config", {})
    reference = run.identity.get("reference", {}).get("method", config.get("reference", "unknown"))
    elements = " ".join(map(str, config.get("elements", [])))
    words = [elements, f"reference {reference}", f"seed {run.seed}"]
    if run.steps:
        loops = config.get("loops", max(run.loops, default=0))
        words.append(f"{len(run.steps)} steps finished, the last one {run.steps[-1].step}, of {loops} loops")
    return " \u00b7 ".join(word for word in words if word)


def key_figures(
    run: LoopRun, predictions: Mapping[str, Predictions], unseen: Mapping[str, Predictions]
) -> list[tuple[str, str]]:
    """The figures at the head of the page."""
    figures = [("steps finished", f"{len(run.steps)}")]
    if run.dataset is not None:
        figures.append(("labelled structures", f"{len(run.dataset):,}"))
    compositions = {step.composition for step in run.of_kind("search")}
    if compositions:
        figures.append(("compositions searched", f"{len(compositions)}"))
    if "test" in predictions:
        found = predictions["test"]
        figures.append(("energy MAE on the test split", f"{np.abs(found.errors).mean():.3f} eV"))
        figures.append(("force MAE on the test split", f"{np.abs(found.force_errors).mean():.3f} eV/Å"))
    if NEW in unseen:
        figures.append(("energy MAE on new structures", f"{np.abs(unseen[NEW].errors).mean():.3f} eV"))
    if run.steps:
        figures.append(("time of all steps", clock(sum(step.seconds for step in run.steps))))
    return figures
