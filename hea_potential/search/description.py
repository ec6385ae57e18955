"""What is said of a minimum wherever minima are listed: on the terminal, on the web page, in tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.geometry import Floats
from hea_potential.search.motif import motif
from hea_potential.search.point_group import point_group
from hea_potential.search.shells import onion


@dataclass(frozen=True)
class Description:
    """A minimum in words: energy above the best one, motif and point group, elements of its shells from the core."""

    minimum: Minimum
    gap: float
    motif: str
    point_group: str
    shells: str


def described(archive: Archive, bonds: Floats, count: int = 10) -> Sequence[Description]:
    """The lowest distinct minima of an archive, in order of energy."""
    lowest = archive.lowest(count)
    return [
        Description(
            minimum,
            minimum.energy - lowest[0].energy,
            motif(minimum.cluster, bonds),
            point_group(minimum.cluster, bonds),
            onion(minimum.cluster, bonds, archive.composition),
        )
        for minimum in lowest
    ]


LEFT = ("motif", "group", "shells", "found")  # columns of words


def headings(unit: str) -> tuple[str, ...]:
    """The headings of a list of minima."""
    return (
        "",
        f"energy, {unit}",
        f"above best, {unit}",
        "motif",
        "group",
        "shells, core@surface",
        "found by",
        "task",
        "hits",
    )


def texts(rank: int, description: Description) -> tuple[str, ...]:
    """A line of the list."""
    minimum = description.minimum
    return (
        f"{rank}",
        f"{minimum.energy:.6f}",
        f"{description.gap:.6f}",
        description.motif,
        description.point_group,
        description.shells,
        minimum.operator,
        f"{minimum.task}",
        f"{minimum.hits}",
    )
