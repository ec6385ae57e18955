"""Free clusters: packings, motifs, orderings, snapshots, starts of relaxations, and groups of two and three atoms.

Every family function takes the elements, the number of atoms and a generator, and returns the members of one family:
structures that share a parent, which are never split between training and test.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from ase import Atoms
from ase.cluster import Decahedron, Icosahedron, Octahedron

from .metals import RADIUS, closest_allowed, mean_over
from .sampling import descend, dynamics, to_reference_scale

ORDERINGS = ("random", "shells", "janus", "layers")


def composition(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> list[str]:
    """n symbols in random order with every element at least once: even, uneven or dilute at random."""
    if n < len(elements):
        raise ValueError(f"{n} atoms cannot hold {len(elements)} elements")
    counts = np.ones(len(elements), dtype=int)
    left = n - len(elements)
    style = rng.choice(["even", "uneven", "any", "dilute"], p=[0.2, 0.25, 0.4, 0.15])
    if style == "dilute":
        counts[rng.integers(len(elements))] += left
    else:
        concentration = {"even": 50.0, "uneven": 0.6, "any": 1.2}[style]
        counts += rng.multinomial(left, rng.dirichlet(np.full(len(elements), concentration)))
    symbols = [e for e, count in zip(elements, counts, strict=True) for _ in range(count)]
    return [symbols[k] for k in rng.permutation(n)]


# ---------------------------------------------------------------- geometries, in nearest-neighbour distances


def close_packed(stacking: str) -> np.ndarray:
    """Close-packed layers in the order of `stacking` (letters A, B, C): fcc, hcp and twins are sequences of these."""
    side = np.arange(-5, 6)
    i, j = (grid.ravel() for grid in np.meshgrid(side, side, indexing="ij"))
    layer = np.stack([i + 0.5 * j, np.sqrt(3.0) / 2.0 * j, np.zeros(len(i))], axis=1)
    shift = np.array([0.5, np.sqrt(3.0) / 6.0, 0.0])
    height = np.sqrt(2.0 / 3.0)
    layers = [
        layer + "ABC".index(letter) * shift + [0.0, 0.0, height * (k - len(stacking) // 2)]
        for k, letter in enumerate(stacking)
    ]
    return np.concatenate(layers)


def body_centred() -> np.ndarray:
    """A piece of the body-centred cubic lattice."""
    side = np.arange(-3, 4)
    corner = np.stack(np.meshgrid(side, side, side, indexing="ij"), axis=-1).reshape(-1, 3) * 2.0 / np.sqrt(3.0)
    return np.concatenate([corner, corner + 1.0 / np.sqrt(3.0)])


def in_bond_lengths(cluster: Atoms) -> np.ndarray:
    """Positions around their centre, in units of the shortest distance."""
    d = cluster.get_all_distances()
    centred: np.ndarray = cluster.positions - cluster.positions.mean(axis=0)
    return centred / float(d[d > 0.1].min())


def parents() -> dict[str, np.ndarray]:
    """Large pieces of the motifs, from which clusters are cut."""
    return {
        "fcc": close_packed("ABCABCABC"),
        "hcp": close_packed("ABABABABA"),
        "twin": close_packed("ABCABACBA"),
        "fault": close_packed("ABCABABCA"),
        "bcc": body_centred(),
        "icosahedron": in_bond_lengths(Icosahedron("Cu", 5)),
        "decahedron": in_bond_lengths(Decahedron("Cu", 4, 4, 0)),
        "marks": in_bond_lengths(Decahedron("Cu", 3, 3, 1)),
    }


def complete_motifs() -> dict[int, list[np.ndarray]]:
    """Closed-shell motifs by number of atoms."""
    shells = [Icosahedron("Cu", k) for k in (2, 3, 4)]
    shells += [Octahedron("Cu", *k) for k in ((3, 1), (4, 1), (5, 2), (5, 1), (7, 3), (3, 0), (4, 0))]
    shells += [Decahedron("Cu", *k) for k in ((2, 2, 1), (2, 2, 0), (3, 1, 0), (3, 2, 0), (2, 3, 0))]
    found: dict[int, list[np.ndarray]] = {}
    for cluster in shells:
        found.setdefault(len(cluster), []).append(in_bond_lengths(cluster))
    return found


PARENTS = parents()
COMPLETE = complete_motifs()
PARENT_WEIGHTS = np.array([0.25, 0.12, 0.14, 0.06, 0.04, 0.21, 0.1, 0.08])


def motif(n: int, rng: np.random.Generator) -> np.ndarray:
    """n points of a motif: a closed shell where one has n atoms, else the n innermost of a faceted or round cut."""
    if n in COMPLETE and rng.random() < 0.7:
        return COMPLETE[n][rng.integers(len(COMPLETE[n]))]
    name = rng.choice(list(PARENTS), p=PARENT_WEIGHTS)
    points = PARENTS[name]
    spread = 0.25 if name in ("icosahedron", "decahedron", "marks") else 0.6
    offset = points - rng.uniform(-spread, spread, 3)
    if rng.random() < 0.5:
        normals = np.array([[1, 1, 1], [-1, 1, 1], [1, -1, 1], [1, 1, -1]]) / np.sqrt(3.0)
        reach = np.abs(offset @ normals.T).max(axis=1) + 0.15 * np.linalg.norm(offset, axis=1)
    else:
        reach = np.linalg.norm(offset * rng.uniform(0.85, 1.15, 3), axis=1)
    return points[np.argsort(reach, kind="stable")[:n]]


def packing(symbols: list[str], rng: np.random.Generator) -> Atoms:
    """Random points in a round, flat or long body, pushed apart to 0.75-0.96 of the radii's sum."""
    n = len(symbols)
    radii = np.array([RADIUS[s] for s in symbols])
    direction = rng.normal(size=(n, 3))
    direction /= np.linalg.norm(direction, axis=1)[:, None]
    body = 1.05 * n ** (1.0 / 3.0) * radii.mean() * rng.uniform(0.95, 1.2)
    axes = np.ones(3) if rng.random() < 0.6 else rng.uniform(0.4, 1.6, 3)
    points = body * direction * rng.random(n)[:, None] ** (1.0 / 3.0) * axes
    if n <= 12 and rng.random() < 0.15:
        points[:, 2] *= 0.02
    apart = rng.uniform(0.75, 0.96) * (radii[:, None] + radii[None, :])
    for _ in range(150):
        delta = points[:, None] - points[None, :]
        d = np.sqrt((delta**2).sum(-1)) + 10.0 * np.eye(n)
        overlap = np.clip(apart - d, 0.0, None) * (1.0 - np.eye(n))
        if overlap.max() < 0.02:
            break
        points = points + ((0.35 * overlap / d)[:, :, None] * delta).sum(axis=1)
    return Atoms(symbols, positions=points)


