"""The compiled geometry of clusters: what a search asks of every candidate, and what it asks of every minimum.

Functions take types (n,) int64, positions (n, 3) and bonds (S, S), the length of a bond between two types; lengths such
as `reach` are in bonds. They raise ValueError if the arrays do not fit together.
"""

from hea_potential.clusters._clusters import (
    Structure,
    coordination,
    fingerprint,
    is_connected,
    orbit,
    ordered,
    point_group,
    reduced_distances,
    separated,
    similarities,
    structure_of,
    turned,
    vacant_sites,
)

__all__ = [
    "Structure",
    "coordination",
    "fingerprint",
    "is_connected",
    "orbit",
    "ordered",
    "point_group",
    "reduced_distances",
    "separated",
    "similarities",
    "structure_of",
    "turned",
    "vacant_sites",
]
