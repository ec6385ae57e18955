"""When two clusters are the same: species-resolved radial distribution functions and their overlap.

C12 = integral(RDF1 RDF2) / sqrt(integral(RDF1 RDF1) integral(RDF2 RDF2)), summed over pairs of elements. It does not
change under rotation, reflection and renumbering of like atoms, and tells orderings of the same geometry (homotops)
apart.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hea_potential.search.geometry import Cluster, Floats

SPACING = 0.05  # of the grid, in bonds
REACH = 4.0  # longest distance that is compared, in bonds
SMEARING = np.array([0.054, 0.242, 0.399, 0.242, 0.054])  # a Gaussian one grid step wide

Fingerprint = NDArray[np.float32]


def fingerprint(cluster: Cluster, bonds: Floats) -> Fingerprint:
    """Histogram of the distances of every pair of elements, smeared and normalised to length 1; shape (pairs * grid
    points,).

    Distances are measured in mean bonds, so that one grid serves all pair styles.
    """
    kinds = len(bonds)
    points = round(REACH / SPACING)
    first, second = np.triu_indices(len(cluster.types), 1)
    gaps = cluster.positions[first] - cluster.positions[second]
    places = np.sqrt(np.einsum("ij,ij->i", gaps, gaps)) / (bonds.mean() * SPACING)
    low = np.minimum(cluster.types[first], cluster.types[second])
    high = np.maximum(cluster.types[first], cluster.types[second])
    rows = low * kinds - low * (low - 1) // 2 + (high - low)
    # Each distance is shared by the two grid points beside it, so that the histogram changes continuously with the
    # positions.
    near = places < points - 3
    cells = places[near].astype(np.int64)
    upper = places[near] - cells
    flat = rows[near] * points + cells
    total = kinds * (kinds + 1) // 2 * points
    histogram = np.bincount(flat, 1.0 - upper, total) + np.bincount(flat + 1, upper, total)
    smeared = np.convolve(histogram, SMEARING, mode="same")
    length = np.linalg.norm(smeared)
    return (smeared / length if length > 0.0 else smeared).astype(np.float32)


def similarity(one: Fingerprint, other: Fingerprint) -> float:
    """C12 of two fingerprints, from 0 (nothing in common) to 1 (equal); two single atoms are equal."""
    return float(one @ other) if one.any() or other.any() else 1.0
