"""Which site of one cluster corresponds to which of another, so that an ordering can be carried from motif to motif.

Sites are alike when they lie in the same place, after turning and mirroring one cluster onto the other, and have as
many contacts. The assignment of least cost and the rotation of least squares (Kabsch, Acta Cryst. A 32, 922 (1976))
follow each other until the assignment no longer changes, as in the iterative closest points of Besl and McKay, IEEE
Trans. Pattern Anal. Mach. Intell. 14, 239 (1992). It begins with the principal axes of both on top of each other, in
all eight ways, and with some random rotations, because symmetric clusters have no axes of their own.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from scipy.optimize import linear_sum_assignment

from hea_potential.search.geometry import Cluster, Floats, Integers, coordination, random_rotation

ROTATIONS = 4  # random ones to begin with
ROUNDS = 20  # most assignments from each beginning
CONTACT_COST = 0.05  # of a difference of one contact, in squared bonds


def matched_sites(rng: np.random.Generator, cluster: Cluster, other: Cluster, bonds: Floats) -> Integers:
    """For every site of a cluster the site of the other that it corresponds to, each once; shape (n,)."""
    contacts = coordination(cluster, bonds), coordination(other, bonds)
    by_contacts = CONTACT_COST * np.square(contacts[0][:, None] - contacts[1][None, :])
    here, there = scaled(cluster, bonds), scaled(other, bonds)
    best_cost, best = np.inf, np.arange(len(here))
    beginnings = [*axes_on_axes(here, there), *(random_rotation(rng) for _ in range(ROTATIONS))]
    for beginning in beginnings:
        rotation = beginning
        sites = np.full(len(here), -1)
        for _ in range(ROUNDS):
            gaps = here[:, None, :] - (there @ rotation)[None, :, :]
            costs = np.einsum("ijk,ijk->ij", gaps, gaps) + by_contacts
            last, sites = sites, linear_sum_assignment(costs)[1]
            if np.array_equal(sites, last):
                break
            # Of all rotations and reflections that which brings the sites nearest: reflected orderings are as good.
            left, _, right = np.linalg.svd(there[sites].T @ here)
            rotation = left @ right
        cost = float(costs[np.arange(len(here)), sites].sum())
        if cost < best_cost:
            best_cost, best = cost, sites
    return np.asarray(best)


def scaled(cluster: Cluster, bonds: Floats) -> Floats:
    """Positions from the centre in mean bonds of the cluster's atoms, shape (n, 3)."""
    shares = np.bincount(cluster.types, minlength=len(bonds)) / len(cluster.types)
    return np.asarray((cluster.positions - cluster.positions.mean(axis=0)) / (shares @ bonds @ shares))


def axes_on_axes(here: Floats, there: Floats) -> list[Floats]:
    """The eight rotations and reflections that turn the principal axes of one set of points to those of another."""
    third = ((0, max(0, 3 - len(here))), (0, 0))  # a point in the centre: two points have fewer than three axes
    to, of = (np.linalg.svd(np.pad(points, third), full_matrices=False)[2] for points in (here, there))
    return [np.asarray(of.T @ np.diag(signs) @ to) for signs in product((1.0, -1.0), repeat=3)]
