"""`search(...)`: from the words of a user to runs, and from the runs to their archives and files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from pathlib import Path
from typing import TypedDict, Unpack, overload

from hea_potential.errors import InputError
from hea_potential.search.archive import Archive
from hea_potential.search.budget import Budget
from hea_potential.search.composition import Composition
from hea_potential.search.database import LOWEST, SADDLES, Database, write_structures
from hea_potential.search.identity import check_same, identity_of
from hea_potential.search.journal import Journal
from hea_potential.search.loop import Books, SearchError, SeriesError, carry_out
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import Move
from hea_potential.search.pair import Pair
from hea_potential.search.plan import Plan, planned
from hea_potential.search.settings import METHODS, USUAL_STARTS, settings_of
from hea_potential.search.starts import Start
from hea_potential.search.state import Observer, Run, Stop
from hea_potential.search.witness import LONGEST, Witness
from hea_potential.search.workers import Crew, WorkersError, manager_should_help, mpi_executor

CONFIRMED = 10  # minima that are shown
LONGEST_OF_ALL = 1e9  # seconds for a task: no alarm can be set to infinitely many
Several = list[str] | list[Composition] | tuple[str | Composition, ...]


class Options(TypedDict, total=False):
    """The named arguments of `search`."""

    budget: int | str | None
    force_calls: int | None
    time: float | str | None
    target: float | None
    seed: int | None
    out: str | Path | None
    model: str | Path | None
    pair: str | Path | Pair | None
    kappa: float
    method: str
    starts: Sequence[str] | Mapping[str, Start]
    moves: Sequence[str] | Mapping[str, Move] | None
    limits: Limits | None
    window: int | None
    executor: Executor | None
    workers: int
    observers: Sequence[Observer]
    task_seconds: float
    confirm: int


@overload
def search(composition: str | Composition, **options: Unpack[Options]) -> Archive | None: ...


@overload
def search(composition: Several, **options: Unpack[Options]) -> dict[str, Archive] | None: ...


@overload
def search(
    composition: str | Composition | Several, **options: Unpack[Options]
) -> Archive | dict[str, Archive] | None: ...


def search(
    composition: str | Composition | Several,
    *,
    budget: int | str | None = None,
    force_calls: int | None = None,
    time: float | str | None = None,
    target: float | None = None,
    seed: int | None = None,
    out: str | Path | None = None,
    model: str | Path | None = None,
    pair: str | Path | Pair | None = None,
    kappa: float = 0.0,
    method: str = "ga",
    starts: Sequence[str] | Mapping[str, Start] = USUAL_STARTS,
    moves: Sequence[str] | Mapping[str, Move] | None = None,
    limits: Limits | None = None,
    window: int | None = None,
    executor: Executor | None = None,
    workers: int = 1,
    observers: Sequence[Observer] = (),
    task_seconds: float = LONGEST,
    confirm: int = CONFIRMED,
) -> Archive | dict[str, Archive] | None:
    """Search for clusters of low energy; returns the archive of distinct minima, or None on the ranks of mpirun other
    than 0.

    composition: a formula such as "Cu10Ni10", or several of them in a list, as `ratios.all_ratios` makes it: they are
    searched in turn, each with its whole budget and with the run's folder `out`/FORMULA, and archives are returned by
    formula. A search ends when `budget` minimisations or `force_calls` are done (in all, with those of earlier calls in
    the same folder), after `time` seconds of this call, or at the energy `target`; at least one must be given. `budget`
    may also be "100000calls" or "10min" in all, see `Budget.parse`. seed: random by default. out: the run's folder,
    where an interrupted run of the same search is continued (None: nothing is written). model: name or path for
    `pair_style hea`, by default hea6; or pair: a file of LAMMPS lines for any other pair style, see `Pair.of_file`.
    kappa: minimises E - kappa sigma of the model instead of E: above zero the lowest are low in energy or unknown, as
    active learning wants them; those with a sigma above `limits.unknown` are refused all the same.
    method: a name of `METHODS`. starts, moves: names, or functions of your own by name (module-level ones, so that they
    travel to workers); by default all moves, with those of `homotops` for an alloy and `pair_style hea`. limits: of one
    minimisation. window: tasks that may be under way at once, besides slow ones (`Move.lag`), by default 16, or 8 a
    rank where there are more than four; what a seed finds depends on it. executor: with the number of its `workers`,
    instead of the ranks of mpirun. observers: called with the `Run` after every change. task_seconds: what is in the
    same task for longer hangs, and its process is ended; like a task that crashes its process, it is not done again
    when the run is continued (only with `out`). confirm: when the search ends, so many of the lowest minima are
    checked, and saddles, from which the energy falls, are left out of `Archive.lowest`; one that lies below all minima
    stays and has `Minimum.falls_to` (see `saddles`). Journal and database hold all of them. How far that came is in the
    `check` of the `Run` that observers get: it ends early two seconds after a limit of time, after as many force calls
    as the search took, and where LAMMPS fails; there is none above 500 atoms. 0: no check.

    Raises InputError, PairError, RunFolderError, OutputError, WorkersError, SearchError: all of them are HEAError.
    Where some of several searches cannot go on, the others are done first; what all found is in the SeriesError.
    """

    def manage(executor: Executor | None, workers: int) -> Archive | dict[str, Archive]:
        if not 0.0 < task_seconds <= LONGEST_OF_ALL:
            raise InputError(
                f"search: {task_seconds} seconds for a task; it must be positive, and at most {LONGEST_OF_ALL:g}"
            )
        if confirm < 0:
            raise InputError(f"search: {confirm} minima to confirm; it must not be negative")
        stop = Stop.of(Budget.parse(budget, force_calls, time), target)
        single = isinstance(composition, str | Composition)
        wholes = distinct([composition] if isinstance(composition, str | Composition) else composition)
        settings = [
            settings_of(
                whole,
                method,
                model=model,
                pair=pair,
                kappa=kappa,
                starts=starts,
                moves=moves,
                limits=limits,
            )
            for whole in wholes
        ]
        helps = executor is None or manager_should_help(workers)
        ranks = workers + helps if executor is not None else 1
        plans = planned(settings, stop, seed, window, None if out is None else Path(out), ranks, own_folders=not single)
        runs = {}
        for number, plan in enumerate(plans, start=1):
            crew = Crew(plan.setup, executor, workers, helps, plan.window)
            witness = None if plan.folder is None else Witness(plan.folder, task_seconds)
            runs[plan.formula] = carried(plan, stop, crew, witness, ranks, observers, confirm, (number, len(plans)))
        archives = {formula: run.archive for formula, run in runs.items()}
        failures = {formula: run.failure for formula, run in runs.items() if run.failure}
        if not failures:
            return archives[plans[0].formula] if single else archives
        raise SearchError(failures[plans[0].formula]) if single else SeriesError(failures, archives)

    if executor is not None:
        return manage(executor, workers)
    with mpi_executor() as rank_0:
        return manage(*rank_0) if rank_0 is not None else None


def distinct(compositions: Sequence[str | Composition]) -> list[Composition]:
    """Compositions, after checking that there is one and none is given twice, in whatever order of its elements."""
    wholes = [c if isinstance(c, Composition) else Composition.parse(c) for c in compositions]
    if not wholes:
        raise InputError(
            "search: no composition is given; write element symbols and numbers of atoms, such as Cu10Ni10"
        )
    seen: dict[frozenset[tuple[str, int]], Composition] = {}
    for whole in wholes:
        content = frozenset(zip(whole.symbols, whole.counts, strict=True))
        if content in seen:
            raise InputError(f"search: {whole.formula} is the composition {seen[content].formula} once more")
        seen[content] = whole
    return wholes


def carried(
    plan: Plan,
    stop: Stop,
    crew: Crew,
    witness: Witness | None,
    ranks: int,
    observers: Sequence[Observer],
    confirm: int,
    place: tuple[int, int],
) -> Run:
    """Begin or continue a run, carry it out and write its files."""
    setup, folder = plan.setup, plan.folder
    journal = Journal(folder) if folder is not None else None
    books = Books(journal)
    try:
        if journal is not None and folder is not None and witness is not None:
            identity = identity_of(setup, plan.method, plan.window)
            ours = journal.header is not None
            if not ours:
                journal.begin(identity)
            check_same(folder, journal.header or {}, identity)
            journal.give_up(witness.crashed())
            crew.beware(witness, journal.crashed)
            books.database = Database(folder, setup.composition, setup.seed, setup.pair.kappa, ours)
        archive = Archive(setup.composition, setup.bond_lengths, setup.pair.energy_unit, folder)
        run = Run(setup, stop, METHODS[plan.method](setup), archive, ranks, place)
        with crew:
            carry_out(run, crew, books, plan.window, observers, confirm)
        if folder is not None:
            write_found(folder, archive, setup.pair.kappa)
    except WorkersError:
        if journal is not None and witness is not None:
            journal.give_up(witness.crashed())  # of ranks of mpirun, which end together, who continues learns it
        raise
    finally:
        if witness is not None:
            witness.leave()
        books.close()
    return run


def write_found(folder: Path, archive: Archive, kappa: float) -> None:
    """Write the lowest minima, and the saddles that are not among them; there is no file of none."""
    for name, minima in ((LOWEST, archive.lowest(CONFIRMED)), (SADDLES, archive.saddles)):
        if minima:
            write_structures(folder / name, minima, archive, kappa)
        else:
            (folder / name).unlink(missing_ok=True)
