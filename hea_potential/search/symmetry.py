"""Point groups as matrices, and the orbits of points under them.

Many clusters of lowest energy are symmetric, or are a symmetric core with a few atoms on its surface. A cluster of n
atoms under a group of order g has about n/g atoms of its own, so that its subspace holds few minima: looking there
finds what hides from a search of all 3n coordinates (Oakley, Johnston and Wales, Phys. Chem. Chem. Phys. 15, 3965
(2013)).

Rotation groups come from scipy, their main axis along z and the axes of T and O along x, y and z; reflections,
inversion and rotoreflections extend them. Names are Schoenflies symbols.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.spatial.transform import Rotation

from hea_potential import clusters
from hea_potential.search.geometry import Floats

MOST_FOLD = 6  # of the main axis of the groups that a search tries
INVERSION = -np.eye(3)
LEVEL = np.diag([1.0, 1.0, -1.0])  # reflection in the plane across the main axis
UPRIGHT = np.diag([1.0, -1.0, 1.0])  # reflection in a plane that holds the main axis
IDENTITY = np.eye(3)
SOMEWHERE = np.array([0.612, 0.347, 0.711])  # on no symmetry element of any group


def axial_names(fold: int) -> list[str]:
    """The groups with a main axis of this fold, in order of their number of operations."""
    return [f"C{fold}", f"S{2 * fold}", f"C{fold}v", f"C{fold}h", f"D{fold}", f"D{fold}d", f"D{fold}h"]


POINT_GROUPS = (
    *("Cs", "Ci"),
    *(name for fold in range(2, MOST_FOLD + 1) for name in axial_names(fold)),
    *("T", "Td", "Th", "O", "Oh", "I", "Ih"),
)


@cache
def point_group(name: str) -> Floats:
    """The operations of a point group, shape (order, 3, 3).

    Known are Cs, Ci, Cn, Cnv, Cnh, S2n, Dn, Dnh, Dnd (n > 1 for D), T, Td, Th, O, Oh, I, Ih. Raises ValueError for
    other names.
    """
    symbol = {"Cs": "C1h", "Ci": "S2"}.get(name, name)
    if improper := re.fullmatch(r"S([1-9]\d*[02468]|[2468])", symbol):
        fold = int(improper[1])
        return extended(turns(f"C{fold // 2}"), LEVEL @ turn(fold))
    parts = re.fullmatch(r"(C)([1-9]\d*)([vh]?)|(D)([2-9]|[1-9]\d+)([dh]?)|(T)()([dh]?)|(O|I)()(h?)", symbol)
    if parts is None:
        raise ValueError(f"point group {name!r}; allowed: Schoenflies symbols such as {', '.join(POINT_GROUPS)}")
    family, fold_text, suffix = (part for part in parts.groups() if part is not None)
    rotations = turns(family + fold_text)
    if not suffix:
        return rotations
    # Td is T with the turns of O that T lacks, each followed by the inversion; a quarter turn is one of them.
    diagonal = INVERSION @ turn(4) if family == "T" else LEVEL @ turn(2 * int(fold_text or 1))
    across = LEVEL if fold_text else INVERSION
    return extended(rotations, {"v": UPRIGHT, "d": diagonal, "h": across}[suffix])


def turns(name: str) -> Floats:
    """The operations of a group of rotations."""
    return np.asarray(Rotation.create_group(name, axis="Z").as_matrix())


def turn(fold: int) -> Floats:
    """The rotation about z by one part in `fold` of the circle."""
    return np.asarray(Rotation.from_rotvec([0.0, 0.0, 2.0 * np.pi / fold]).as_matrix())


def extended(rotations: Floats, operation: Floats) -> Floats:
    """The group of which a group of rotations is one half, and its products with an operation the other."""
    return np.concatenate([rotations, operation @ rotations])


@dataclass(frozen=True, eq=False)
class Place:
    """Points with equally large orbits: all space, like planes or axes of symmetry, or the centre.

    size: points of an orbit; dimension: 3 to 0; projections: onto each of these planes or axes, (elements, 3, 3).
    """

    size: int
    dimension: int
    projections: Floats


@cache
def places(name: str) -> tuple[Place, ...]:
    """The places of a point group, from the smallest orbits to the general ones."""
    operations = point_group(name)
    found: dict[tuple[int, int], list[Floats]] = {}
    for operation in operations:
        projection = invariant(operation)
        images = operations @ projection @ SOMEWHERE
        size = len(operations) // int(np.count_nonzero(((images - images[0]) ** 2).sum(axis=1) < 1e-9))
        alike = found.setdefault((size, round(np.trace(projection))), [])
        if not any(np.abs(projection - other).max() < 1e-6 for other in alike):
            alike.append(projection)
    return tuple(Place(size, dimension, np.stack(alike)) for (size, dimension), alike in sorted(found.items()))


def invariant(operation: Floats) -> Floats:
    """The projection onto the points that an operation leaves where they are: the mean of its powers."""
    powers, power = [IDENTITY], operation
    while np.abs(power - IDENTITY).max() > 1e-6:
        powers.append(power)
        power = power @ operation
    return np.asarray(sum(powers) / len(powers))


@cache
def compiled_group(name: str) -> clusters.PointGroup:
    """A point group as compiled starts and moves take it."""
    listed = [(place.size, place.dimension, place.projections) for place in places(name)]
    return clusters.PointGroup(point_group(name), listed)


@cache
def compiled_groups() -> list[clusters.PointGroup]:
    """All that a search tries."""
    return [compiled_group(name) for name in POINT_GROUPS]
