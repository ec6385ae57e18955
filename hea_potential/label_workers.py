"""Who labels: processes of our own, the calling process, or the workers of any `concurrent.futures.Executor`.

A structure whose calculation fails is tried once more. So is one whose process dies: with processes of our own others
take their place, what was in work is tried alone, and what kills its process again is given up with that as its reason.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from functools import lru_cache
from multiprocessing import get_context, parent_process
from threading import Thread
from typing import Any

from ase import Atoms

from hea_potential.errors import HEAError
from hea_potential.label_one import Outcome, label
from hea_potential.reference import reference_method

__all__ = ["InProcess", "Processes", "labelled"]

AHEAD = 3  # structures handed to the executor per worker, so that none idles
DEATHS = 3  # of processes one after the other, before any structure had a label: the reference cannot be used at all
KEPT = "what was labelled is kept: run the same command again to go on"

Work = tuple[Atoms, str]  # a structure and its name


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
def calculator_of(reference: str) -> Any:
    """The calculator of this process, kept from structure to structure."""
    return reference_method(reference).calculator()


def label_by_name(reference: str, atoms: Atoms, name: str) -> Outcome:
    """Label one structure, in any process. Raises HEAError if the reference cannot be used at all."""
    try:
        calculator = calculator_of(reference)
    except HEAError:
        raise
    except Exception as error:  # whatever a calculator's constructor raises
        raise HEAError(f"reference {reference!r} cannot be used: {type(error).__name__}: {error}") from error
    return label(atoms, name, calculator)


def labelled(works: Sequence[Work], reference: str, executor: Executor, workers: int) -> Iterator[Outcome]:
    """What becomes of each structure, as they are finished.

    Raises HEAError when the reference cannot be used, or when a worker of an executor that is not ours dies.
    """
    queue = Queue(works)
    deaths, successes = 0, 0
    running: dict[Future[Outcome], Work] = {}
    try:
        while queue or running:
            for work in queue.next(len(running), AHEAD * workers):
                running[submitted(executor, reference, work)] = work
            lost: list[Work] = []
            for future in wait(running, return_when=FIRST_COMPLETED).done:
                work = running.pop(future)
                try:
                    outcome = future.result()
                except BrokenExecutor:
                    lost.append(work)
                    continue
                successes += not outcome.again
                if not (outcome.again and queue.again(work)):
                    yield outcome
            if not lost:
                continue
            lost += running.values()  # with one process of a pool all of them are gone
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


def submitted(executor: Executor, reference: str, work: Work) -> Future[Outcome]:
    """The future of one structure's labelling; one that has failed already if the executor is broken."""
    try:
        return executor.submit(label_by_name, reference, *work)
    except BrokenExecutor as error:
        future: Future[Outcome] = Future()
        future.set_exception(error)
        return future


class Queue:
    """What is to be labelled: in order, then what failed once; what may have killed its process goes first, alone."""

    def __init__(self, works: Sequence[Work]) -> None:
        self.waiting = deque(works)
        self.suspects: deque[Work] = deque()
        self.tried: set[str] = set()

    def __bool__(self) -> bool:
        return bool(self.waiting or self.suspects)

    def next(self, running: int, most: int) -> Iterator[Work]:
        """What is to be handed out while this many are in work, which shall be `most`."""
        if self.suspects:
            if running == 0:
                yield self.suspects.popleft()
            return
        while self.waiting and running < most:
            running += 1
            yield self.waiting.popleft()

    def again(self, work: Work) -> bool:
        """Try a structure once more; False if that was done."""
        if work[1] in self.tried:
            return False
        self.tried.add(work[1])
        self.waiting.append(work)
        return True

    def suspect(self, lost: Sequence[Work]) -> bool:
        """Take back what was in work when a process died; False for one that was alone, twice."""
        if len(lost) == 1:
            if lost[0][1] in self.tried:
                return False
            self.tried.add(lost[0][1])
        self.suspects.extend(lost)
        return True
