"""What a meta loop is: every key of its TOML file, see `config_file`; loads no torch."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from hea_training.architecture import Architecture
from hea_training.meta_loop.mode_settings import GofeeSettings, LeaSettings
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.meta_loop.selection import SelectionSettings

from hea_potential.model_file import find_model
from hea_potential.search.composition import Composition

__all__ = ["Compositions", "Labels", "LoopConfig", "Searches", "Start"]


@dataclass(frozen=True)
class Compositions:
    """What is searched: a list of formulas, or clusters of `size` atoms with as many elements as `n_elements` says.

    listed: formulas, the same in every loop. draw: compositions drawn for each number of elements, anew in each loop
    and none twice as long as there are others. all: all ratios of all sets of elements, `step` atoms apart (0: the
    least step with at most 100 of one set). n_elements: by default 2 up to the number of elements.
    """

    listed: list[str] = field(default_factory=list)
    size: int = 0
    n_elements: list[int] = field(default_factory=list)
    draw: int = 0
    all: bool = False
    step: int = 0


@dataclass(frozen=True)
class Start:
    """Where the loop begins: with the model file (or shipped name) `model` and its data set `data` ("hea6" for that of
    hea6), of which at most `structures` (0: all) are trained on; or from nothing.
    The mode gofee may begin with a model of another reference, without `data`: then isolated atoms are labelled. With
    `borrow` the model may lack elements, which take the part of their relatives (see `borrowed`).

    From nothing the reference labels isolated atoms, `dimers` distances of every two elements, and for each number of
    elements from 1 on `clusters` random clusters, `relax` steps of whose relaxation it carries out: the beginnings and
    frames of the relaxation are labelled. `max_force` (eV/A): structures with larger forces are refused.
    """

    model: str = ""
    data: str = ""
    borrow: bool = False
    structures: int = 0
    dimers: int = 20
    clusters: int = 24
    relax: int = 20
    max_force: float = 40.0


@dataclass(frozen=True)
class Searches:
    """The search of each composition, see `hea_potential.search.search`; `fmax` in eV/A, kappa and `unknown` (eV/atom)
    as there.

    minima: that many of lowest energy may be chosen to be labelled, `select.quota` are; path: so many frames on the way
    from random packings to minima are labelled beside them.
    """

    minimisations: int = 200
    method: str = "ga"
    starts: list[str] = field(default_factory=lambda: ["random", "symmetric"])
    fmax: float = 0.02
    calls: int = 1000
    kappa: float = 0.0
    unknown: float = 0.1
    minima: int = 200
    path: int = 8


@dataclass(frozen=True)
class Labels:
    """How chosen structures are labelled: `relax` steps of a relaxation by the reference, of which frames are labelled
    (0: only the structure itself). Where mpirun gives no ranks for it, `processes` processes do it, or (0) the loop's.
    """

    relax: int = 6
    processes: int = 0


@dataclass(frozen=True)
class LoopConfig:
    """A meta loop: every key of the file, tables as the classes above.

    elements: symbols, in the model's order. reference: a name of `hea_potential.reference`. loops: how many meta loops.
    mode: plain (search, select, label, refresh), gofee or lea. folder: what relative paths count from.
    """

    elements: list[str]
    reference: str
    name: str = "loop"
    mode: str = "plain"
    loops: int = 2
    seed: int = 0
    threads: int = 1
    compositions: Compositions = field(default_factory=Compositions)
    start: Start = field(default_factory=Start)
    search: Searches = field(default_factory=Searches)
    select: SelectionSettings = field(default_factory=SelectionSettings)
    label: Labels = field(default_factory=Labels)
    architecture: Architecture = field(default_factory=lambda: Architecture(()))
    refresh: RefreshSettings = field(default_factory=RefreshSettings)
    gofee: GofeeSettings = field(default_factory=GofeeSettings)
    lea: LeaSettings = field(default_factory=LeaSettings)
    folder: Path = Path()

    @property
    def from_nothing(self) -> bool:
        """Whether there is no model to begin with."""
        return not self.start.model

    @property
    def start_model(self) -> Path:
        """The model file to begin with: a path that counts from the configuration's folder, or a shipped model."""
        beside = self.folder / self.start.model
        return beside if beside.is_file() else find_model(self.start.model)

    @property
    def start_data(self) -> Path:
        """The data set to begin with: a path from the configuration's folder, or that of a shipped model."""
        shipped = Path(__file__).parents[1] / self.start.data / f"{self.start.data}.h5"
        beside = self.folder / self.start.data
        return shipped if shipped.is_file() and not beside.is_file() else beside

    @property
    def n_elements(self) -> list[int]:
        """Numbers of elements, ascending: the inner loop."""
        if self.compositions.listed:
            return sorted({len(Composition.parse(formula).symbols) for formula in self.compositions.listed})
        return sorted(self.compositions.n_elements) or list(range(min(2, len(self.elements)), len(self.elements) + 1))
