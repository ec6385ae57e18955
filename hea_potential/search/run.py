"""`search(...)`: from the words of a user to a run, and from the run to its archive and files."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from hea_potential.errors import InputError
from hea_potential.search.archive import Archive
from hea_potential.search.bonds import probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.database import Database, write_structures
from hea_potential.search.genetic import GeneticAlgorithm, Method
from hea_potential.search.identity import check_same, identity_of
from hea_potential.search.journal import Journal
from hea_potential.search.loop import Books, carry_out
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.pair import Pair
from hea_potential.search.starts import STARTS, Start
from hea_potential.search.state import Observer, Run, Stop
from hea_potential.search.tasks import Setup
from hea_potential.search.workers import Crew, manager_should_help, mpi_executor

METHODS: dict[str, Callable[[Setup], Method]] = {"ga": GeneticAlgorithm}
LEAST_WINDOW = 16
WINDOW_PER_RANK = (
    4  # so that a slow minimisation, for which all results after it wait, seldom leaves a rank without work
)

Operator = TypeVar("Operator")


@dataclass(frozen=True)
class Settings:
    """What decides what a search finds, besides its seed and window; see `search` for their meaning."""

    composition: Composition
    pair: Pair
    method: str
    limits: Limits
    starts: tuple[tuple[str, Start], ...]
    moves: tuple[tuple[str, Move], ...]

    def setup(self, seed: int, bonds: Sequence[Sequence[float]]) -> Setup:
        """What the tasks of a run with this seed and these bond lengths share."""
        rows = tuple(tuple(float(bond) for bond in row) for row in bonds)
        return Setup(self.composition, self.pair, rows, self.limits, self.starts, self.moves, seed)


def search(
    composition: str | Composition,
    *,
    budget: int | None = None,
    seconds: float | None = None,
    target: float | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    model: str | Path = "hea6",
    pair: str | Path | Pair | None = None,
    method: str = "ga",
    starts: Sequence[str] | Mapping[str, Start] = ("random",),
    moves: Sequence[str] | Mapping[str, Move] = tuple(MOVES),
    limits: Limits | None = None,
    window: int | None = None,
    executor: Executor | None = None,
    workers: int = 1,
    observers: Sequence[Observer] = (),
) -> Archive | None:
    """Search for clusters of low energy; returns the archive of distinct minima, or None on the ranks of mpirun other
    than 0.

    composition: a formula such as "Cu10Ni10". It ends when `budget` minimisations are done (in all, with those of
    earlier calls in the same folder), after `seconds`, or at the energy `target`; at least one must be given. seed:
    random by default. out: the run's folder, where an interrupted run of the same search is continued (None: nothing
    is written). model: name or path for `pair_style hea`; or pair: a file of LAMMPS lines for any other pair style,
    see `Pair.of_file`. method: "ga". starts, moves: names, or functions of your own by name (module-level ones, so
    that they travel to workers). limits: of one minimisation. window: tasks that may be under way at once, by default
    16, or 4 a rank where there are more than four; what a seed finds depends on it. executor: with the number of its
    `workers`, instead of the ranks of mpirun. observers: called with the `Run` after every change.

    Raises InputError, PairError, RunFolderError, OutputError, WorkersError, SearchError: all of them are HEAError.
    """

    def manage(executor: Executor | None, workers: int) -> Archive:
        whole = composition if isinstance(composition, Composition) else Composition.parse(composition)
        stop = Stop(budget, seconds, target)
        settings = Settings(
            whole,
            chosen_pair(whole, model, pair),
            one_of("method", method, METHODS),
            limits or Limits(),
            chosen("start", starts, STARTS),
            chosen("move", moves, MOVES),
        )
        return managed(
            settings,
            stop,
            seed=seed,
            window=window,
            folder=None if out is None else Path(out),
            executor=executor,
            workers=workers,
            observers=observers,
        )

    if executor is not None:
        return manage(executor, workers)
    with mpi_executor() as ranks:
        return manage(*ranks) if ranks is not None else None


def managed(
    settings: Settings,
    stop: Stop,
    *,
    seed: int | None,
    window: int | None,
    folder: Path | None,
    executor: Executor | None,
    workers: int,
    observers: Sequence[Observer],
) -> Archive:
    """Begin or continue a run, carry it out and write its files."""
    if window is not None and window < 1:
        raise InputError(f"search: window of {window} tasks; at least 1")
    if seed is not None and seed < 0:
        raise InputError(f"search: seed {seed}; it must not be negative")
    helps = executor is None or manager_should_help(workers)
    ranks = workers + helps if executor is not None else 1
    journal = Journal(folder) if folder is not None else None
    books = Books(journal)
    try:
        header = journal.header if journal is not None else None
        if header is not None and folder is not None:
            setup, window = continued(settings, header, folder, seed, window)
        else:
            seed = secrets.randbits(32) if seed is None else seed
            window = window or max(LEAST_WINDOW, WINDOW_PER_RANK * ranks)
            setup = settings.setup(seed, probe_bonds(settings.composition, settings.pair).tolist())
            if journal is not None:
                journal.begin(identity_of(setup, settings.method, window))
        if folder is not None:
            books.database = Database(folder, settings.composition, setup.seed)
        archive = Archive(settings.composition, settings.pair.energy_unit, folder)
        run = Run(setup, stop, METHODS[settings.method](setup), archive, ranks)
        carry_out(run, Crew(setup, executor, workers, helps), books, window, observers)
        if folder is not None and len(archive):
            write_structures(folder / "lowest.extxyz", archive.lowest(10), archive)
    finally:
        books.close()
    return archive


def continued(
    settings: Settings, header: dict[str, Any], folder: Path, seed: int | None, window: int | None
) -> tuple[Setup, int]:
    """Setup and window of the run that a folder holds, after checking that it is the one asked for."""
    setup = settings.setup(header["seed"], header["bonds"])
    wanted = identity_of(setup, settings.method, window or header["window"])
    if seed is not None:
        wanted["seed"] = seed
    check_same(folder, header, wanted)
    return setup, header["window"]


def chosen_pair(composition: Composition, model: str | Path, pair: str | Path | Pair | None) -> Pair:
    """The pair style: LAMMPS lines if they are given, a model otherwise."""
    if isinstance(pair, Pair):
        return pair
    if pair is not None:
        return Pair.of_file(Path(pair), composition)
    return Pair.of_model(model, composition)


def one_of(what: str, name: str, known: Mapping[str, object]) -> str:
    """A name, after checking that it is known."""
    if name not in known:
        raise InputError(f"search: unknown {what} {name!r}; allowed: {', '.join(known)}")
    return name


def chosen(
    what: str, given: Sequence[str] | Mapping[str, Operator], known: Mapping[str, Operator]
) -> tuple[tuple[str, Operator], ...]:
    """Starts or moves by name: names are looked up, functions of the user's own are taken as they are."""
    if isinstance(given, Mapping):
        return tuple(given.items())
    if not given:
        raise InputError(f"search: no {what} is given; allowed: {', '.join(known)}")
    return tuple((one_of(what, name, known), known[name]) for name in given)
