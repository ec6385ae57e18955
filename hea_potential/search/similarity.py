"""When two clusters are the same: species-resolved radial distribution functions and their overlap.

C12 = integral(RDF1 RDF2) / sqrt(integral(RDF1 RDF1) integral(RDF2 RDF2)), summed over pairs of elements. It does not
change under rotation, reflection and renumbering of like atoms, and tells orderings of the same geometry (homotops)
apart.
"""

from __future__ import annotations

from hea_potential import clusters
from hea_potential.clusters import Fingerprint
from hea_potential.search.geometry import Cluster, Floats

SPACING = 0.05  # of the grid, in bonds
POINTS = 80  # of the grid: distances up to 4 bonds are compared


def fingerprint(cluster: Cluster, bonds: Floats) -> Fingerprint:
    """Histogram of the distances of every pair of elements, smeared by a Gaussian one grid step wide and normalised to
    length 1; its `values` have the shape (pairs of elements * POINTS,).

    Distances are measured in mean bonds, so that one grid serves all pair styles.
    """
    return clusters.fingerprint(cluster.types, cluster.positions, bonds, SPACING, POINTS)


def similarities(one: Fingerprint, others: list[Fingerprint]) -> list[float]:
    """C12 of a fingerprint with each of others, from 0 (nothing in common) to 1 (equal); two single atoms are equal."""
    return clusters.similarities(one, others)


def without_elements(described: Fingerprint) -> Fingerprint:
    """The fingerprint of the same cluster as if all its atoms were of one element, normalised to length 1."""
    return described.without_types()


def centred_and_described(cluster: Cluster, bonds: Floats) -> tuple[Cluster, Fingerprint]:
    """A cluster with its centre at the origin, and its fingerprint."""
    positions, described = clusters.centred_with_fingerprint(cluster.types, cluster.positions, bonds, SPACING, POINTS)
    return Cluster(cluster.types, positions), described
