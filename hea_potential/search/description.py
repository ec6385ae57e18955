"""What is said of a minimum wherever minima are listed: on the terminal and on the web page."""

from __future__ import annotations

from hea_potential.search.archive import Archive, Minimum
from hea_potential.search.shells import onion


def quantity(kappa: float) -> str:
    """What is minimised: the energy, or E - kappa sigma of a model, which nobody should take for it."""
    return f"E{-kappa:+g}*sigma" if kappa else "energy"


def headings(unit: str, kappa: float = 0.0) -> tuple[str, ...]:
    """The headings of a list of minima."""
    words = ("motif", "group", "shells, core@surface", "found by", "task", "hits")
    return ("", f"{quantity(kappa)}, {unit}", f"above best, {unit}", *words)


def texts(archive: Archive, rank: int, minimum: Minimum) -> tuple[str, ...]:
    """A line of the list; a saddle below all minima is called one."""
    return (
        f"{rank}" if minimum.falls_to is None else f"{rank} saddle",
        f"{minimum.energy:.6f}",
        f"{minimum.energy - archive.lowest(1)[0].energy:.6f}",
        minimum.motif,
        minimum.point_group,
        shells_in(archive, minimum),
        minimum.operator,
        f"{minimum.task}",
        f"{minimum.hits}",
    )


def shells_in(archive: Archive, minimum: Minimum) -> str:
    """The elements of a minimum's shells from the core to the surface."""
    return onion(minimum.cluster, archive.bonds, archive.composition)
