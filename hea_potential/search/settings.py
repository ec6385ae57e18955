"""What decides what a search finds, made from the words of a user."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from hea_potential.errors import InputError
from hea_potential.model_file import read_model_file
from hea_potential.search.basin_hopping import HOPS, BasinHopping
from hea_potential.search.composition import Composition
from hea_potential.search.genetic import GeneticAlgorithm, Method
from hea_potential.search.homotops import homotop_moves
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.pair import Pair
from hea_potential.search.starts import STARTS, Start
from hea_potential.search.tasks import Setup

METHODS: dict[str, Callable[[Setup], Method]] = {"ga": GeneticAlgorithm, "bh": BasinHopping}
OWN_MOVES: dict[str, Mapping[str, Move]] = {"bh": HOPS}  # of a method, besides those that are chosen
MODEL = "hea6"  # searched with where neither a model nor a pair style is given
USUAL_STARTS = ("random", "symmetric")

Operator = TypeVar("Operator")


@dataclass(frozen=True)
class Settings:
    """What decides what a search finds, besides its seed and window; see `run.search` for their meaning."""

    composition: Composition
    pair: Pair
    method: str
    limits: Limits
    starts: tuple[tuple[str, Start], ...]
    moves: tuple[tuple[str, Move], ...]

    def setup(self, seed: int, bonds: Sequence[Sequence[float]], fmax: float) -> Setup:
        """What the tasks of a run with this seed, these bond lengths and this largest force share."""
        rows = tuple(tuple(float(bond) for bond in row) for row in bonds)
        moves = (*self.moves, *OWN_MOVES.get(self.method, {}).items())
        limits = replace(self.limits, fmax=fmax)
        return Setup(self.composition, self.pair, rows, limits, self.starts, moves, seed)


def settings_of(
    composition: Composition,
    method: str,
    *,
    model: str | Path | None = None,
    pair: str | Path | Pair | None = None,
    kappa: float = 0.0,
    starts: Sequence[str] | Mapping[str, Start] = USUAL_STARTS,
    moves: Sequence[str] | Mapping[str, Move] | None = None,
    limits: Limits | None = None,
) -> Settings:
    """The settings of a search, from the words of a user as `run.search` takes them. Raises what that raises for words
    that make no sense.
    """
    style = chosen_pair(composition, model, pair, kappa)
    return Settings(
        composition,
        style,
        known_name("method", method, METHODS),
        limits or Limits(),
        chosen("start", starts, STARTS),
        chosen_moves(composition, style, moves),
    )


def chosen_pair(
    composition: Composition, model: str | Path | None, pair: str | Path | Pair | None, kappa: float
) -> Pair:
    """The pair style: LAMMPS lines if they are given, a model otherwise."""
    if pair is None:
        model = MODEL if model is None else model
        content = read_model_file(model)
        known = content.elements
        if absent := [symbol for symbol in composition.symbols if symbol not in known]:
            raise InputError(
                f"search: the model {str(model)!r} does not know {', '.join(absent)} of {composition.formula}; "
                f"allowed: {', '.join(known)}, or another pair style"
            )
        if kappa and not content.has_sigma:
            raise InputError(
                f"search: kappa {kappa} for the model {str(model)!r}, which has no uncertainty; allowed is 0"
            )
        return Pair.of_model(model, composition, kappa)
    if model is not None:
        raise InputError(
            f"search: got the model {str(model)!r} and a pair style; give one of them, a pair style names its own model"
        )
    if kappa:
        raise InputError(f"search: kappa {kappa} and a pair style; only models have a sigma")
    return pair if isinstance(pair, Pair) else Pair.of_file(Path(pair), composition)


def chosen_moves(
    composition: Composition, pair: Pair, given: Sequence[str] | Mapping[str, Move] | None
) -> tuple[tuple[str, Move], ...]:
    """The moves asked for, all by default: an alloy that is searched with a model has those for orderings as well."""
    known = {**MOVES, **homotop_moves(composition, pair)}
    return chosen("move", known if given is None else given, known)


def known_name(what: str, name: str, known: Mapping[str, object]) -> str:
    """A name, after checking that it is known."""
    if name not in known:
        raise InputError(f"search: unknown {what} {name!r}; allowed: {', '.join(known)}")
    return name


def chosen(
    what: str, given: Sequence[str] | Mapping[str, Operator], known: Mapping[str, Operator]
) -> tuple[tuple[str, Operator], ...]:
    """Starts or moves by name: names are looked up, functions of the user's own are taken as they are."""
    if isinstance(given, str):
        raise InputError(f"search: {what}s {given!r}; give a list of names, such as [{given!r}]")
    if not given:
        raise InputError(f"search: no {what} is given; allowed: {', '.join(known)}")
    if isinstance(given, Mapping):
        return tuple(given.items())
    return tuple((known_name(what, name, known), known[name]) for name in given)
