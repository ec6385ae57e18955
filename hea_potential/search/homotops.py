"""Moves that find good orderings by the engine's exchange scan: for searches of alloys with `pair_style hea`.

They hold the path of the model and the elements alone, so that they travel to workers; each process builds the engine's
scan once. The quench that follows every move relaxes what the new ordering strains; `Reorder` and `Transfer` leave all
of that to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from hea_potential import clusters
from hea_potential.engine import ExchangeScan, Model, ModelError, Potential
from hea_potential.errors import InputError, ModelFileError
from hea_potential.model_file import find_model
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats, Integers
from hea_potential.search.learnt_orderings import learnt
from hea_potential.search.moves import Move
from hea_potential.search.orderings import descend
from hea_potential.search.pair import Pair
from hea_potential.search.relaxed_swaps import settled
from hea_potential.search.sites import matched_sites

MATCHING = 300  # force calls of 38 atoms that last as long as `Transfer` does
# Elements on sites for each window by which learnt orderings may come late. They relax 1.5 orderings for each of these:
# of 38 atoms of six elements (190) that takes 13 times as long as other tasks do in the mean, of 150 (750) 23 times.
A_WINDOW = 300


def exchange_scan(model: str | Path, symbols: tuple[str, ...], precision: str = "single") -> ExchangeScan:
    """The exchange scan of this process for a model by its name or path, with one type for each symbol.

    Raises ModelFileError for a model that cannot be read, InputError for an element that it lacks.
    """
    if precision not in ("single", "double"):
        raise InputError(f"precision: got {precision!r}; allowed are single, double")
    return scan_of(*file_of(model), symbols, precision)


@lru_cache(maxsize=2)
def scan_of(path: Path, written: int, symbols: tuple[str, ...], precision: str) -> ExchangeScan:
    """The exchange scan for a model file as it was `written` at a time."""
    read, elements = model_with_types(path, symbols)
    return ExchangeScan(read, elements, precision)  # type: ignore[arg-type]


def potential_of(model: str | Path, symbols: tuple[str, ...]) -> Potential:
    """The engine of this process for a model, with one type for each symbol; raises as `exchange_scan`."""
    return engine_of(*file_of(model), symbols)


@lru_cache(maxsize=2)
def engine_of(path: Path, written: int, symbols: tuple[str, ...]) -> Potential:
    """The engine for a model file as it was `written` at a time."""
    return Potential(*model_with_types(path, symbols), "single")


def file_of(model: str | Path) -> tuple[Path, int]:
    """Where a model lies, and when it was written (ns): one that is trained anew may take its place."""
    path = find_model(model)
    return path, path.stat().st_mtime_ns


def model_with_types(path: Path, symbols: tuple[str, ...]) -> tuple[Model, list[int]]:
    """A model file, and the places of the symbols among its elements."""
    try:
        read = Model(path)
    except ModelError as error:
        raise ModelFileError(f"model file {path}: {error}") from error
    unknown = [symbol for symbol in symbols if symbol not in read.elements]
    if unknown:
        raise InputError(f"elements: got {', '.join(unknown)}; the model {path} knows {', '.join(read.elements)}")
    return read, [read.elements.index(symbol) for symbol in symbols]


@dataclass(frozen=True)
class Reorder:
    """The geometry of the parent, its own ordering followed downhill."""

    model: str
    symbols: tuple[str, ...]

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        """Return the parent's geometry with a better ordering, or with its own."""
        (parent,) = parents
        return reordered(self.model, self.symbols, parent.types, parent.positions)


@dataclass(frozen=True)
class Settle:
    """The parent after the swaps that gain most when it relaxes."""

    model: str
    symbols: tuple[str, ...]

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        """Return the parent with a better ordering, or the lowest of its other neighbours, nearly relaxed."""
        (parent,) = parents
        found = settled(potential_of(self.model, self.symbols), parent.types.astype(np.int32), parent.positions)
        return Cluster(found.types.astype(np.int64), found.positions)


@dataclass(frozen=True)
class Orderings:
    """The parent with another good ordering of its geometry, learnt from some hundred of them."""

    model: str
    symbols: tuple[str, ...]

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        """Return a better ordering if one is found, otherwise the lowest other one, nearly relaxed."""
        (parent,) = parents
        found = learnt(rng, potential_of(self.model, self.symbols), parent.types.astype(np.int32), parent.positions)
        return Cluster(found.types.astype(np.int64), found.positions)


@dataclass(frozen=True)
class Transfer:
    """The geometry of the first parent with the ordering of the second, carried over by matching sites and then
    followed downhill.
    """

    model: str
    symbols: tuple[str, ...]

    def __call__(self, rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
        """Return the first parent's geometry with the second's ordering."""
        geometry, ordering = parents
        types = ordering.types[matched_sites(rng, geometry, ordering, bonds)]
        return reordered(self.model, self.symbols, types, geometry.positions)


def reordered(model: str, symbols: tuple[str, ...], types: Integers, positions: Floats) -> Cluster:
    """A cluster after a descent in the space of orderings."""
    scan = exchange_scan(model, symbols)
    scan.place(*clusters.half_edges(positions, scan.cutoff))
    return Cluster(descend(scan, types.astype(np.int32), complete=False).types.astype(np.int64), positions)


def homotop_moves(composition: Composition, pair: Pair) -> dict[str, Move]:
    """The moves for the orderings of an alloy, by name; none for other pair styles and for one element."""
    if pair.model is None or len(composition.symbols) < 2:
        return {}
    lag = composition.size * (len(composition.symbols) - 1) // A_WINDOW
    learning = Orderings(pair.model, composition.symbols)
    return {
        "reorder": Move(Reorder(pair.model, composition.symbols), elements=2, follows=True),
        "settle": Move(Settle(pair.model, composition.symbols), elements=2, follows=True),
        "orderings": Move(learning, elements=2, follows=True, refines=True, lag=lag),
        "transfer": Move(Transfer(pair.model, composition.symbols), parents=2, elements=2, cost=MATCHING),
    }
