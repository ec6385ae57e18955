"""Labels into a loop's data set, such that it does not tell who made them, in which order, or after which kills."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from ase import Atoms
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.state import Loop

from hea_potential.dataset import DataSet, read_dataset, write_dataset
from hea_potential.labels import label_structures
from hea_potential.search.workers import manager_should_help

__all__ = ["LABELS", "label_into_data"]

LABELS = "labels.h5"


def label_into_data(loop: Loop, step: Step, structures: list[Atoms]) -> DataSet:
    """Label structures into a file of the step's own, then add them to the data set in the order of their names: which
    label was finished first leaves no trace. Returns the step's labels. Raises InputError where the data of the steps
    before are missing or damaged.
    """
    file = loop.folder_of(step) / LABELS
    labels = label_structures(
        structures,
        file,
        loop.config.reference,
        processes=loop.config.label.processes,
        executor=loop.executor or loop.labellers,
        workers=loop.workers or loop.config.label.processes,
        helps=loop.executor is not None and manager_should_help(loop.workers),
        progress=lambda done, failed: loop.watcher.goes_on("labels", done, len(structures)),
    )
    labels = labels.select(np.argsort(labels.name.astype(str), kind="stable"))
    labels = replace(labels, failures=dict(sorted(labels.failures.items())))
    begins = step.kind == "start" and not loop.data.exists()
    dataset = labels.select([]) if begins else read_dataset(loop.data)
    known = set(dataset.name.tolist())
    frames = [labels.frame(k) for k in range(len(labels)) if labels.name[k] not in known]
    grown = replace(dataset.append(frames), failures={**dataset.failures, **labels.failures})
    if frames or grown.failures != dataset.failures or begins:
        write_dataset(loop.data, grown)
    return labels
