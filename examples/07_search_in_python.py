"""A search from Python with another pair style and a move of one's own: Lennard-Jones atoms, and stretched children."""

from collections.abc import Sequence

import numpy as np

from hea_potential.search import search
from hea_potential.search.geometry import Cluster, Floats, random_rotation
from hea_potential.search.minimise import Limits
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.pair import Pair


def stretch(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    turned = parents[0].positions @ random_rotation(rng)
    return Cluster(parents[0].types, turned * [0.8, 0.8, 1.6])


lennard_jones = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
archive = search(
    "Ar13",
    pair=lennard_jones,
    budget=300,
    seed=1,
    limits=Limits(fmax=1e-4),
    moves={**MOVES, "stretch": Move(stretch)},
)
for minimum in archive.lowest(5):
    print(f"{minimum.energy:.6f} epsilon, {minimum.hits} times, first by {minimum.operator} in task {minimum.task}")
