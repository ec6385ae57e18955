"""What of a search could be labelled: the minima of its archive, and frames on the way to a minimum.

Minima alone would teach a model where forces vanish; frames on the way are where searches spend their force calls, and
among them are the minima of which the model's own error estimate says that they mean nothing.
"""

from __future__ import annotations

from pathlib import Path

import ase.db
import numpy as np
from ase import Atoms

from hea_potential.search.bonds import probe_bonds
from hea_potential.search.composition import Composition
from hea_potential.search.database import NAME
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.pair import Pair
from hea_potential.search.starts import random_packing

__all__ = ["minima_of", "path_frames"]

LONGEST_PATH = 200  # force calls


def minima_of(folder: Path, count: int) -> list[Atoms]:
    """The minima of lowest energy in the folder of a search, in order of energy, with their energies."""
    if not (folder / NAME).exists():
        return []
    rows = ase.db.connect(folder / NAME, serial=True).select()
    return [row.toatoms() for row in sorted(rows, key=lambda row: (row.energy, row.minimum))[:count]]


def path_frames(composition: Composition, model: Path, count: int, rng: np.random.Generator) -> list[Atoms]:
    """Where minimisations of random packings stand after some force calls, from a few to so many that most have ended;
    packings that fall apart are left out.
    """
    pair = Pair.of_model(model, composition)
    bonds = probe_bonds(composition, pair)
    frames = []
    for calls in np.geomspace(2, LONGEST_PATH, max(count, 1)).astype(int).tolist()[:count]:
        minimiser = Minimiser(composition, pair, bonds, Limits(fmax=0.05, calls=calls))
        quench = minimiser(random_packing(rng, composition, bonds))
        minimiser.close()
        if quench.outcome in ("minimum", "unconverged", "unknown"):
            cluster = quench.cluster
            frames.append(Atoms(composition.names(cluster.types), positions=cluster.positions))
    return frames
