"""The point group of a cluster, elements included, with a tolerance for what minimisations leave open."""

from __future__ import annotations

from hea_potential import clusters
from hea_potential.search.geometry import Cluster, Floats

TOLERANCE = 0.05  # bonds by which an operation may miss the atoms


def point_group(cluster: Cluster, bonds: Floats, tolerance: float = TOLERANCE) -> str:
    """Schoenflies symbol of the largest point group whose operations take every atom to within `tolerance` bonds of an
    atom of its element: C1, Cs, Ci, C2, C2v, C2h, S4, D3, D3h, D3d, T, Td, Th, O, Oh, I, Ih and so on; Cinfv and Dinfh
    for atoms on a line, Kh for a single one.
    """
    return clusters.point_group(cluster.types, cluster.positions, bonds, tolerance)
