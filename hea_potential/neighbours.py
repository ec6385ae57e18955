"""Half edges between atoms closer than the cutoff, kept while the atoms move less than half a skin."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hea_potential.errors import InputError
from hea_potential.torch_library import own_libraries

__all__ = ["NeighbourList", "check_flatness", "compacted"]

BOXES = 100_000  # that vesin (0.6) makes at most


class NeighbourList:
    """The edges of one structure, each pair of atoms and image once, in the order of their first atoms.

    Edges up to cutoff + skin are listed, so that the list stays complete until an atom has moved by half the skin.
    Atoms may lie outside the cell, and the cell may be smaller than the cutoff: an atom is then a neighbour of its own
    images, each pair of opposite images being one edge.

    Attributes:
        first: [n_atoms + 1] int64; edges first[i] to first[i+1] - 1 belong to atom i.
        neighbour: [n_edges] int32, the second atom of each edge.
    """

    def __init__(self, cutoff: float, skin: float) -> None:
        self.cutoff = cutoff
        self.skin = skin
        self.first: NDArray[np.int64] = np.zeros(1, dtype=np.int64)
        self.neighbour: NDArray[np.int32] = np.zeros(0, dtype=np.int32)
        self._positions: NDArray[np.float64] | None = None

    def vectors(
        self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return r_j - r_i of every edge, [n_edges, 3] in Angstrom, after renewing the list if it has to be.

        The array is overwritten by the next call.

        Args:
            positions: [n_atoms, 3] in Angstrom.
            cell: [3, 3], a cell vector in each row, in Angstrom.
            pbc: [3], periodic along the cell vectors.

        Raises:
            InputError: a position is not finite, the cell does not span the periodic directions, or space is so wide
                and flat that neighbours cannot be searched in it.
        """
        if not self._is_valid(positions, cell, pbc):
            self._build(positions, cell, pbc)
        # Indices are in range by construction; "clip" spares numpy a checked copy.
        positions.take(self._j, axis=0, out=self._vectors, mode="clip")
        positions.take(self._i, axis=0, out=self._scratch, mode="clip")
        self._vectors -= self._scratch
        if self._shifts is not None:
            self._vectors += self._shifts
        return self._vectors

    def _is_valid(self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]) -> bool:
        if self._positions is None or len(positions) != len(self._positions) or (pbc != self._pbc).any():
            return False
        if self._shifts is not None and (cell != self._cell).any():
            return False
        moved = positions - self._positions
        # NaN compares false: such positions are looked at, and refused, when the list is built.
        return bool(np.einsum("ij,ij->i", moved, moved).max() <= (0.5 * self.skin) ** 2)

    def _build(self, positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]) -> None:
        with own_libraries():
            import vesin  # here: vesin imports torch where that is installed

        self._positions = None
        check_geometry(positions, cell, pbc)
        # One thread: the list is built rarely, and the machine's cores may be taken by other walkers or images.
        reach = self.cutoff + self.skin
        search = vesin.NeighborList(cutoff=reach, full_list=False, sorted=True, n_threads=1)
        places, upright, turns = compacted(positions, cell, pbc, reach)
        check_flatness(places, upright, pbc, reach)
        pairs, shifts = search.compute(places, upright, pbc, quantities="PS")
        self._i, self._j = pairs.T.astype(np.intp)
        self.first = np.searchsorted(self._i, np.arange(len(positions) + 1)).astype(np.int64)
        self.neighbour = self._j.astype(np.int32)
        self._shifts = (shifts + (turns[self._i] - turns[self._j])) @ cell if pbc.any() else None
        self._vectors = np.empty((len(pairs), 3))
        self._scratch = np.empty((len(pairs), 3))
        self._positions, self._cell, self._pbc = positions.copy(), cell.copy(), pbc.copy()


def compacted(
    positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
    """Atoms with the same neighbours within `reach` in less space: positions [n_atoms, 3] and a cell [3, 3] in
    Angstrom, and by how many periods an atom was brought back along each cell vector [n_atoms, 3].

    Along periodic directions atoms come back into the cell. Along the others, where a gap between atoms is wider than
    `reach`, what is beyond comes closer until it is as wide; cell vectors mean nothing there and become upright.

    vesin (0.6) divides space into cells. Where atoms span 300 times more of them in two directions than in the third,
    as after two atoms have flown off, it divides by zero, which ends the process; in oblique cells it may never end.
    """
    periodic = int(np.count_nonzero(pbc))
    axes = np.linalg.svd(cell[pbc])[2] if periodic else np.eye(3)  # those after the periodic ones are upright on them
    upright = cell.copy()
    upright[~pbc] = axes[periodic:]
    places, turns = positions, np.zeros_like(positions)
    if periodic:
        turns[:, pbc] = np.floor(positions @ np.linalg.inv(upright)[:, pbc])
        places = positions - turns @ upright
    along = places @ axes.T
    for axis in range(periodic, 3):
        order = np.argsort(along[:, axis], kind="stable")
        with np.errstate(over="ignore"):  # a gap may be infinite
            gaps = np.diff(along[order, axis])
        if (gaps > reach).any():
            along[order, axis] = np.concatenate([[0.0], np.cumsum(np.minimum(gaps, reach))])
            places = along @ axes
    return places, upright, turns


def check_flatness(
    places: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_], reach: float
) -> None:
    """Refuse what vesin cannot search, after all that `compacted` could do; lengths in Angstrom.

    Of more than BOXES boxes as wide as `reach` vesin (0.6) makes fewer, in all directions by the same factor, rounded
    down; where none is left in one of them it divides by zero.
    """
    widths = np.maximum(1.01 * np.ptp(places, axis=0), 1.0)
    widths[pbc] = 1.0 / np.linalg.norm(np.linalg.inv(cell), axis=0)[pbc]
    x, y, z = np.maximum(np.trunc(widths / reach), 1.0)
    fewer_z = np.trunc(np.cbrt(BOXES / (x / y * (y / z) ** 2)))
    fewer_y = np.trunc(y / z * fewer_z)
    fewer_x = np.trunc(x / y * fewer_y)
    if x * y * z > BOXES and fewer_x * fewer_y * fewer_z == 0.0:
        raise InputError(
            f"positions and cell: got a space of {x:.0f} x {y:.0f} x {z:.0f} boxes of {reach:g} A, too flat for a "
            f"search of neighbours; allowed are {BOXES} boxes, and more where the thinnest direction has its share: "
            "repeat the cell in that direction, or use pair_style hea in LAMMPS"
        )


def check_geometry(positions: NDArray[np.float64], cell: NDArray[np.float64], pbc: NDArray[np.bool_]) -> None:
    """Refuse positions and cells between which there are no distances."""
    wrong = ~np.isfinite(positions).all(axis=1)
    if wrong.any():
        atom = int(np.argmax(wrong))
        raise InputError(
            f"positions: got {positions[atom].tolist()} for atom {atom} ({wrong.sum()} such atoms); "
            "allowed are finite numbers"
        )
    if not pbc.any():
        return
    periodic = cell[pbc]
    if not np.isfinite(cell).all() or np.linalg.matrix_rank(periodic) < len(periodic):
        raise InputError(
            f"cell: got {cell.tolist()} with periodic directions {pbc.tolist()}; allowed are finite cell vectors, "
            "linearly independent along the periodic directions"
        )
