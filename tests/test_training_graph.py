"""Structures as flat arrays for training: their neighbours, wherever their atoms are."""

from __future__ import annotations

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.cluster import Icosahedron
from hea_training.graph import Graphs

from hea_potential.errors import InputError

CUTOFF = 5.0  # Angstrom


def graphs_of(*structures: Atoms) -> Graphs:
    """Structures of copper without labels."""
    return Graphs.build(
        ["Cu"], CUTOFF, structures, [0.0] * len(structures), [np.zeros((len(s), 3)) for s in structures]
    )


@pytest.mark.parametrize("far", [1e2, 1e4, 1e12])
def test_atoms_that_flew_off_have_no_neighbours(far: float) -> None:
    """Two of them span a plane in which vesin divides by zero."""
    cluster = Icosahedron("Cu", 2)
    apart = cluster + Atoms("Cu2", [(far, 0.0, 0.0), (0.0, far, 0.0)])
    whole, alone = graphs_of(apart), graphs_of(cluster)
    assert np.array_equal(np.sort(whole.first), np.sort(alone.first))
    np.testing.assert_allclose(
        np.sort(np.linalg.norm(whole.displacement, axis=1)), np.sort(np.linalg.norm(alone.displacement, axis=1))
    )


def test_a_cell_too_wide_and_flat_is_refused() -> None:
    cell = bulk("Cu", cubic=True)
    cell.set_cell([2000.0, 2000.0, 3.6])
    with pytest.raises(InputError, match="got a space of 400 x 400 x 1 boxes of 5 A, too flat"):
        graphs_of(cell)
