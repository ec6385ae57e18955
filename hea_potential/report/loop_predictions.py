"""What the models of a meta loop say of its data set: the present one of all parts, earlier ones of what they chose."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import numpy as np

from hea_potential.errors import HEAError
from hea_potential.report.loop_folder import LoopRun, Progress, Step, number_of
from hea_potential.report.predictions import Integers, Predictions, predict, sample

__all__ = ["NEW", "predictions_when_chosen", "present_predictions"]

NEW = "new"  # structures found in the loops, as seen by the models that chose them
MOST = 20_000  # structures of the training split: some ten seconds


def present_predictions(run: LoopRun, remarks: list[str], progress: Progress) -> dict[str, Predictions]:
    """Of the model that the loop has come to, by part of the data set; all of valid and test. Empty without a model;
    one that cannot be used is a remark.
    """
    model = None if run.present_model is None else run.model_path(run.present_model)
    if model is None or run.dataset is None:
        remarks.append("There is no model yet.")
        return {}
    parts = {name: sample(rows, MOST) if name == "train" else rows for name, rows in run.parts() if len(rows)}
    return evaluated(run, {name: {model: rows} for name, rows in parts.items()}, "present model", remarks, progress)


def predictions_when_chosen(run: LoopRun, remarks: list[str], progress: Progress) -> dict[str, Predictions]:
    """Of the structures found in the loops, each by the model that its search and its choice were made with."""
    if run.dataset is None:
        return {}
    choosers = {step.place: chooser_of(run, step) for step in run.of_kind("search")}
    by_model: dict[Path, list[int]] = {}
    for row, name in enumerate(run.dataset.name.tolist()):
        place = run.place_of(name)
        if place in choosers:
            by_model.setdefault(choosers[place], []).append(row)
    rows = {model: np.array(rows) for model, rows in sorted(by_model.items())}
    return evaluated(run, {NEW: rows} if rows else {}, "models that chose", remarks, progress)


def chooser_of(run: LoopRun, step: Step) -> Path:
    """The model that a step searched with: one of the loop, or a surrogate of the step's own."""
    surrogate = step.facts.get("surrogate")
    return run.folder / surrogate if surrogate else run.model_path(number_of(step.facts["model"]))


def evaluated(
    run: LoopRun, wanted: dict[str, dict[Path, Integers]], what: str, remarks: list[str], progress: Progress
) -> dict[str, Predictions]:
    """Predictions by the names of `wanted`, each of rows by the file of a model. Models that cannot be used are left
    out with a remark.
    """
    assert run.dataset is not None
    total = sum(len(rows) for models in wanted.values() for rows in models.values())
    done = 0

    def advance(count: int) -> None:
        nonlocal done
        done += count
        progress(what, done, total)

    found: dict[str, Predictions] = {}
    for name, models in wanted.items():
        pieces = []
        for model, rows in models.items():
            try:
                pieces.append(predict(run.dataset, rows, model, advance))
            except HEAError as error:
                remark = f"A model is left out: {error}"
                if remark not in remarks:
                    remarks.append(remark)
        if pieces:
            found[name] = joined(pieces)
    return found


def joined(pieces: list[Predictions]) -> Predictions:
    """Predictions of several models as one."""
    return Predictions(
        *(np.concatenate([getattr(piece, each.name) for piece in pieces]) for each in fields(Predictions))
    )
