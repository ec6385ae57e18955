"""One unit of work, as it travels to a worker and back: make a candidate, minimise it, describe it."""

from __future__ import annotations

import pickle
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache, partial
from typing import NamedTuple

import numpy as np

from hea_potential import clusters
from hea_potential.clusters import Fingerprint
from hea_potential.lammps_instance import one_line
from hea_potential.search.chance import generator_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.minimise import Limits, Minimiser, Quench
from hea_potential.search.motif import motif
from hea_potential.search.moves import Move
from hea_potential.search.pair import Pair
from hea_potential.search.point_group import point_group
from hea_potential.search.similarity import centred_and_described
from hea_potential.search.starts import LEAST, Start
from hea_potential.search.witness import Witness, unnoted

# The instance of LAMMPS, the engine's scans and the note of a process serve one task at a time, whatever its threads.
IN_TASK = threading.RLock()


@dataclass(frozen=True)
class Setup:
    """What all tasks of a run share. It is hashable: a worker keeps the minimiser of the last one it saw.

    It travels with every task, so it is pickled once and read once, whatever the number of tasks.
    """

    composition: Composition
    pair: Pair
    bonds: tuple[tuple[float, ...], ...]
    limits: Limits
    starts: tuple[tuple[str, Start], ...]
    moves: tuple[tuple[str, Move], ...]
    seed: int

    @cached_property
    def bond_lengths(self) -> Floats:
        """Bond length of every two types, shape (S, S); read-only."""
        lengths = np.array(self.bonds)
        lengths.flags.writeable = False
        return lengths

    @cached_property
    def start_of(self) -> dict[str, Start]:
        """Starts by name."""
        return dict(self.starts)

    @cached_property
    def move_of(self) -> dict[str, Move]:
        """Moves by name."""
        return dict(self.moves)

    @cached_property
    def fitting_moves(self) -> dict[str, Move]:
        """Moves by name for which the composition has atoms and elements enough."""
        size, kinds = self.composition.size, len(self.composition.symbols)
        return {name: move for name, move in self.moves if move.atoms <= size and move.elements <= kinds}

    @cached_property
    def digest(self) -> int:
        """Its hash, which is asked for with every task."""
        return hash((self.composition, self.pair, self.bonds, self.limits, self.seed))

    def __hash__(self) -> int:
        return self.digest

    @cached_property
    def sealed(self) -> bytes:
        """All of it, as it travels."""
        return pickle.dumps(tuple(getattr(self, each.name) for each in fields(self)))

    def __reduce__(self) -> tuple[Callable[[bytes], Setup], tuple[bytes]]:
        return unsealed, (self.sealed,)


@lru_cache(maxsize=4)
def unsealed(content: bytes) -> Setup:
    """The setup that travelled."""
    return Setup(*pickle.loads(content))


class Task(NamedTuple):
    """Its number (from 0), the name of the start or move that makes the candidate, the parents with their identities,
    and the kind of quench, one of `minimise.QUENCHES`.
    """

    number: int
    operator: str
    parents: tuple[Cluster, ...] = ()
    parent_ids: tuple[int, ...] = ()
    quench: str = "plain"


@dataclass(slots=True)
class Result:
    """What came of a task. `cluster` and `fingerprint` are given when the outcome is `minimum`; `motif` and
    `point_group`, if it is known what they are, only then.
    """

    number: int
    operator: str
    parent_ids: tuple[int, ...]
    outcome: str
    energy: float = np.nan
    cluster: Cluster | None = None
    fingerprint: Fingerprint | None = field(default=None, repr=False)
    calls: int = 0
    seconds: float = 0.0
    quench_seconds: float = 0.0
    message: str = ""
    quench: str = "plain"
    motif: str = ""
    point_group: str = ""


def task_generator(seed: int, number: int, stream: int) -> np.random.Generator:
    """The random numbers of one task: stream 0 chooses it, 1 makes its candidate, 2 decides what becomes of its result.
    No two tasks share any.
    """
    return generator_of(seed, number, stream)


@lru_cache(maxsize=1)
def minimiser_of(setup: Setup) -> Minimiser:
    """The minimiser of this process, kept from task to task because it costs more to start LAMMPS than to minimise."""
    return Minimiser(setup.composition, setup.pair, setup.bond_lengths, setup.limits)


