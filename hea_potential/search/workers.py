"""Who does the tasks: the workers of any `concurrent.futures.Executor`, the calling process, or both."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import BrokenExecutor, Executor, Future, wait
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from types import TracebackType

from hea_potential.errors import HEAError
from hea_potential.lammps_instance import one_line
from hea_potential.search.tasks import Result, Setup, Task, execute, execute_afar
from hea_potential.search.witness import Witness, epitaph

# Tasks handed to the executor per worker: one in work, one waiting, so that no worker idles while the manager is busy;
# and more where the manager has tasks of its own, which may take longer than those of a worker. A manager that helps
# hands over all tasks where they take so long that to take one back is nothing beside it.
AHEAD = 2
AHEAD_OF_HELP = 4
# Seconds of tasks that a process does at a time, before it looks at their results or sends them.
SPELL = 0.02
LONG = 0.01  # seconds in the mean from which tasks are long
# Of the tasks that may be under way a message to a worker holds at most this share of what there is for each process:
# they wait for it, and, because results are absorbed in turn, others may wait for them.
SHARES = 3
KEPT = "the same command goes on from the journal"
DIED = f"a worker process died; {KEPT}"


class WorkersError(HEAError):
    """The workers died or cannot do the tasks; what they had found is in the journal."""


@dataclass
class Pace:
    """Seconds of tasks."""

    seconds: float = 0.0
    tasks: int = 0

    def enter(self, seconds: float) -> None:
        """Count a task."""
        self.seconds += seconds
        self.tasks += 1

    @property
    def mean(self) -> float:
        """Of those counted, 0 before there is one."""
        return self.seconds / max(self.tasks, 1)


class Crew:
    """Takes tasks and gives back results in the order in which they are finished."""

    def __init__(
        self, setup: Setup, executor: Executor | None = None, workers: int = 0, helps: bool = True, window: int = 1
    ) -> None:
        """At most `window` tasks are under way at once, besides slow ones."""
        self.setup = setup
        self.executor = executor
        self.workers = workers if executor is not None else 0
        self.helps = helps or executor is None
        self.share = window // (SHARES * (self.workers + 1))
        self.pace = SPELL  # seconds of a task, from those that were done last
        self.paces: dict[str, Pace] = {}  # and the mean of all, by what made the candidate
        self.usual_pace = Pace()
        self.witness: Witness | None = None
        self.crashed: Mapping[int, str] = {}
        self.given_up: list[Result] = []
        self.waiting: deque[Task] = deque()
        self.running: dict[Future[list[Result]], list[Task]] = {}
        self.away = 0  # tasks of those in all
        # Futures put themselves here when they are done: to look at each that is running would take the longer, the
        # more workers there are.
        self.finished: SimpleQueue[Future[list[Result]]] = SimpleQueue()

    @property
    def is_busy(self) -> bool:
        """Whether any task is not finished or not collected."""
        return bool(self.given_up or self.waiting or self.running)

    def beware(self, witness: Witness, crashed: Mapping[int, str]) -> None:
        """Work before a witness, and leave out tasks that killed their process in an earlier call."""
        self.witness = witness
        self.crashed = crashed

    def submit(self, task: Task) -> None:
        """Take a task; those of lower number are begun first."""
        if task.number in self.crashed:
            message = self.crashed[task.number]
            self.given_up.append(
                Result(task.number, task.operator, task.parent_ids, "crashed", message=message, quench=task.quench)
            )
        else:
            self.waiting.append(task)

    def collect(self, patience: float) -> list[Result]:
        """Results finished since the last call; waits for at least one, up to `patience` seconds where others work on
        them.
        """
        self.hand_out()
        results, self.given_up = self.given_up, []
        # What waits behind short tasks will be done sooner than it is taken back.
        results += self.arrived(0.0 if self.waiting or self.tasks_are_long else min(SPELL, patience))
        if not results and self.helps:
            if not self.waiting:
                self.take_back()
            if self.waiting:
                return self.own_results()
        results = results or self.arrived(patience)
        self.learn(results)
        self.hand_out()
        return results

    def arrived(self, patience: float) -> list[Result]:
        """What others have finished; waits so many seconds for the first."""
        results: list[Result] = []
        with suppress(Empty):
            while self.running:
                future = self.finished.get(timeout=0.0 if results else patience)
                self.away -= len(self.running.pop(future))
                results += results_of(future)
        return results

    def own_results(self) -> list[Result]:
        """Results of tasks done here: of one where workers may soon want more; where there are none, of a spell."""
        count = 1 if self.executor is not None else self.spell
        results = execute(self.setup, self.next_tasks(count), self.witness)
        self.learn(results)
        return results

    def take_back(self) -> None:
        """Have a task here that no worker has begun; rather one that does not take long, because no results are
        collected meanwhile.
        """
        for future in sorted(self.running, key=self.takes_long):
            tasks = self.running[future]
            if tasks and future.cancel():
                self.waiting.extend(tasks)
                self.away -= len(tasks)
                self.running[future] = []
                return

    def takes_long(self, future: Future[list[Result]]) -> bool:
        """Whether tasks that a worker shall do take longer than others, as far as is known."""
        known = [self.paces[task.operator] for task in self.running[future] if task.operator in self.paces]
        return any(pace.mean > self.usual_pace.mean for pace in known)

    def hand_out(self) -> None:
        """Keep some tasks for each worker with the executor, the others here, where the manager can take them."""
        if self.executor is None:
            return
        count = max(1, min(self.spell, self.share))
        ahead = max(AHEAD_OF_HELP if self.helps else AHEAD, 2 * count) * self.workers
        hands_over_all = self.helps and self.tasks_are_long
        while self.waiting and (self.away < ahead or hands_over_all):
            tasks = self.next_tasks(count)
            try:
                future = self.executor.submit(execute_afar, self.setup, tasks, self.witness)
            except BrokenExecutor as error:
                raise WorkersError(DIED) from error
            self.running[future] = tasks
            self.away += len(tasks)
            future.add_done_callback(self.finished.put)

    def next_tasks(self, count: int) -> list[Task]:
        """At most so many of those that wait."""
        return [self.waiting.popleft() for _ in range(min(count, len(self.waiting)))]

    @property
    def tasks_are_long(self) -> bool:
        """Whether to hand over a task, or to take it back, is nothing beside it."""
        return self.usual_pace.mean > LONG

    @property
    def spell(self) -> int:
        """How many tasks a spell has room for, if they take as long as the last ones did."""
        return max(1, int(SPELL / self.pace))

    def learn(self, results: list[Result]) -> None:
        """Take the time of tasks from results. It shrinks to half of what it was at most: few that failed at once must
        not let many follow that take long, for none counts before all are done.
        """
        if results:
            seconds = sum(result.seconds for result in results) / len(results)
            self.pace = max(seconds, 0.5 * self.pace, 1e-6)
        if self.workers:
            for result in results:
                self.paces.setdefault(result.operator, Pace()).enter(result.seconds)
                self.usual_pace.enter(result.seconds)

    def dismiss(self) -> None:
        """Drop what nobody has begun, which is of higher numbers than all that is in work."""
        self.waiting.clear()
        for future in self.running:
            future.cancel()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until nobody is in a task any more."""
        self.dismiss()
        wait(self.running)


