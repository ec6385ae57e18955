"""Which of the lowest minima of a search are saddles: points without forces, from which the energy falls all the same.

A minimisation ends where forces are small, and one that begins symmetric stays symmetric: of what searches keep 2 to
3 % are saddles for LJ10 to LJ38, 12 to 24 % for Cu4 to Cu13 with hea6. What decides is the energy and not a curvature,
which noise may bring below zero at a minimum: where the softest one is not clearly above zero, the cluster is pushed
both ways along that direction and minimised. It is a saddle if both ways the energy falls and the structure becomes
another, as the archive tells minima apart. Where only one way does, it is a minimum with hardly a barrier.

Saddles are left out of the lowest, but for one that lies below all minima: it is the best that the search has, so it
stays and is called a saddle. A short search of large amorphous clusters may end so, where forces become small before a
minimum is near: the lowest of 30 minimisations of 150 atoms of six elements was 0.01 eV above what it leads to.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field

import numpy as np

from hea_potential.errors import HEAError
from hea_potential.lammps_instance import one_line
from hea_potential.search.archive import ALIKE, WINDOW, Archive, Minimum
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.minimise import Minimiser, Quench
from hea_potential.search.similarity import fingerprint, similarities
from hea_potential.search.tasks import IN_TASK, Setup

# In bonds: how far a coordinate is displaced for second derivatives. The error of central differences rises with the
# square of it, for Lennard-Jones 80 times that of a bond's curvature, and what single precision leaves of forces (1e-5
# eV/A) counts the more, the smaller it is: at 0.003 each is less than SOFT.
DISPLACEMENT = 0.003
SOFT = 0.001  # of the stiffest curvature: what is stiffer than that is a minimum
PUSH = 0.05  # in bonds: how far the atom that goes farthest is pushed
MOST_ATOMS = 500  # a check of one minimum takes 10 s for so many with hea6, and grows with the square and more
TIGHTER = 0.1  # of the search's largest force, at which the push would often end where it began


class CheckError(HEAError):
    """LAMMPS did not minimise what was pushed."""


@dataclass
class Check:
    """How the check of a search's lowest minima goes: how many are minima, which are saddles that stay or are left out;
    the lowest energy to which saddles lead, if the search has found nothing as low; the force calls that it took, and
    why it ended early, if it did.
    """

    confirmed: int = 0
    kept: list[Minimum] = field(default_factory=list)
    left_out: list[Minimum] = field(default_factory=list)
    lower: float | None = None
    calls: int = 0
    ended_by: str = ""

    @property
    def shown(self) -> int:
        """How many were checked and are among the lowest."""
        return self.confirmed + len(self.kept)


def check_lowest(
    archive: Archive, setup: Setup, check: Check, count: int, most_calls: int, may_go_on: Callable[[], bool]
) -> None:
    """Check minima from the lowest upwards until `count` are not left out; then leave the others out of the archive's
    order. Saddles learn where they lead (`Minimum.falls_to`); `check` tells meanwhile how far it is.

    It ends before its next minimum where `why_not` gives a reason, and where LAMMPS fails: nothing that happens here
    loses what was found.
    """
    minimiser = Minimiser(setup.composition, setup.pair, setup.bond_lengths, setup.limits)
    minimiser.largest_force *= TIGHTER
    ends: list[Quench] = []
    with closing(minimiser):
        for minimum in archive.lowest(len(archive)):
            if check.shown < count:
                check.ended_by = why_not(setup, check, most_calls, may_go_on)
            if check.shown == count or check.ended_by:
                break
            try:
                with IN_TASK:
                    end, calls = falls_to(minimiser, minimum.cluster, minimum.energy)
            except Exception as error:  # LAMMPS raises plain Exception for everything
                check.ended_by = one_line(error)
                break
            check.calls += calls
            if end is None:
                check.confirmed += 1
            else:
                minimum.falls_to = end.energy
                (check.left_out if check.confirmed else check.kept).append(minimum)
                ends.append(end)
    archive.leave_out(check.left_out)
    best = archive.best
    assert best is not None
    ends = [end for end in ends if end.outcome == "minimum"]
    lower = [end.energy for end in ends if is_below(end, best.cluster, best.energy, archive.bonds)]
    check.lower = min(lower, default=None)


def why_not(setup: Setup, check: Check, most_calls: int, may_go_on: Callable[[], bool]) -> str:
    """Why no further minimum is checked: it has too many atoms, `may_go_on` says no, or with it the check would take
    more than `most_calls` force calls (besides pushes). Nothing if there is no reason.
    """
    if setup.composition.size > MOST_ATOMS:
        return f"they have more than {MOST_ATOMS} atoms"
    if not may_go_on():
        return "the time is up"
    too_many = check.calls + calls_of_hessian(setup) > most_calls
    return "it would take more force calls than the search" if too_many else ""


def calls_of_hessian(setup: Setup) -> int:
    """Force calls for the second derivatives of a cluster."""
    return 6 * setup.composition.size if setup.composition.size > 1 else 0


def falls_to(minimiser: Minimiser, cluster: Cluster, energy: float) -> tuple[Quench | None, int]:
    """The lower of the two ends of a cluster that is pushed off a saddle with this energy, None for a minimum; and how
    many force calls that took. Raises what LAMMPS raises, and CheckError where it did not minimise.
    """
    if len(cluster.types) == 1:
        return None, 0
    curvature, stiffest, direction = softest(hessian(minimiser, cluster.positions), cluster.positions)
    calls = 2 * cluster.positions.size
    if curvature > SOFT * stiffest:
        return None, calls
    push = PUSH * minimiser.mean_bond / np.linalg.norm(direction, axis=1).max() * direction
    ends = [minimiser(Cluster(cluster.types, cluster.positions + way * push)) for way in (1.0, -1.0)]
    calls += sum(end.calls for end in ends)
    for end in ends:
        if not np.isfinite(end.energy):
            raise CheckError(end.message or f"a cluster that was pushed off a saddle ended as {end.outcome}")
    if not all(is_below(end, cluster, energy, minimiser.bonds) for end in ends):
        return None, calls
    return min(ends, key=lambda end: end.energy), calls


def hessian(minimiser: Minimiser, positions: Floats) -> Floats:
    """Second derivatives of the energy by the positions (n, 3) of a minimiser's atoms, shape (3n, 3n), in the pair
    style's units of energy and length: H_ij = -(F_j(x + d e_i) - F_j(x - d e_i)) / 2d, made symmetric.
    """
    distance = DISPLACEMENT * minimiser.mean_bond
    found = np.empty((positions.size, positions.size))
    for coordinate in range(positions.size):
        displaced = positions.copy()
        displaced.flat[coordinate] += distance
        ahead = minimiser.forces(displaced)
        displaced.flat[coordinate] -= 2.0 * distance
        found[coordinate] = (minimiser.forces(displaced) - ahead).ravel() / (2.0 * distance)
    return np.asarray(0.5 * (found + found.T))


def softest(hessian: Floats, positions: Floats) -> tuple[float, float, Floats]:
    """The lowest and the highest curvature of a cluster of two atoms or more, and the direction (n, 3) of the lowest,
    of length 1. They are eigenvalues of second derivatives, not divided by masses; translations and rotations, in which
    the energy does not change, are taken out.
    """
    centred = positions - positions.mean(axis=0)
    axes = np.eye(3)
    moves = [np.tile(axis, (len(positions), 1)) for axis in axes] + [np.cross(axis, centred) for axis in axes]
    basis, sizes, _ = np.linalg.svd(np.reshape(moves, (6, -1)).T)
    # What is left of the basis are vibrations: all but six, or five where the atoms are on a line.
    vibrations = basis[:, np.count_nonzero(sizes > 1e-6 * sizes[0]) :]
    curvatures, directions = np.linalg.eigh(vibrations.T @ hessian @ vibrations)
    return float(curvatures[0]), float(curvatures[-1]), (vibrations @ directions[:, 0]).reshape(-1, 3)


def is_below(end: Quench, cluster: Cluster, energy: float, bonds: Floats) -> bool:
    """Whether a minimisation has ended lower than a cluster with this energy, at what an archive takes for another."""
    likeness = similarities(fingerprint(end.cluster, bonds), [fingerprint(cluster, bonds)])
    return end.energy < energy - WINDOW * abs(energy) and likeness[0] < ALIKE