@dataclass(slots=True)
class Job:
    """A task in work: how far it has come, and the seconds that it took."""

    task: Task
    candidate: Cluster | None = None
    quench: Quench | None = None
    result: Result | None = None
    seconds: float = 0.0


def execute(setup: Setup, tasks: Sequence[Task], witness: Witness | None = None) -> list[Result]:
    """Do tasks in any process, before a witness if there is one. An exception becomes a result with the outcome
    `error`: a worker never fails.

    All candidates are made before any is minimised: each step is quicker if it is done several times in turn, because
    processors keep what they have just used.
    """
    jobs = [Job(task) for task in tasks]
    with IN_TASK, witness.watching() if witness else nullcontext(unnoted) as note:
        for step in (partial(make, setup), partial(minimise, minimiser_of(setup)), partial(describe, setup)):
            carry_on([job for job in jobs if job.result is None], step, note)
    return [job.result for job in jobs if job.result is not None]


def carry_on(jobs: Sequence[Job], step: Callable[[Job], None], note: Callable[[int, float], None]) -> None:
    """Do one step of some jobs, each after its number is noted."""
    now = time.perf_counter()
    for job in jobs:
        note(job.task.number, now)
        try:
            step(job)
        except (Exception, SystemExit) as error:
            job.result = failed(job.task, error)
        began, now = now, time.perf_counter()
        job.seconds += now - began
        if job.result is not None:
            job.result.seconds = job.seconds


def failed(task: Task, error: BaseException) -> Result:
    """The result of a task that ended in an exception."""
    message = f"{type(error).__name__}: {one_line(error)}"
    return Result(task.number, task.operator, task.parent_ids, "error", message=message, quench=task.quench)


def make(setup: Setup, job: Job) -> None:
    """Make the candidate."""
    job.candidate = made(setup, job.task)


def minimise(minimiser: Minimiser, job: Job) -> None:
    """Minimise it."""
    assert job.candidate is not None
    job.quench = minimiser(job.candidate, job.task.quench)


def describe(setup: Setup, job: Job) -> None:
    """Say what came of it."""
    task, quench = job.task, job.quench
    assert quench is not None
    job.result = Result(
        task.number,
        task.operator,
        task.parent_ids,
        quench.outcome,
        quench.energy,
        calls=quench.calls,
        quench_seconds=quench.seconds,
        message=quench.message,
        quench=task.quench,
    )
    if quench.outcome == "minimum":
        job.result.cluster, job.result.fingerprint = centred_and_described(quench.cluster, setup.bond_lengths)


def execute_afar(setup: Setup, tasks: Sequence[Task], witness: Witness | None = None) -> list[Result]:
    """Do tasks for a manager that has many workers: minima come with their motifs and point groups, although only those
    of new minima are wanted, so that the manager has less to do.
    """
    bonds = setup.bond_lengths
    return [
        replace(result, motif=motif(result.cluster, bonds), point_group=point_group(result.cluster, bonds))
        if result.cluster is not None
        else result
        for result in execute(setup, tasks, witness)
    ]


def made(setup: Setup, task: Task) -> Cluster:
    """The candidate of a task: centred, atoms in order of their types, none nearer than LEAST bonds."""
    rng = task_generator(setup.seed, task.number, 1)
    if task.parents:
        for parent in task.parents:  # whoever does the task, a move of the user's own must not change them
            parent.types.setflags(write=False)
            parent.positions.setflags(write=False)
        cluster = setup.move_of[task.operator].apply(rng, task.parents, setup.bond_lengths)
    else:
        cluster = setup.start_of[task.operator](rng, setup.composition, setup.bond_lengths)
    types = setup.composition.types
    positions = clusters.candidate(cluster.types, cluster.positions, types, setup.bond_lengths, LEAST)
    if positions is not None:
        return Cluster(types, positions)
    if not np.array_equal(np.sort(cluster.types), types):
        raise ValueError(
            f"{task.operator} made {setup.composition.names(cluster.types)}, not {setup.composition.formula}"
        )
    raise ValueError(f"{task.operator} made positions that are not finite")
