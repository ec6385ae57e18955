"""The geometry of clusters in plain numpy: what the compiled `hea_potential.clusters` is held to."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DIAGONAL = 1.55  # bonds: opposite corners of a square are nearer


def distances(positions: Floats) -> Floats:
    gaps = positions[:, None, :] - positions[None, :, :]
    squares = np.einsum("ijk,ijk->ij", gaps, gaps)
    np.fill_diagonal(squares, np.inf)
    return np.asarray(np.sqrt(squares))


def reduced_distances(types: Integers, positions: Floats, bonds: Floats) -> Floats:
    return np.asarray(distances(positions) / bonds[np.ix_(types, types)])


def half_edges(positions: Floats, cutoff: float) -> tuple[Integers, NDArray[np.int32], Floats]:
    gaps = positions[None, :, :] - positions[:, None, :]
    near = np.triu(np.einsum("ijk,ijk->ij", gaps, gaps) < cutoff * cutoff, 1)
    first, second = np.nonzero(near)
    starts = np.searchsorted(first, np.arange(len(positions) + 1)).astype(np.int64)
    return starts, second.astype(np.int32), gaps[first, second]


def is_connected(types: Integers, positions: Floats, bonds: Floats, reach: float) -> bool:
    near = reduced_distances(types, positions, bonds) < reach
    reached = np.zeros(len(near), bool)
    reached[0] = True
    frontier = reached
    while frontier.any():
        frontier = near[frontier].any(axis=0) & ~reached
        reached = reached | frontier
    return bool(reached.all())


def separated(types: Integers, positions: Floats, bonds: Floats, least: float, rounds: int) -> Floats:
    first, second = np.triu_indices(len(positions), 1)
    lengths = least * bonds[types[first], types[second]]
    positions = positions.copy()
    for _ in range(rounds):
        gaps = positions[first] - positions[second]
        apart = np.sqrt(np.einsum("ij,ij->i", gaps, gaps))
        near = np.flatnonzero(apart < lengths)
        if len(near) == 0:
            return positions
        push = (0.6 * np.maximum(lengths[near] / apart[near] - 1.0, 0.1))[:, None] * gaps[near]
        np.add.at(positions, first[near], push)
        np.subtract.at(positions, second[near], push)
    nearest = np.min(distances(positions)[first, second] / lengths, initial=np.inf)
    return np.asarray(positions * max(1.0, 1.000001 / nearest))


def vacant_sites(
    types: Integers, positions: Floats, bonds: Floats, kind: int, contact: float, least: float
) -> tuple[Floats, Integers]:
    apart = reduced_distances(types, positions, bonds)
    near = apart < contact
    across = (apart < DIAGONAL) & ~near
    order = np.arange(len(near))
    # At the corner i two sides in contact meet; the side between j and k closes a triangle or halves a square.
    closed = near[None, :, :] & (order[:, None, None] < order[None, :, None])
    sides = near[:, :, None] & near[:, None, :] & (order[:, None] < order[None, :])
    triangles = np.argwhere(sides & (closed | across[None, :, :]))
    corners = positions[triangles]
    first, second, third = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(second, third)
    square = np.einsum("ij,ij->i", normal, normal)
    lengths2 = np.einsum("ij,ij->i", second, second)[:, None]
    lengths3 = np.einsum("ij,ij->i", third, third)[:, None]
    centre = first + np.cross(lengths2 * third - lengths3 * second, normal) / (2.0 * square[:, None])
    reach = bonds[kind, types[triangles]].mean(axis=1) ** 2 - np.sum((centre - first) ** 2, axis=1)
    valid = reach > 0.0
    height = np.sqrt(reach[valid] / square[valid])[:, None] * normal[valid]
    sites = np.concatenate([centre[valid] + height, centre[valid] - height])
    gaps = np.linalg.norm(sites[:, None, :] - positions[None, :, :], axis=2) / bonds[kind, types]
    free = (gaps > least).all(axis=1)
    return sites[free], np.count_nonzero(gaps[free] < contact, axis=1)


def fingerprint(types: Integers, positions: Floats, bonds: Floats, spacing: float, points: int) -> Floats:
    kinds = len(bonds)
    first, second = np.triu_indices(len(types), 1)
    places = distances(positions)[first, second] / (bonds.mean() * spacing)
    low, high = np.minimum(types[first], types[second]), np.maximum(types[first], types[second])
    rows = low * kinds - low * (low - 1) // 2 + (high - low)
    near = places < points - 3
    cells = places[near].astype(np.int64)
    upper = places[near] - cells
    flat = rows[near] * points + cells
    total = kinds * (kinds + 1) // 2 * points
    histogram = np.bincount(flat, 1.0 - upper, total) + np.bincount(flat + 1, upper, total)
    by_row = histogram.reshape(-1, points)
    smeared = np.concatenate([np.convolve(row, [0.054, 0.242, 0.399, 0.242, 0.054], mode="same") for row in by_row])
    length = np.linalg.norm(smeared)
    return np.asarray(smeared / length if length > 0.0 else smeared)


def orbit(point: Floats, operations: Floats, merging: float, least_move: float) -> Floats:
    while True:
        images = operations @ point
        near = squares(images - point) < merging**2
        if np.count_nonzero(near) == 1:
            return np.asarray(images)
        touching = squares(images[:, None] - images) < merging**2
        # The operations whose images are linked to the point form a subgroup, so that their mean is invariant under it.
        linked = near
        while (grown := np.asarray(touching[linked].any(axis=0))).sum() > linked.sum():
            linked = grown
        middle = images[linked].sum(axis=0) / linked.sum()
        if squares(middle - point) < least_move**2:
            return np.asarray(images[touching.argmax(axis=1) == np.arange(len(images))])
        point = middle


def squares(vectors: Floats) -> Floats:
    return np.asarray((vectors * vectors).sum(axis=-1))
