"""One unit of work, as it travels to a worker and back: make a candidate, minimise it, describe it."""

from __future__ import annotations

import pickle
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, fields, replace
from functools import cached_property, lru_cache

import numpy as np

from hea_potential.lammps_instance import one_line
from hea_potential.search.chance import generator_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, separate
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.motif import motif
from hea_potential.search.moves import Move
from hea_potential.search.pair import Pair
from hea_potential.search.point_group import point_group
from hea_potential.search.similarity import Fingerprint, fingerprint
from hea_potential.search.starts import LEAST, Start
from hea_potential.search.witness import Witness


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


@dataclass(frozen=True)
class Task:
    """Its number (from 0), the name of the start or move that makes the candidate, the parents with their identities,
    and the kind of quench, one of `minimise.QUENCHES`.
    """

    number: int
    operator: str
    parents: tuple[Cluster, ...] = ()
    parent_ids: tuple[int, ...] = ()
    quench: str = "plain"


@dataclass(frozen=True)
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


def execute(setup: Setup, tasks: Sequence[Task], witness: Witness | None = None) -> list[Result]:
    """Do tasks one after the other, in any process, before a witness if there is one. An exception becomes a result
    with the outcome `error`: a worker never fails.
    """
    results = []
    for task in tasks:
        with witness.during(task.number) if witness else nullcontext():
            results.append(execute_one(setup, task))
    return results


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


def execute_one(setup: Setup, task: Task) -> Result:
    """Do one task."""
    began = time.perf_counter()
    try:
        candidate = made(setup, task)
        quench = minimiser_of(setup)(candidate, task.quench)
        is_minimum = quench.outcome == "minimum"
        cluster = quench.cluster.ordered() if is_minimum else None
        described = fingerprint(cluster, setup.bond_lengths) if cluster is not None else None
    except (Exception, SystemExit) as error:
        message = f"{type(error).__name__}: {one_line(error)}"
        seconds = time.perf_counter() - began
        return Result(
            task.number, task.operator, task.parent_ids, "error", seconds=seconds, message=message, quench=task.quench
        )
    return Result(
        task.number,
        task.operator,
        task.parent_ids,
        quench.outcome,
        quench.energy,
        cluster,
        described,
        quench.calls,
        time.perf_counter() - began,
        quench.seconds,
        quench.message,
        task.quench,
    )


def made(setup: Setup, task: Task) -> Cluster:
    """The candidate of a task: centred, atoms in order of their types, none nearer than LEAST bonds."""
    rng = task_generator(setup.seed, task.number, 1)
    if task.parents:
        cluster = setup.move_of[task.operator].apply(rng, task.parents, setup.bond_lengths)
    else:
        cluster = setup.start_of[task.operator](rng, setup.composition, setup.bond_lengths)
    cluster = cluster.ordered()
    if not np.array_equal(cluster.types, setup.composition.types):
        raise ValueError(
            f"{task.operator} made {setup.composition.names(cluster.types)}, not {setup.composition.formula}"
        )
    if not np.isfinite(cluster.positions).all():
        raise ValueError(f"{task.operator} made positions that are not finite")
    return separate(cluster, setup.bond_lengths, LEAST)
