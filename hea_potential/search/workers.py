"""Who does the tasks: the workers of any `concurrent.futures.Executor`, the calling process, or both."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager

from hea_potential.errors import HEAError
from hea_potential.search.tasks import Result, Setup, Task, execute

# Tasks handed to the executor per worker: one in work, one waiting, so that no worker idles while the manager is busy.
AHEAD = 2


class WorkersError(HEAError):
    """The workers died; what they had found is in the journal."""


class Crew:
    """Takes tasks and gives back results in the order in which they are finished."""

    def __init__(self, setup: Setup, executor: Executor | None = None, workers: int = 0, helps: bool = True) -> None:
        self.setup = setup
        self.executor = executor
        self.workers = workers if executor is not None else 0
        self.helps = helps or executor is None
        self.waiting: deque[Task] = deque()
        self.running: set[Future[list[Result]]] = set()

    @property
    def is_busy(self) -> bool:
        """Whether any task is not finished or not collected."""
        return bool(self.waiting or self.running)

    def submit(self, task: Task) -> None:
        """Take a task; those of lower number are begun first."""
        self.waiting.append(task)

    def collect(self, patience: float) -> list[Result]:
        """Results finished since the last call; waits for at least one, up to `patience` seconds where others work on
        them.
        """
        try:
            self.hand_out()
            finished = {future for future in self.running if future.done()}
            if not finished and self.helps and self.waiting:
                return execute(self.setup, [self.waiting.popleft()])
            if not finished and self.running:
                finished = wait(self.running, timeout=patience, return_when=FIRST_COMPLETED).done
            self.running -= finished
            self.hand_out()
            return [result for future in finished for result in future.result()]
        except BrokenExecutor as error:
            raise WorkersError("a worker process died; the same command goes on from the journal") from error

    def hand_out(self) -> None:
        """Keep AHEAD tasks for each worker with the executor, the others here, where the manager can take them."""
        while self.executor is not None and self.waiting and len(self.running) < AHEAD * self.workers:
            self.running.add(self.executor.submit(execute, self.setup, [self.waiting.popleft()]))

    def dismiss(self) -> None:
        """Drop what nobody has begun, which is of higher numbers than all that is in work."""
        self.waiting.clear()
        self.running = {future for future in self.running if not future.cancel()}


@contextmanager
def mpi_executor() -> Iterator[tuple[Executor | None, int] | None]:
    """The other ranks of mpirun as workers.

    Yields (executor, workers) on rank 0, (None, 0) where it is alone, and None on the other ranks, when their work is
    over.
    """
    from mpi4py import MPI
    from mpi4py.futures import MPICommExecutor

    ranks = MPI.COMM_WORLD.Get_size()
    if ranks == 1:
        yield None, 0
        return
    # The default pause between two looks for messages, 1 ms, is as long as a minimisation of a dozen atoms.
    with MPICommExecutor(MPI.COMM_WORLD, root=0, backoff=1e-4) as executor:
        if executor is None:
            yield None
        else:
            yield executor, ranks - 1  # type: ignore[misc]  # mpi4py declares its own Executor


def manager_should_help(workers: int) -> bool:
    """Whether the manager minimises too: where there are few workers, and a core is left for it."""
    return workers < min(8, len(os.sched_getaffinity(0)))
