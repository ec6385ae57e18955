"""What is said of a minimum wherever minima are listed: on the terminal, on the web page, in tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.geometry import Floats
from hea_potential.search.shells import onion


@dataclass(frozen=True)
class Description:
    """A minimum in words: its energy above the best one, and the elements of its shells from the core outwards."""

    minimum: Minimum
    gap: float
    shells: str


def described(archive: Archive, bonds: Floats, count: int = 10) -> Sequence[Description]:
    """The lowest distinct minima of an archive, in order of energy."""
    lowest = archive.lowest(count)
    return [
        Description(minimum, minimum.energy - lowest[0].energy, onion(minimum.cluster, bonds, archive.composition))
        for minimum in lowest
    ]


def headings(unit: str) -> tuple[str, ...]:
    """The headings of a list of minima."""
    return ("", f"energy, {unit}", f"above best, {unit}", "shells, core@surface", "found by", "task", "hits")


def texts(rank: int, description: Description) -> tuple[str, ...]:
    """A line of the list."""
    minimum = description.minimum
    return (
        f"{rank}",
        f"{minimum.energy:.6f}",
        f"{description.gap:.6f}",
        description.shells,
        minimum.operator,
        f"{minimum.task}",
        f"{minimum.hits}",
    )
