"""Label structures with a reference method: in several processes, resumable at any instant.

What a structure's `info` says about its labelling, all optional:

- `name` (default: its place in the list), `kind` (default "structure"), `group` (default: its name);
- `relax`: steps of a relaxation with the reference itself, of which frames of growing distance are labelled;
- `max_force`: largest force that is accepted, eV/A.
"""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.optimize import BFGS

from hea_potential.dataset import (
    POSITION_DECIMALS,
    DataSet,
    Frame,
    empty_dataset,
    read_dataset,
    write_dataset,
)
from hea_potential.errors import HEAError, InputError
from hea_potential.reference import reference_method

CHECKPOINT_SECONDS = 30.0
RELAXED_FORCE = 0.02  # eV/A: a relaxation ends below it
FAILED = "failed twice: "  # begins the reason of failures that a later run tries again


@dataclass(frozen=True)
class Outcome:
    """What became of one structure: labelled frames, or the reason why there are none, and whether to try again."""

    name: str
    frames: tuple[Frame, ...] = ()
    reason: str = ""
    again: bool = False


def labelled_steps(last: int) -> list[int]:
    """Steps of a relaxation at which frames are labelled: quarter squares 0, 1, 2, 4, 6, 9, 12, ... up to `last`."""
    steps = {k * k // 4 for k in range(1, 2 * int(np.sqrt(last)) + 4)}
    return sorted(step for step in steps if step <= last)


def label(atoms: Atoms, name: str, calculator: Any) -> Outcome:
    """Label one structure, or the frames of its relaxation. Never raises for what the reference does."""
    info = atoms.info
    kind, group = str(info.get("kind", "structure")), str(info.get("group", name))
    last, max_force = int(info.get("relax", 0)), float(info.get("max_force", np.inf))
    moving = atoms.copy()
    moving.calc = calculator
    frames: list[Frame] = []
    try:
        moving.positions = np.round(moving.positions, POSITION_DECIMALS)
        optimiser = BFGS(moving, logfile=None, maxstep=0.15) if last > 0 else None
        keep = labelled_steps(last)
        for step in range(last + 1):
            results = {"energy": moving.get_potential_energy(), "forces": moving.get_forces()}
            if moving.pbc.all():
                results["stress"] = moving.get_stress()
            largest = float(np.sqrt((results["forces"] ** 2).sum(axis=1).max()))
            if largest > max_force:
                return Outcome(name, reason=f"force {largest:.1f} eV/A above the allowed {max_force:g}")
            if step in keep or largest < RELAXED_FORCE:
                frame_name = name if last == 0 else f"{name}.{step:03d}"
                frames.append(Frame.from_results(moving, frame_name, kind, group, results))
            if optimiser is None or step == last or largest < RELAXED_FORCE:
                break
            optimiser.step()
            moving.positions = np.round(moving.positions, POSITION_DECIMALS)
    except Exception as error:  # any calculator may be the reference: whatever it raises is an outcome
        return Outcome(name, reason=f"{type(error).__name__}: {error}", again=True)
    return Outcome(name, tuple(frames))


class Worker:
    """What a labelling process keeps between structures."""

    calculator: Any = None

    @classmethod
    def start(cls, reference: str) -> None:
        """Build the calculator, once for each process."""
        cls.calculator = reference_method(reference).calculator()

    @classmethod
    def label(cls, atoms: Atoms, name: str) -> Outcome:
        """Label one structure with the process's calculator."""
        return label(atoms, name, cls.calculator)


def names_of(structures: Sequence[Atoms]) -> list[str]:
    """The structures' names. Raises InputError if two are the same or one has a dot."""
    names = [str(atoms.info.get("name", f"{k:06d}")) for k, atoms in enumerate(structures)]
    if len(set(names)) < len(names):
        twice = next(name for k, name in enumerate(names) if name in names[:k])
        raise InputError(f"names of structures must differ, got {twice!r} twice")
    for name in names:
        if "." in name:
            raise InputError(f"a structure's name must not have a dot (frames of relaxations do), got {name!r}")
    return names


def label_structures(
    structures: Sequence[Atoms],
    output: Path,
    reference: str,
    *,
    processes: int = 1,
    provenance: dict[str, Any] | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> DataSet:
    """Label structures into the data set `output`, adding to what is there.

    Structures labelled or refused before are not labelled again; one whose calculation fails is tried twice, in this
    run and in each later run. The file is replaced as a whole about every 30 s and at the end, so it can be read, and
    the run killed, at any time. `progress` is called with the numbers of structures done and without label.

    Raises InputError when `output` was labelled by another reference; HEAError when a worker process dies.
    """
    names = names_of(structures)
    dataset = start_dataset(output, reference, provenance or {})
    done = {name.split(".")[0] for name in dataset.name.tolist()}
    done |= {name for name, reason in dataset.failures.items() if not reason.startswith(FAILED)}
    todo = deque((atoms, name) for atoms, name in zip(structures, names, strict=True) if name not in done)
    writer = Checkpoints(dataset, output)
    finished = len(structures) - len(todo)
    tried: set[str] = set()
    with (
        one_thread_each(),
        ProcessPoolExecutor(
            processes, mp_context=get_context("spawn"), initializer=Worker.start, initargs=(reference,)
        ) as pool,
    ):
        running: dict[Future[Outcome], tuple[Atoms, str]] = {}
        try:
            while todo or running:
                while todo and len(running) < 3 * processes:
                    work = todo.popleft()
                    running[pool.submit(Worker.label, *work)] = work
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    work = running.pop(future)
                    outcome = future.result()
                    if outcome.again and outcome.name not in tried:
                        tried.add(outcome.name)
                        todo.append(work)
                        continue
                    finished += 1
                    writer.add(outcome)
                    if progress:
                        progress(finished, len(writer.failures))
        except BrokenProcessPool as error:
            raise HEAError(
                "a labelling process died (out of memory, or the reference cannot be loaded); "
                "what was labelled is kept: run the same command again to go on"
            ) from error
        finally:
            for future in running:
                future.cancel()
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
        return empty_dataset({"reference": method, **provenance})
    dataset = read_dataset(output)
    before = dataset.provenance.get("reference", {})
    same = ("method", "model", "modal")
    if [before.get(key) for key in same] != [method.get(key) for key in same]:
        raise InputError(f"{output} was labelled by {before}, which cannot be mixed with {method}")
    return dataset


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside have one thread for linear algebra: faster, and the same numbers every time."""
    before = {key: os.environ.get(key) for key in ("OMP_NUM_THREADS", "MKL_NUM_THREADS")}
    os.environ.update(dict.fromkeys(before, "1"))
    try:
        yield
    finally:
        for key, value in before.items():
            if value is None:
                del os.environ[key]
            else:
                os.environ[key] = value
