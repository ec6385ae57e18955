"""A new model from the present one and a data set that has grown."""

from __future__ import annotations

import shutil
from collections.abc import Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hea_training.architecture import Architecture
from hea_training.arithmetic import fast_arithmetic
from hea_training.export import export, tensors_of
from hea_training.fit_settings import Settings
from hea_training.graph import Graphs, smallest_distances
from hea_training.jobs import Job, Report, claim, run_jobs
from hea_training.meta_loop.acceptance import part_errors, verdict
from hea_training.meta_loop.calibration import calibration_of
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.meta_loop.refreshed import Refreshed, sha256_of
from hea_training.parity import ParityError, check_parity, unseen_sample
from hea_training.replay import Replay
from hea_training.repulsion import ensure_repulsion, nearest_rising
from hea_training.sigma import uncertainty
from hea_training.strata import Stratum, Tensors, all_strata, load_network, merge, rows_of, start, trained_pairs

from hea_potential import __version__
from hea_potential.complete_file import complete_file
from hea_potential.dataset import DataSet
from hea_potential.errors import InputError
from hea_potential.reference import versions
from hea_potential.split import Split

__all__ = ["refresh", "touched_strata"]


def refresh(
    dataset: DataSet,
    split: Split,
    new_names: Collection[str],
    model: Path | None,
    settings: RefreshSettings,
    folder: Path,
    target: Path,
    *,
    architecture: Architecture,
    seed: int,
    split_seed: int | None = None,
    threads: int = 1,
    report: Report = lambda *_: None,
) -> Refreshed:
    """Train on the training part of a data set, beginning with a model or with nothing, and write the new model.

    Killed at any instant, the same call goes on where it was, and ends with the same model. The new model is written
    whether it is accepted or not.

    Args:
        dataset: all labelled structures; split: which of them teach, judge and test.
        new_names: structures that `model` has not been trained on.
        model: the present model file; None trains a first one of the sizes `architecture`.
        folder: of this training's checkpoints; target: the model file to write.
        split_seed: of `fixed_split`, if `split` is one: the model then says how its data were divided.

    Raises:
        InputError: data that no model can be trained on, or a folder that holds another training.
        HEAError: a training that ended in numbers that are not finite; ParityError: a first model that the engine
            evaluates to other numbers than torch (a later one is not accepted).
    """
    with fast_arithmetic(threads):
        arch, tensors = (architecture, None) if model is None else tensors_of(model)
        graphs = Graphs.of(dataset, arch.elements, arch.cutoff)
        training = graphs.subset(split.train)
        new = np.flatnonzero(np.isin(dataset.name[split.train].astype(str), list(new_names)))
        found = np.array([str(kind).startswith("loop") for kind in dataset.kind], dtype=bool)
        before = part_errors(arch, tensors, graphs, split, found) if tensors is not None else {}
        groups = touched_strata(settings.mode, training, None if model is None else new)
        if model is not None and not groups:
            return unchanged(model, target, before)
        sizes = {part: len(getattr(split, part)) for part in ("train", "valid", "test")}
        provenance = provenance_of(dataset, {"lasting_seed": split_seed, **sizes}, model, settings, seed)
        claim(folder, provenance | {"architecture": arch.as_dict()})
        first = model is None or Stratum("elements") in groups[0]
        how = settings.of_training(first=first)
        tensors = start(arch, training, seed) if tensors is None else closer(tensors, training)
        every_epoch = np.union1d(new, np.flatnonzero(found[split.train]))
        lesson = Lesson(
            training, every_epoch, how, first, model is not None, settings.replay, folder, seed, threads, provenance
        )
        tensors, trouble = taught(arch, tensors, groups, lesson, report)
        after = part_errors(arch, tensors, graphs, split, found)
        write(target, arch, tensors, graphs, split, {"name": target.stem, "provenance": provenance, "errors": after})
        try:
            check_parity(target, unseen_sample(dataset, split))
        except ParityError as error:
            if model is None:
                raise
            trouble = str(error)
        accepted, reason = (False, trouble) if trouble else verdict(before, after, settings)
        return Refreshed(
            model=f"models/{target.name}",
            sha256=sha256_of(target),
            accepted=accepted,
            reason=reason,
            strata=[stratum.name(arch.elements) for group in groups for stratum in group],
            structures=len(split.train),
            epochs=how.epochs,
            before=before,
            after=after,
            calibration=calibration_of(target, dataset, split.test),
        )


