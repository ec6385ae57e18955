"""The compiled geometry of clusters: what a search asks of every candidate, and what it asks of every minimum.

Functions take types (n,) int64, positions (n, 3) and bonds (S, S), the length of a bond between two types; lengths such
as `reach` are in bonds. What is random draws from `bit_generator`, the `bit_generator.capsule` of a numpy Generator.
They raise ValueError if the arrays do not fit together.
"""

from hea_potential.clusters._clusters import (
    Structure,
    annealed,
    candidate,
    completed,
    coordination,
    fingerprint,
    grown,
    is_connected,
    orbit,
    ordered,
    packed_orbits,
    point_group,
    reduced_distances,
    resurfaced,
    separated,
    similarities,
    structure_of,
    turned,
    vacant_sites,
    with_moved_atoms,
)

__all__ = [
    "Structure",
    "annealed",
    "candidate",
    "completed",
    "coordination",
    "fingerprint",
    "grown",
    "is_connected",
    "orbit",
    "ordered",
    "packed_orbits",
    "point_group",
    "reduced_distances",
    "resurfaced",
    "separated",
    "similarities",
    "structure_of",
    "turned",
    "vacant_sites",
    "with_moved_atoms",
]
