"""Label structures with a reference method into a data set: by any executor, resumable at any instant.

What a structure's `info` says about its labelling is in `hea_potential.label_one`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms

from hea_potential.dataset import DataSet, empty_dataset, read_dataset, write_dataset
from hea_potential.errors import InputError
from hea_potential.frame import Frame
from hea_potential.label_one import Outcome, Wish
from hea_potential.label_workers import InProcess, Processes, labelled
from hea_potential.reference import reference_method

__all__ = ["FAILED", "label_structures"]

CHECKPOINT_SECONDS = 30.0
FAILED = "failed twice: "  # begins the reason of failures that a later run tries again
SAME_PLACE = 1e-4  # A, within which atoms are at the same place: files of structures round
NOT_THE_METHOD = ("packages", "licence")  # of a provenance: what may differ in one data set


def names_of(structures: Sequence[Atoms]) -> list[str]:
    """The structures' names. Raises InputError if two are the same, one has a dot, or what else is said about a
    structure's labelling cannot be.
    """
    names = [str(atoms.info.get("name", f"{k:06d}")) for k, atoms in enumerate(structures)]
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise InputError(f"names of structures must differ, got {twice!r} twice")
    for name in names:
        if "." in name:
            raise InputError(f"a structure's name must not have a dot (frames of relaxations do), got {name!r}")
    for atoms, name in zip(structures, names, strict=True):
        Wish.of(atoms, name)
    return names


def label_structures(
    structures: Sequence[Atoms],
    output: Path,
    reference: str,
    *,
    processes: int = 1,
    executor: Executor | None = None,
    workers: int = 1,
    helps: bool = False,
    provenance: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DataSet:
    """Label structures into the data set `output`, adding to what is there.

    Structures labelled or refused before are not labelled again; one whose calculation fails is tried twice, in this
    run and in each later run. The file is replaced as a whole about every 30 s and at the end, so it can be read, and
    the run killed, at any time. `progress` is called with the numbers of structures done and without label.

    Labels are made by `processes` new processes (0: by the calling one), or by the `workers` of an executor: with
    `label_workers.Processes` processes are kept from call to call, with `mpi4py.futures` they are the ranks of mpirun.
    With `helps` the calling process labels as well, what is cheap.

    Raises InputError when `output` was labelled by another reference or has another structure of a name, or for names
    and wishes of structures that cannot be; OutputError when it cannot be written, also when
    the disk is full: what was written before stays; HEAError when the reference cannot be used, or when a worker of an
    executor that is not `Processes` dies.
    """
    names = names_of(structures)
    dataset = start_dataset(output, reference, provenance or {})
    check_same(structures, names, dataset, output)
    done = {name.split(".")[0] for name in dataset.name.tolist()}
    done |= {name for name, reason in dataset.failures.items() if not reason.startswith(FAILED)}
    todo = [(atoms, name) for atoms, name in zip(structures, names, strict=True) if name not in done]
    writer = Checkpoints(dataset, output)
    finished = len(structures) - len(todo)
    own = Processes(processes) if processes else InProcess()
    with nullcontext(executor) if executor else own as crew:
        try:
            for outcome in labelled(todo, reference, crew, workers if executor else max(1, processes), helps=helps):
                finished += 1
                writer.add(outcome)
                if progress:
                    progress(finished, len(writer.failures))
        finally:
            writer.write()
    return writer.dataset


class Checkpoints:
    """Gathers outcomes and writes the data set now and then: rarely enough that writing takes a few percent at most."""

    def __init__(self, dataset: DataSet, path: Path) -> None:
        self.dataset, self.path = dataset, path
        self.frames: list[Frame] = []
        self.failures = dict(dataset.failures)
        self.last, self.cost = time.monotonic(), 0.0

    def add(self, outcome: Outcome) -> None:
        """Take an outcome; write when it is time."""
        self.frames.extend(outcome.frames)
        self.failures.pop(outcome.name, None)
        if not outcome.frames:
            self.failures[outcome.name] = (FAILED if outcome.again else "") + outcome.reason
        if time.monotonic() - self.last > max(CHECKPOINT_SECONDS, 30.0 * self.cost):
            self.write()

    def write(self) -> None:
        """Write everything taken so far."""
        began = time.process_time()
        self.dataset = replace(self.dataset.append(self.frames), failures=dict(self.failures))
        self.frames = []
        write_dataset(self.path, self.dataset)
        self.last, self.cost = time.monotonic(), time.process_time() - began


def start_dataset(output: Path, reference: str, provenance: dict[str, Any]) -> DataSet:
    """The data set to add to: what `output` holds, or an empty one."""
    method = reference_method(reference).provenance
    if not output.exists():
        dataset = empty_dataset({"reference": method, **provenance})
        write_dataset(output, dataset)  # what cannot be written is found out before anything is calculated
        return dataset
    dataset = read_dataset(output)
    before = dataset.provenance.get("reference", {})
    if without(before, NOT_THE_METHOD) != without(method, NOT_THE_METHOD):
        raise InputError(f"{output} was labelled by {before}, which cannot be mixed with {method}")
    return dataset


def check_same(structures: Sequence[Atoms], names: Sequence[str], dataset: DataSet, output: Path) -> None:
    """Raise InputError if a structure's name is that of another one in the data set: it would pass for labelled. Those
    without a name are numbered, in every file from 0 on.
    """
    places = {name.removesuffix(".000"): k for k, name in enumerate(dataset.name.tolist())}
    for atoms, name in zip(structures, names, strict=True):
        if name in places:
            frame = dataset.frame(places[name])
            same = np.array_equal(frame.numbers, atoms.numbers)
            if not same or np.abs(frame.positions - atoms.positions).max() > SAME_PLACE:
                raise InputError(
                    f"structure {name!r} is in {output} already, with other atoms or at other places; give structures "
                    "names of their own (info['name']), or another output"
                )


def without(document: dict[str, Any], keys: Sequence[str]) -> dict[str, Any]:
    """A document without some of its keys."""
    return {key: value for key, value in document.items() if key not in keys}
