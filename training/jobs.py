"""Strata trained in parallel processes, with results kept so that a killed run goes on."""

import hashlib
import json
import math
import multiprocessing
import queue
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from hea_training.architecture import Architecture
from hea_training.arithmetic import calculate_fast, fast_arithmetic
from hea_training.fit_settings import Settings
from hea_training.graph import Graphs
from hea_training.replay import Replay
from hea_training.strata import Stratum, Tensors, train_stratum

from hea_potential.complete_file import complete_file
from hea_potential.errors import HEAError, InputError

__all__ = ["Job", "Report", "claim", "run_jobs"]

AGAIN = "cannot be read; delete it, and the same command trains that part again"
Report = Callable[[str, int, int, float], None]  # stratum, epochs done, epochs in all, loss


@dataclass(frozen=True)
class Job:
    """A stratum to train: everything a process needs. `warm` and `replay` as in strata.train_stratum."""

    arch: Architecture
    tensors: Tensors
    stratum: Stratum
    graphs: Graphs
    settings: Settings
    seed: int
    output: Path
    provenance: dict[str, Any]
    warm: bool = False
    replay: Replay | None = None

    @property
    def name(self) -> str:
        """Name of the stratum."""
        return self.stratum.name(self.arch.elements)

    @property
    def result(self) -> Path:
        """File of what was learnt, written when the training has ended."""
        return self.output / "strata" / f"{self.name}.npz"

    def learnt(self) -> Tensors:
        """What was learnt. Raises InputError for a damaged file, HEAError for numbers that are not finite."""
        try:
            with np.load(self.result) as arrays:
                learnt = dict(arrays)
        except (OSError, ValueError, EOFError, BadZipFile) as error:
            raise InputError(f"{self.result} {AGAIN} ({error})") from error
        if not all(np.isfinite(array).all() for array in learnt.values()):
            raise HEAError(
                f"{self.output}: the training of {self.name} ended in numbers that are not finite; a smaller learning "
                f"rate than {self.settings.learning_rate:g} may help"
            )
        return learnt

    @property
    def checkpoint(self) -> Path:
        """File of a training in progress."""
        return self.output / "strata" / f"{self.name}.checkpoint"


def run_jobs(jobs: list[Job], workers: int, threads: int, report: Report) -> list[tuple[Stratum, Tensors]]:
    """What the jobs taught, in their order; those that are finished already are read. `workers` processes of `threads`
    threads each; a single job, or a single worker, runs in this process on as many threads: whether one is left after a
    kill must not decide the last digits. Raises as `Job.learnt`.
    """
    waiting = [job for job in jobs if not job.result.exists()]
    for job in jobs:
        if job not in waiting:
            report(job.name, job.settings.epochs, job.settings.epochs, math.nan)
    if len(waiting) == 1 or workers == 1:
        with fast_arithmetic(threads):
            for job in waiting:
                _train(job, report)
    elif waiting:
        context = multiprocessing.get_context("spawn")
        with context.Manager() as manager:
            messages = manager.Queue()
            with (
                _forwarded(messages, report),
                ProcessPoolExecutor(workers, context, _prepare, (messages, threads)) as pool,
            ):
                list(pool.map(_train, waiting))
    return [(job.stratum, job.learnt()) for job in jobs]


_messages: Any = None


def _prepare(messages: Any, threads: int) -> None:
    """Begins a worker process."""
    global _messages  # noqa: PLW0603 - a pool's initializer has no other place for what its jobs need
    _messages = messages
    calculate_fast(threads)


@contextmanager
def _forwarded(messages: Any, report: Report) -> Iterator[None]:
    """Gives the workers' messages to `report`, in this process, while the block runs."""
    finished = threading.Event()

    def forward() -> None:
        while not finished.is_set():
            try:
                report(*messages.get(timeout=0.2))
            except queue.Empty:
                continue

    thread = threading.Thread(target=forward, daemon=True)
    thread.start()
    try:
        yield
    finally:
        finished.set()
        thread.join()


def _train(job: Job, report: Report | None = None) -> None:
    """Trains a stratum and keeps the result; the checkpoint, no longer needed then, stays for provenance."""
    send = report or (lambda *message: _messages.put(message))
    job.result.parent.mkdir(parents=True, exist_ok=True)
    began = time.monotonic()

    def on_epoch(epoch: int, loss: float, *_: Any) -> None:
        send(job.name, epoch, job.settings.epochs, loss)
        with job.result.with_suffix(".log").open("a") as log:
            log.write(f"{epoch} {loss:.6f} {time.monotonic() - began:.1f}\n")

    trained = train_stratum(
        job.arch,
        job.tensors,
        job.stratum,
        job.graphs,
        job.settings,
        _seed_of(job.seed, job.name),
        warm=job.warm,
        replay=job.replay,
        checkpoint=job.checkpoint,
        provenance=job.provenance,
        on_epoch=on_epoch,
    )
    with complete_file(job.result) as temporary:
        np.savez(temporary, **trained)  # type: ignore[arg-type]


def _seed_of(seed: int, name: str) -> int:
    """A seed of its own for every stratum, whichever order or process they run in."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{name}".encode()).digest()[:4], "big")


def claim(output: Path, run: dict[str, Any]) -> None:
    """Makes the output folder, or checks that what lies there is the same run. Raises InputError."""
    output.mkdir(parents=True, exist_ok=True)
    path, text = output / "run.json", json.dumps(run, indent=1, sort_keys=True, default=str) + "\n"
    if not path.exists():
        with complete_file(path) as temporary:
            temporary.write_text(text)
    elif (found := path.read_text()) != text:
        try:
            before, now = dict(json.loads(found)), json.loads(text)
        except (ValueError, TypeError) as error:
            raise InputError(f"{path} cannot be read ({error}); choose an empty folder") from error
        differ = sorted(key for key in before.keys() | now.keys() if before.get(key) != now.get(key))
        raise InputError(
            f"{output} holds another run (they differ in {', '.join(differ)}); "
            "allowed is an empty folder, or the same configuration and data"
        )