def results_of(future: Future[list[Result]]) -> list[Result]:
    """The results that a worker sent; none if the task was cancelled. Raises WorkersError."""
    if future.cancelled():
        return []
    error = future.exception()
    if isinstance(error, BrokenExecutor):
        raise WorkersError(DIED) from error
    if error is not None:
        raise WorkersError(
            f"a worker cannot do its tasks: {type(error).__name__}: {one_line(error)}; starts and moves of your own "
            f"must be functions of a module that workers can import"
        ) from error
    return future.result()


@contextmanager
def mpi_executor(work: str = "the search", kept: str = KEPT) -> Iterator[tuple[Executor | None, int] | None]:
    """The other ranks of mpirun as workers. If one dies, what is said tells `work` and what is `kept` of it.

    Yields (executor, workers) on rank 0, (None, 0) where it is alone, and None on the other ranks, when their work is
    over.
    """
    from mpi4py import MPI
    from mpi4py.futures import MPICommExecutor

    ranks = MPI.COMM_WORLD.Get_size()
    if ranks == 1:
        yield None, 0
        return
    # Between two looks for messages a rank pauses, each time in vain for twice as long, up to this. A manager of many
    # must be quick; one that works too may be slower, for its looks take time from its own tasks, but a worker that
    # waits for it does nothing. Idle workers must not take others' time.
    pause = "2e-4" if manager_should_help(ranks - 1) else "1e-4"
    os.environ["MPI4PY_FUTURES_BACKOFF"] = pause if MPI.COMM_WORLD.Get_rank() == 0 else "1e-3"
    with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
        if executor is None:
            yield None
            return
        with epitaph(f"hea: error: mpirun ended {work}, because one of its {ranks} ranks died; {kept}"):
            yield executor, ranks - 1  # type: ignore[misc]  # mpi4py declares its own Executor


def manager_should_help(workers: int) -> bool:
    """Whether the manager minimises too: where there are few workers, and a core is left for it."""
    return workers < min(8, len(os.sched_getaffinity(0)))