def touched_strata(mode: str, training: Graphs, new: np.ndarray | None) -> list[list[Stratum]]:
    """The strata to train, in order, when the structures `new` [n] of a training set are new (None: all are, and there
    is no model yet). Those of an inner list do not depend on each other.

    A new pair's structures touch that pair, structures of three and more elements touch `many`; those of one element
    touch the elements, on which all others stand, so all are trained anew. Mode full has one stratum of all weights.
    """
    if mode == "full":
        return [[Stratum("full")]] if new is None or len(new) else []
    strata = [
        [stratum for stratum in group if len(rows_of(stratum, training))]
        for group in all_strata(len(training.elements))
    ]
    if new is None:
        return [group for group in strata if group]
    recent = training.subset(new)
    touched = [[stratum for stratum in group if len(rows_of(stratum, recent))] for group in strata]
    return [group for group in (strata if touched[0] else touched) if group]


@dataclass(frozen=True)
class Lesson:
    """What a model is taught with, and how: every_epoch are the rows of the training set that are never left out;
    first, whether none is, ever; warm, whether a trained model is gone on with.
    """

    training: Graphs
    every_epoch: np.ndarray
    how: Settings
    first: bool
    warm: bool
    replay: int
    folder: Path
    seed: int
    threads: int
    provenance: dict[str, Any]

    def job(self, arch: Architecture, tensors: Tensors, stratum: Stratum) -> Job:
        """A stratum's training."""
        rows = rows_of(stratum, self.training)
        always = np.flatnonzero(np.isin(rows, self.every_epoch))
        return Job(
            arch,
            tensors,
            stratum,
            self.training.subset(rows),
            self.how,
            self.seed,
            self.folder,
            self.provenance,
            warm=self.warm,
            replay=None if self.first else Replay(always, self.replay),
        )


def taught(
    arch: Architecture, tensors: Tensors, groups: list[list[Stratum]], lesson: Lesson, report: Report
) -> tuple[Tensors, str]:
    """The model after its lesson, and what is wrong with it ("" for nothing): two atoms that attract each other where
    they should not.
    """
    trouble = ""
    for group in groups:
        known = tensors
        lesson.training.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
        jobs = [lesson.job(arch, tensors, stratum) for stratum in group]
        for stratum, trained in run_jobs(jobs, lesson.threads, 1 if len(jobs) > 1 else lesson.threads, report):
            tensors = merge(arch, tensors, stratum, trained)
        pairs = sorted({pair for job in jobs for pair in trained_pairs(arch, job.stratum)})
        try:
            if lesson.warm:
                tensors = nearest_rising(arch, known, tensors, pairs, lesson.training)
            else:
                tensors = ensure_repulsion(arch, tensors, pairs, lesson.training)
        except ValueError as error:
            if not lesson.warm:
                raise InputError(str(error)) from error
            trouble = str(error)
    return tensors, trouble


def closer(tensors: Tensors, training: Graphs) -> Tensors:
    """The model with filters that are free down to the nearest atoms of the data, if these are nearer than before: its
    energies stay what they are until it is trained, and its repulsion stays where it is.
    """
    nearest = np.minimum(tensors["distance.min"], smallest_distances(training))
    return {**tensors, "distance.min": nearest.astype(tensors["distance.min"].dtype)}


def write(
    target: Path, arch: Architecture, tensors: Tensors, graphs: Graphs, split: Split, document: dict[str, Any]
) -> None:
    """Write the model file with its uncertainty."""
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network, table = load_network(arch, tensors), torch.from_numpy(tensors["filters"].astype(np.float32))
    sigma = uncertainty(network, table, graphs.subset(split.train), graphs.subset(split.valid))
    export(target, arch, tensors, sigma, document)


def unchanged(model: Path, target: Path, errors: dict[str, Any]) -> Refreshed:
    """The present model once more, where there is nothing new to learn."""
    with complete_file(target) as temporary:
        shutil.copyfile(model, temporary)
    return Refreshed.untrained(target, "no new structures to train on", errors=errors)


def provenance_of(
    dataset: DataSet, split: dict[str, Any], model: Path | None, settings: RefreshSettings, seed: int
) -> dict[str, Any]:
    """What the model came from: versions, data and their hash, seed, settings, the model that it began with."""
    return {
        "packages": {"hea-potential": __version__} | versions("torch", "schnetpack", "ase"),
        "data": {"sha256": dataset.sha256(), "structures": len(dataset), "provenance": dataset.provenance},
        "split": split,
        "seed": seed,
        "training": asdict(settings),
        "start_from": None if model is None else {"name": model.stem, "sha256": sha256_of(model)},
    }
