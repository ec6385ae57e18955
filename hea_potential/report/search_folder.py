"""What the folder of a search holds, read from its journal without changing or locking anything: the search may go on
meanwhile.
"""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.io import read

from hea_potential.errors import InputError
from hea_potential.pair_file import UNITS
from hea_potential.search.composition import Composition
from hea_potential.search.database import LOWEST, SADDLES
from hea_potential.search.description import quantity
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import NAME, RunFolderError, read_journal, result_of
from hea_potential.search.shells import onion

__all__ = ["Found", "SearchRun", "read_search"]


@dataclass
class Found:
    """A distinct minimum: its number in the order of finding, and what the journal says of it; see `Minimum`."""

    number: int
    energy: float
    cluster: Cluster
    motif: str
    point_group: str
    task: int
    operator: str
    quench: str
    parents: tuple[int, ...]
    elapsed: float
    hits: int = 1


@dataclass(frozen=True)
class SearchRun:
    """A search: its header (what decides what it finds), a line for each finished minimisation, tasks that killed their
    process with the reason, and the distinct minima, the lowest first, without saddles that it has left out; `kept` are
    those that it has not, see `hea_potential.search.saddles`. `bonds` are the bond lengths (S, S) of types.
    """

    folder: Path
    header: dict[str, Any]
    entries: list[dict[str, Any]]
    crashed: dict[int, str]
    composition: Composition
    bonds: Floats
    minima: list[Found]
    left_out: list[Found]
    kept: list[Found]

    @property
    def unit(self) -> str:
        """The unit of energies."""
        return UNITS[self.header["pair"].get("units", "metal")]

    @property
    def pair(self) -> str:
        """The pair style in words: a model by the beginning of its hash, any other by its first line."""
        pair = self.header["pair"]
        if "model" not in pair:
            return str(pair["lines"][0].removeprefix("pair_style "))
        return f"hea, model {pair['model'][:12]}" + (f", {quantity(self.kappa)}" if self.kappa else "")

    @property
    def kappa(self) -> float:
        """What `energy` stands for is E - kappa sigma."""
        return float(self.header["pair"].get("kappa", 0.0))

    @property
    def best(self) -> Found | None:
        """The lowest minimum, None if nothing was found."""
        return self.minima[0] if self.minima else None

    @property
    def outcomes(self) -> Counter[str]:
        """How many minimisations ended how; those that killed their process are journalled as results as well."""
        return Counter(entry["outcome"] for entry in self.entries)

    @property
    def failures(self) -> str:
        """Outcomes other than a minimum, in words."""
        others = [f"{count} {outcome}" for outcome, count in sorted(self.outcomes.items()) if outcome != "minimum"]
        return ", ".join(others) or "none"

    @property
    def calls(self) -> int:
        """Force calls of all minimisations."""
        return sum(entry["calls"] for entry in self.entries)

    @property
    def age(self) -> float:
        """Seconds that all its calls have lasted."""
        return float(self.entries[-1]["elapsed"]) if self.entries else 0.0

    def atoms_of(self, minimum: Found) -> Atoms:
        """A minimum as ASE atoms."""
        return Atoms(self.composition.names(minimum.cluster.types), positions=minimum.cluster.positions)

    def shells_of(self, minimum: Found) -> str:
        """The elements of a minimum's shells from the core to the surface."""
        return onion(minimum.cluster, self.bonds, self.composition)


def read_search(folder: Path) -> SearchRun:
    """Read a search. Raises RunFolderError for a journal that is damaged or not there."""
    path = folder / NAME
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be read: {error.strerror}") from error
    header, entries, crashed = read_journal(path, content)
    if header is None:
        raise RunFolderError(f"{path}: holds nothing yet; a search that has begun writes its first line at once")
    try:
        composition, bonds = Composition.parse(header["composition"]), np.array(header["bonds"], dtype=float)
        found = minima_of(entries, composition, bonds)
    except (InputError, KeyError, IndexError, ValueError, TypeError) as error:
        raise RunFolderError(f"{path}: cannot be understood: {type(error).__name__}: {error}") from error
    left_out, kept = (saddles_in(folder / name, found) for name in (SADDLES, LOWEST))
    numbers = {each.number for each in left_out}
    minima = [each for each in found if each.number not in numbers]
    return SearchRun(folder, header, entries, crashed, composition, bonds, minima, left_out, kept)


def saddles_in(path: Path, minima: list[Found]) -> list[Found]:
    """Those of some minima of which a search's file of structures says that the energy falls from them. Raises
    RunFolderError for a file that cannot be read.
    """
    if not path.exists():
        return []
    try:
        frames = [atoms for atoms in read(path, ":", parallel=False) if "falls_to" in atoms.info]
        energies = {int(atoms.info["minimum"]): float(atoms.get_potential_energy()) for atoms in frames}
    except Exception as error:  # ASE's reader raises whatever its parsing meets
        message = f"{path}: cannot be read: {type(error).__name__}: {error}; delete it, the search writes it again"
        raise RunFolderError(message) from error
    return [each for each in minima if math.isclose(energies.get(each.number, math.nan), each.energy)]


def minima_of(entries: list[dict[str, Any]], composition: Composition, bonds: Floats) -> list[Found]:
    """The distinct minima of a journal, the lowest first."""
    found: list[Found] = []
    for entry in entries:
        if "positions" in entry:
            result = result_of(entry, composition, bonds)
            assert result.cluster is not None
            found.append(
                Found(
                    len(found),
                    result.energy,
                    result.cluster,
                    entry["motif"],
                    entry["point_group"],
                    result.number,
                    result.operator,
                    result.quench,
                    result.parent_ids,
                    entry["elapsed"],
                )
            )
        elif "minimum" in entry:
            found[entry["minimum"]].hits += 1
    return sorted(found, key=lambda each: each.energy)
