"""Who labels: processes of our own, the calling process, or the workers of any `concurrent.futures.Executor`.

With processes of our own others take the place of one that dies, and what was in work is tried again (`label_queue`).
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import replace
from functools import lru_cache, partial
from itertools import chain
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from ase import Atoms

from hea_potential.errors import HEAError, InputError
from hea_potential.label_one import Outcome, label
from hea_potential.label_queue import Queue, Work
from hea_potential.reference import hash_of_file, reference_method
from hea_potential.torch_library import own_libraries

__all__ = ["InProcess", "Processes", "labelled"]

AHEAD = 3  # tasks handed to the executor per worker, so that none idles
DEATHS = 3  # of processes one after the other, before any structure had a label: the reference cannot be used at all
KEPT = "what was labelled is kept: run the same command again to go on"


class Processes(Executor):
    """Labelling processes of one thread each, begun with the first task and kept until `shutdown`.

    One thread is faster where there is a process for every core, and gives the same numbers every time.
    """

    def __init__(self, processes: int = 1) -> None:
        self.processes = processes
        self.pool: ProcessPoolExecutor | None = None

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Hand a call to the processes."""
        with one_thread_each():  # a process may be begun here
            self.pool = self.pool or ProcessPoolExecutor(
                self.processes, mp_context=get_context("spawn"), initializer=end_with_parent
            )
            return self.pool.submit(fn, *args, **kwargs)

    def renew(self) -> None:
        """Take other processes, after one has died."""
        self.shutdown()

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes; the next task begins others."""
        if self.pool is not None:
            self.pool.shutdown(wait, cancel_futures=cancel_futures)
            self.pool = None


def end_with_parent() -> None:
    """End this process when the one that began it is gone: killed, it can tell nobody to stop."""
    parent = parent_process()

    def wait_for_it() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    Thread(target=wait_for_it, daemon=True).start()


class InProcess(Executor):
    """The calling process labels itself: no time to begin another, for references that take milliseconds."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Do a call at once."""
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # as an executor does: whoever asks for the result gets it
            future.set_exception(error)
        return future


@contextmanager
def one_thread_each() -> Iterator[None]:
    """Processes started inside have one thread for linear algebra."""
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


@lru_cache(maxsize=1)
def calculator_of(reference: str, file: str) -> Any:
    """The calculator of this process, kept from structure to structure; `file` is the hash of the file that the
    reference is named after. Raises InputError for what is no calculator, or if that file is no longer the same.
    """
    with own_libraries():  # of a rank of mpirun that has searched with LAMMPS before it labels
        calculator = reference_method(reference).calculator()
    if hash_of_file(reference) != file:
        raise InputError(f"reference {reference!r}: its file has changed since the labelling began")
    if not hasattr(calculator, "get_property"):
        raise InputError(f"reference {reference!r}: got {calculator!r}; allowed is what returns an ASE calculator")
    return calculator


def label_task(reference: str, file: str, task: Sequence[Work]) -> list[Outcome]:
    """Label structures one after the other, in any process, with what `calculator_of` gives. Raises HEAError if the
    reference cannot be used at all.
    """
    try:
        calculator = calculator_of(reference, file)
    except HEAError:
        raise
    except Exception as error:  # whatever a calculator's constructor raises
        raise HEAError(f"reference {reference!r} cannot be used: {type(error).__name__}: {error}") from error
    return [timed(atoms, name, calculator) for atoms, name in task]


def timed(atoms: Atoms, name: str, calculator: Any) -> Outcome:
    """Label one structure, and say how long it took."""
    began = time.monotonic()
    return replace(label(atoms, name, calculator), seconds=time.monotonic() - began)


def labelled(
    works: Sequence[Work], reference: str, executor: Executor, workers: int, *, helps: bool = False
) -> Iterator[Outcome]:
    """What becomes of each structure, as they are finished. `helps`: the calling process labels beside the workers.

    Raises HEAError when the reference cannot be used, or when a worker of an executor that is not ours dies.
    """
    do = partial(label_task, reference, hash_of_file(reference))
    queue = Queue(works, 1 if isinstance(executor, InProcess) else AHEAD * workers)
    deaths, successes = 0, 0
    running: dict[Future[list[Outcome]], list[Work]] = {}
    try:
        while queue or running:
            for task in queue.tasks(len(running)):
                running[submitted(executor, do, task)] = task
            if helps and (task := queue.task_of_manager()):
                running[submitted(InProcess(), do, task)] = task
            found, lost = collected(running)
            for work, outcome in found:
                queue.learn(work, outcome)
                successes += not outcome.again
                if not (outcome.again and queue.again(work)):
                    yield outcome
            if not lost:
                continue
            lost += chain.from_iterable(running.values())  # with one process of a pool all of them are gone
            running.clear()
            deaths += 1
            if not isinstance(executor, Processes):
                raise HEAError(f"a labelling process died; {KEPT}")
            if deaths == DEATHS and not successes:
                raise HEAError(f"{deaths} labelling processes died, and none gave a label: is memory short? {KEPT}")
            executor.renew()
            if not queue.suspect(lost):
                yield Outcome(lost[0][1], reason="its labelling process died", again=True)
    finally:
        for future in running:
            future.cancel()


def collected(running: dict[Future[list[Outcome]], list[Work]]) -> tuple[list[tuple[Work, Outcome]], list[Work]]:
    """Wait for a task and take those that are finished out of `running`: what became of their structures, and the
    structures of those whose process died.
    """
    found: list[tuple[Work, Outcome]] = []
    lost: list[Work] = []
    for future in wait(running, return_when=FIRST_COMPLETED).done:
        task = running.pop(future)
        try:
            found += zip(task, future.result(), strict=True)
        except BrokenExecutor:
            lost += task
    return found, lost


def submitted(executor: Executor, do: Callable[[list[Work]], list[Outcome]], task: list[Work]) -> Future[list[Outcome]]:
    """The future of a task; one that has failed already if the executor is broken."""
    try:
        return executor.submit(do, task)
    except BrokenExecutor as error:
        future: Future[list[Outcome]] = Future()
        future.set_exception(error)
        return future
