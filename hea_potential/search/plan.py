"""What a call of `search` is about to do, checked as a whole before any of it is begun."""

from __future__ import annotations

import operator
import secrets
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hea_potential.errors import InputError
from hea_potential.search.bonds import bonds_of
from hea_potential.search.database import NAME as DATABASE
from hea_potential.search.identity import check_same, identity_of
from hea_potential.search.journal import NAME, Journal, RunFolderError
from hea_potential.search.minimise import usual_force
from hea_potential.search.settings import Settings
from hea_potential.search.state import Stop
from hea_potential.search.tasks import Setup

LEAST_WINDOW = 16
FEW_RANKS = 4  # have the least window, so that they all find the same
# Results wait for those before them, and with them what would be proposed next. Where the longest takes 7 times the
# mean, 8 tasks a rank keep 99 % of the ranks at work, 4 only 60 %. For what takes longer there is `Move.lag`.
WINDOW_PER_RANK = 8
MOST_WINDOW = 100_000  # tasks that are proposed at once, before any is begun: seconds; enough for 12,500 ranks


@dataclass(frozen=True)
class Plan:
    """A run that can be begun or continued: its setup, method and window, and its folder (None: nothing is written)."""

    setup: Setup
    method: str
    window: int
    folder: Path | None

    @property
    def formula(self) -> str:
        """The composition that is searched."""
        return self.setup.composition.formula


def planned(
    settings: Sequence[Settings],
    stop: Stop,
    seed: int | None,
    window: int | None,
    out: Path | None,
    ranks: int,
    own_folders: bool,
) -> list[Plan]:
    """The runs of one call, in the folder `out` or each in a folder of its own below it.

    Raises InputError for a seed, window or number of ranks that makes no sense, RunFolderError where a folder holds
    another search, PairError where LAMMPS refuses the pair style of any composition.
    """
    window, seed = whole("window", window), whole("seed", seed)
    if window is not None and not 1 <= window <= MOST_WINDOW:
        raise InputError(f"search: window of {window} tasks; allowed: 1 to {MOST_WINDOW}")
    if seed is not None and seed < 0:
        raise InputError(f"search: seed {seed}; it must not be negative")
    outer = header_of(out)  # a journal is read whole, and may be long
    if own_folders and outer is not None:
        raise RunFolderError(
            f"run folder {str(out)!r} holds the search of one composition; several need a folder of their own"
        )
    if not own_folders and out is not None and outer is None and any(out.glob(f"*/{NAME}")):
        raise RunFolderError(
            f"run folder {str(out)!r} holds folders of other searches; give this one a folder of its own"
        )
    plans = []
    for each in settings:
        folder = out / each.composition.formula if out is not None and own_folders else out
        header = header_of(folder) if own_folders else outer
        if header is None:
            plan = begun(each, folder, seed, window or default_window(ranks))
        else:
            plan = continued(each, folder, header, seed, window)
        check_work(ranks, plan, stop)
        plans.append(plan)
    return plans


def whole(what: str, number: int | None) -> int | None:
    """A whole number of Python, which a journal can hold, for one of whatever kind."""
    try:
        return None if number is None else operator.index(number)
    except TypeError as error:
        raise InputError(f"search: {what} {number!r}; it must be a whole number") from error


def header_of(folder: Path | None) -> dict[str, Any] | None:
    """The first line of the journal in a folder, None if there is none."""
    if folder is None or not (folder / NAME).exists():
        return None
    with closing(Journal(folder)) as journal:
        return journal.header


def begun(settings: Settings, folder: Path | None, seed: int | None, window: int) -> Plan:
    """The plan of a new run. Raises RunFolderError where it would take a database of others for its own: what this has
    besides the run's minima would be deleted.
    """
    if folder is not None and is_filled(folder / DATABASE):
        raise RunFolderError(
            f"{folder / DATABASE}: has no journal beside it, or one whose first line is missing, so it is not known "
            f"whose minima it holds; it is left as it is: choose another folder"
        )
    seed = secrets.randbits(32) if seed is None else seed
    symbols, pair, fmax = settings.composition.symbols, settings.pair, settings.limits.fmax
    setup = settings.setup(seed, bonds_of(symbols, pair), usual_force(symbols, pair) if fmax is None else fmax)
    return Plan(setup, settings.method, window, folder)


def is_filled(path: Path) -> bool:
    """Whether there is a file that holds anything."""
    return path.exists() and path.stat().st_size > 0


def default_window(ranks: int) -> int:
    """How many tasks may be under way at once."""
    return LEAST_WINDOW if ranks <= FEW_RANKS else min(WINDOW_PER_RANK * ranks, MOST_WINDOW)


def continued(
    settings: Settings, folder: Path | None, header: dict[str, Any], seed: int | None, window: int | None
) -> Plan:
    """The plan of the run that a folder holds, after checking that it is the one asked for. What was not asked for is
    as it was: another version may have begun the run with another largest force.
    """
    assert folder is not None
    fmax = settings.limits.fmax
    setup = settings.setup(header["seed"], header["bonds"], header["limits"]["fmax"] if fmax is None else fmax)
    wanted = identity_of(setup, settings.method, window or header["window"])
    if seed is not None:
        wanted["seed"] = seed
    check_same(folder, header, wanted)
    return Plan(setup, settings.method, header["window"], folder)


def check_work(ranks: int, plan: Plan, stop: Stop) -> None:
    """Raise InputError if more ranks would work than there are minimisations, or than may be under way at once."""
    if stop.budget is not None and ranks > stop.budget:
        raise InputError(
            f"search: {ranks} working ranks for a budget of {stop.budget} minimisation{'s' * (stop.budget > 1)}; "
            f"use fewer ranks"
        )
    if ranks > plan.window:
        raise InputError(
            f"search: {ranks} working ranks for a window of {plan.window} tasks under way at once; use fewer ranks, or "
            f"begin a run with a larger window"
        )