def ordered(points: np.ndarray, symbols: list[str], style: str, rng: np.random.Generator) -> list[str]:
    """The symbols assigned to points: at random, in shells around the centre, in two halves, or in layers."""
    centred = points - points.mean(axis=0)
    axis = rng.normal(size=3)
    height = centred @ (axis / np.linalg.norm(axis))
    score = {
        "random": rng.random(len(points)),
        "shells": np.linalg.norm(centred, axis=1),
        "janus": height,
        "layers": np.sin(2.0 * np.pi * height / (1.63 * (1.0 + rng.random())) + 6.3 * rng.random()),
    }[style]
    score = score + rng.normal(0.0, 0.12 * score.std() + 1e-9, len(points))
    kinds = sorted(set(symbols))
    rank = dict(zip(kinds, rng.permutation(len(kinds)), strict=True))
    in_order = sorted(symbols, key=lambda s: rank[s])
    placed = [""] * len(points)
    for place, symbol in zip(np.argsort(score, kind="stable"), in_order, strict=True):
        placed[place] = symbol
    return placed


def motif_cluster(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> Atoms:
    """A motif with an ordering, at the reference's mean bond length."""
    points = motif(n, rng)
    symbols = composition(elements, n, rng)
    symbols = ordered(points, symbols, str(rng.choice(ORDERINGS)), rng)
    return Atoms(symbols, positions=2.0 * mean_over(symbols, RADIUS) * points)


def start(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> Atoms:
    """A motif or a random packing, partly relaxed by EMT."""
    if n >= 13 and rng.random() < 0.7:
        return descend(motif_cluster(elements, n, rng), int(rng.integers(2, 15)))
    return descend(packing(composition(elements, n, rng), rng), int(rng.integers(10, 30)))


# ---------------------------------------------------------------- families


def random_family(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> list[Atoms]:
    """A random packing at two stages of its relaxation."""
    early = descend(packing(composition(elements, n, rng), rng), int(rng.integers(0, 8)))
    late = descend(early, int(rng.integers(8, 28)))
    return [to_reference_scale(early, rng), to_reference_scale(late, rng)]


def motif_family(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> list[Atoms]:
    """A motif breathed and rattled, then relaxed a little and rattled less."""
    ideal = motif_cluster(elements, n, rng)
    members = []
    for rattle, steps in ((rng.uniform(0.0, 0.2), 0), (rng.uniform(0.0, 0.12), 8), (0.0, 15)):
        member = to_reference_scale(descend(ideal, steps), rng)
        member.positions += rng.normal(0.0, rattle, member.positions.shape)
        members.append(member)
    return members


def snapshot_family(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> list[Atoms]:
    """Five snapshots of one trajectory, heated from room temperature through melting."""
    hottest = rng.uniform(700.0, 2800.0)
    warm = start(elements, n, rng)
    frames = dynamics(warm, np.linspace(300.0, hottest, 5), 30, rng)
    return [to_reference_scale(frame, rng) for frame in frames]


def ordering_family(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> list[Atoms]:
    """Four orderings of one geometry and one composition, each relaxed by EMT, and slightly rattled."""
    points = motif(n, rng)
    symbols = composition(elements, n, rng)
    members = []
    for style in rng.permutation(ORDERINGS):
        placed = Atoms(ordered(points, symbols, str(style), rng), positions=points * 2.0 * mean_over(symbols, RADIUS))
        member = to_reference_scale(descend(placed, 25), rng)
        member.positions += rng.normal(0.0, rng.uniform(0.0, 0.06), member.positions.shape)
        members.append(member)
    return members


def relaxation_family(elements: tuple[str, ...], n: int, rng: np.random.Generator) -> list[Atoms]:
    """One start, which the labelling relaxes with the reference itself."""
    return [to_reference_scale(start(elements, n, rng), rng)]


CLUSTER_FAMILIES: dict[str, Callable[[tuple[str, ...], int, np.random.Generator], list[Atoms]]] = {
    "cluster.random": random_family,
    "cluster.motif": motif_family,
    "cluster.snapshot": snapshot_family,
    "cluster.ordering": ordering_family,
    "cluster.relaxation": relaxation_family,
}


def dimers(first: str, second: str, count: int) -> list[Atoms]:
    """Two atoms from the shortest allowed distance to 5.3 A, denser at both the clamp and the minimum."""
    nearest = closest_allowed(first, second)
    minimum = 0.9 * (RADIUS[first] + RADIUS[second])
    close = np.linspace(nearest, minimum, count // 2, endpoint=False)
    far = minimum + (5.3 - minimum) * np.linspace(0.0, 1.0, count - count // 2) ** 1.6
    return [Atoms([first, second], positions=[[0, 0, 0], [0, 0, d + 1e-5]]) for d in np.concatenate([close, far])]


def trimer(symbols: list[str], rng: np.random.Generator) -> Atoms:
    """Three atoms: two bonds of random lengths around the first atom at a random angle."""
    nearest = [closest_allowed(symbols[0], other) for other in symbols[1:]]
    first, second = (d + (5.2 - d) * rng.beta(1.1, 2.6) for d in nearest)
    angle = np.pi if rng.random() < 0.15 else rng.uniform(0.55, np.pi)
    return Atoms(symbols, positions=[[0, 0, 0], [first, 0, 0], [second * np.cos(angle), second * np.sin(angle), 0]])
