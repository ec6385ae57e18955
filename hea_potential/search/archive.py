"""What a search found: its distinct minima, in order of energy."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from hea_potential.clusters import Fingerprint
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.motif import motif
from hea_potential.search.point_group import point_group
from hea_potential.search.similarity import similarities, without_elements
from hea_potential.search.tasks import Result

# What the end of a minimisation leaves open. Of 5900 pairs of quenches to the same minimum of LJ38 and of Cu19Au19 with
# hea6, at the default largest force, none was less alike than 0.9999, and 99.9 % were within 4e-7 (LJ) and 3.5e-6
# (hea6) of the energy's size; 0.995 took a third of the pairs of different minima of LJ38 in the window for the same.
ALIKE = 0.9995  # clusters within the energy window and at least this similar are the same
WINDOW = 4e-6  # of the energy's size


@dataclass(eq=False)
class Minimum:
    """A distinct minimum. `number` counts minima from 0 in the order of their finding; `parents` are numbers of
    minima; `found_after` is in seconds of the run. See `motif` and `point_group` for what those can be. `falls_to` is
    the energy that it leads to where the check at the end of a search has found that it is a saddle (see `saddles`).
    """

    number: int
    energy: float
    cluster: Cluster
    fingerprint: Fingerprint = field(repr=False)
    task: int
    operator: str
    quench: str
    parents: tuple[int, ...]
    found_after: float
    motif: str
    point_group: str
    hits: int = 1
    falls_to: float | None = None

    @cached_property
    def geometry(self) -> Fingerprint:
        """Its fingerprint without regard to elements."""
        return without_elements(self.fingerprint)


class Archive:
    """The distinct minima of a search of one composition with these bond lengths (S, S), and the folder where they are
    written (None: nowhere). `minima` has all in the order of their finding; `saddles` are those of them that the check
    at the end of a search has left out of the lowest.
    """

    def __init__(
        self, composition: Composition, bonds: Floats, energy_unit: str = "eV", folder: Path | None = None
    ) -> None:
        self.composition = composition
        self.bonds = bonds
        self.energy_unit = energy_unit
        self.folder = folder
        self.minima: list[Minimum] = []
        self.saddles: list[Minimum] = []
        self._by_energy: list[Minimum] = []
        self._energies = array("d")  # of those, beside each other in memory, where they are found sooner

    def __len__(self) -> int:
        return len(self.minima)

    def enter(self, result: Result, age: float) -> Minimum:
        """Add a result as a new minimum, found when the run was `age` seconds old."""
        assert result.cluster is not None
        assert result.fingerprint is not None
        minimum = Minimum(
            len(self.minima),
            result.energy,
            result.cluster,
            result.fingerprint,
            result.number,
            result.operator,
            result.quench,
            result.parent_ids,
            age,
            result.motif or motif(result.cluster, self.bonds),
            result.point_group or point_group(result.cluster, self.bonds),
        )
        self.minima.append(minimum)
        place = bisect_right(self._energies, minimum.energy)
        self._energies.insert(place, minimum.energy)
        self._by_energy.insert(place, minimum)
        return minimum

    def find(self, energy: float, fingerprint: Fingerprint) -> Minimum | None:
        """The known minimum that is the same structure, the lowest if there are several."""
        window = WINDOW * abs(energy)
        first = last = bisect_left(self._energies, energy - window)
        # One by one, for hardly ever are there several.
        while last < len(self._energies) and self._energies[last] <= energy + window:
            last += 1
        if first == last:
            return None
        near = self._by_energy[first:last]
        similar = similarities(fingerprint, [minimum.fingerprint for minimum in near])
        return next((minimum for minimum, likeness in zip(near, similar, strict=True) if likeness >= ALIKE), None)

    def lowest(self, count: int = 10) -> Sequence[Minimum]:
        """The minima of lowest energy, in order, without `saddles`. After a search the first ten are no saddles, but
        for any that lie below all minima, which have `falls_to`, and what was not checked (see `run.search`); those
        above are as they were found.
        """
        return self._by_energy[:count]

    def leave_out(self, saddles: Sequence[Minimum]) -> None:
        """Take some of its minima for saddles: they stay in `minima`, but are no longer among the lowest, nor found."""
        self.saddles = [*self.saddles, *saddles]
        self._by_energy = [minimum for minimum in self._by_energy if minimum not in saddles]
        self._energies = array("d", [minimum.energy for minimum in self._by_energy])

    @property
    def best(self) -> Minimum | None:
        """The first of the `lowest`, None if nothing was found yet."""
        return self._by_energy[0] if self._by_energy else None
