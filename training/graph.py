"""Structures as flat arrays, and batches of them: the neighbours of every structure are found once, before training."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from ase import Atoms
from ase.data import chemical_symbols
from hea_training.convolution import Edges
from hea_training.zbl import zbl_energy_and_slope
from torch import Tensor
from vesin import NeighborList

from hea_potential.dataset import DataSet
from hea_potential.model_file import pair_index
from hea_potential.neighbours import check_flatness, compacted

__all__ = ["Batch", "Graphs", "smallest_distances"]

WIDE = 100.0  # cutoffs; vesin searches any space that is no wider


@dataclass(frozen=True)
class Batch:
    """Some structures at once; atoms are sorted by element so that every element's rows are one slice.

    species [N]: element numbers; counts: atoms of each element; structure [N]: whose atom it is; sizes [M]: atoms of
    each structure; edges: without velocity; energy [M] (eV) and forces [N, 3] (eV/A): still to be learned, reference
    minus isolated atoms minus ZBL; reference_force [N]: |F| of the reference (eV/A); alloyed: whether any structure has
    more than one element.
    """

    species: Tensor
    counts: tuple[int, ...]
    structure: Tensor
    sizes: Tensor
    edges: Edges
    energy: Tensor
    forces: Tensor
    reference_force: Tensor
    alloyed: bool


class Graphs:
    """A set of structures with their half edges and labels, in flat arrays (float64 labels, float32 displacements).

    `energies` and `forces` are the reference's; `offset_energy` and `offset_forces` what the network does not learn
    (E0 and ZBL).
    """

    n_atoms: np.ndarray  # [M]
    n_edges: np.ndarray  # [M]
    atom_start: np.ndarray  # [M + 1]
    edge_start: np.ndarray  # [M + 1]
    species: np.ndarray  # [N] element numbers
    forces: np.ndarray  # [N, 3]
    offset_forces: np.ndarray  # [N, 3]
    energies: np.ndarray  # [M]
    offset_energy: np.ndarray  # [M]
    alloyed: np.ndarray  # [M] more than one element
    first: np.ndarray  # [E] atoms, counted within their structure
    second: np.ndarray  # [E]
    pair: np.ndarray  # [E] pair of elements
    owner: np.ndarray  # [E] structure
    displacement: np.ndarray  # [E, 3]

    def __init__(self, elements: Sequence[str], cutoff: float):
        self.elements, self.cutoff = tuple(elements), float(cutoff)

    @classmethod
    def build(
        cls,
        elements: Sequence[str],
        cutoff: float,
        structures: Iterable[Atoms],
        energies: Sequence[float] | np.ndarray,
        forces: Sequence[np.ndarray],
    ) -> "Graphs":
        """Finds the neighbours of every structure (units: A, eV, eV/A). Raises ValueError for an element that is not
        in `elements`, InputError for space too wide and flat to be searched."""
        self = cls(elements, cutoff)
        number = {symbol: k for k, symbol in enumerate(self.elements)}
        search = NeighborList(cutoff=self.cutoff, full_list=False, n_threads=1)
        species, first, second, displacement = [], [], [], []
        for atoms in structures:
            unknown = sorted(set(atoms.get_chemical_symbols()) - set(number))
            if unknown:
                raise ValueError(f"a structure has the elements {unknown}, the model has {list(self.elements)}")
            places, cell = atoms.positions, atoms.cell.array
            if max(np.ptp(places, axis=0).max(), atoms.cell.lengths().max()) > WIDE * self.cutoff:
                places, cell, _ = compacted(places, cell, atoms.pbc, self.cutoff)
                check_flatness(places, cell, atoms.pbc, self.cutoff)
            i, j, d = search.compute(places, cell, atoms.pbc, "ijD")
            species.append(np.array([number[s] for s in atoms.get_chemical_symbols()], dtype=np.int64))
            first.append(i.astype(np.int64))
            second.append(j.astype(np.int64))
            displacement.append(d.astype(np.float64))
        self.n_atoms = np.array([len(s) for s in species], dtype=np.int64)
        self.n_edges = np.array([len(i) for i in first], dtype=np.int64)
        self.species = np.concatenate(species) if species else np.zeros(0, np.int64)
        self.first, self.second = (np.concatenate(x) if x else np.zeros(0, np.int64) for x in (first, second))
        self.displacement = np.concatenate(displacement) if displacement else np.zeros((0, 3))
        self.energies = np.asarray(energies, dtype=np.float64)
        self.forces = (
            np.concatenate([np.asarray(f, dtype=np.float64) for f in forces]) if len(forces) else np.zeros((0, 3))
        )
        self.offset_energy, self.offset_forces = np.zeros_like(self.energies), np.zeros_like(self.forces)
        self._index()
        return self

    @staticmethod
    def symbols(numbers: Iterable[int]) -> list[str]:
        """Chemical symbols of atomic numbers."""
        return [chemical_symbols[z] for z in numbers]

    @classmethod
    def of(cls, dataset: DataSet, elements: Sequence[str], cutoff: float) -> "Graphs":
        """All structures of a data set, with its labels."""
        structures = (
            Atoms(dataset.numbers[a:b], positions=dataset.positions[a:b], cell=cell, pbc=pbc)
            for (a, b), cell, pbc in zip(dataset.bounds(), dataset.cell, dataset.pbc, strict=True)
        )
        return cls.build(
            elements, cutoff, structures, dataset.energy, [dataset.forces[a:b] for a, b in dataset.bounds()]
        )

    def _index(self) -> None:
        self.atom_start = np.concatenate([[0], np.cumsum(self.n_atoms)])
        self.edge_start = np.concatenate([[0], np.cumsum(self.n_edges)])
        owner = np.repeat(np.arange(len(self)), self.n_edges)
        start = self.atom_start[owner]
        every = range(len(self.elements))
        pairs = np.array([[pair_index(a, b, len(every)) for b in every] for a in every])
        self.pair = pairs[self.species[start + self.first], self.species[start + self.second]]
        self.owner = owner
        self.alloyed = self.composition().sum(1) > 1

    def __len__(self) -> int:
        return len(self.n_atoms)

    @property
    def beyond_pairs(self) -> np.ndarray:
        """[M] whether a structure is more than a free atom or a free pair of atoms: has more than one edge.

        A young data set has many pairs, up into the repulsion, where errors of many eV mean nothing for clusters.
        """
        return self.n_edges > 1

    def subset(self, rows: np.ndarray) -> "Graphs":
        """The structures `rows` as a set of their own."""
        part = Graphs(self.elements, self.cutoff)
        rows = np.asarray(rows, dtype=np.int64)
        atoms, edges = _ranges(self.atom_start, rows), _ranges(self.edge_start, rows)
        part.n_atoms, part.n_edges = self.n_atoms[rows], self.n_edges[rows]
        part.species, part.forces, part.offset_forces = (
            self.species[atoms],
            self.forces[atoms],
            self.offset_forces[atoms],
        )
        part.first, part.second, part.displacement = self.first[edges], self.second[edges], self.displacement[edges]
        part.energies, part.offset_energy = self.energies[rows], self.offset_energy[rows]
        part._index()
        return part

    def set_offsets(self, e0: np.ndarray, inner: np.ndarray, outer: np.ndarray) -> None:
        """Energies of isolated atoms e0 [S] and switched ZBL of radii inner, outer [pairs] become what the network
        need not learn."""
        energy, slope = self.repulsion(inner, outer)
        counts = np.zeros((len(self), len(self.elements)))
        np.add.at(counts, (np.repeat(np.arange(len(self)), self.n_atoms), self.species), 1.0)
        self.offset_energy = counts @ e0 + np.bincount(self.owner, weights=energy, minlength=len(self))
        r = np.linalg.norm(self.displacement, axis=1, keepdims=True)
        pull = slope[:, None] * self.displacement / np.maximum(r, 1e-12)  # dE/dD, so +pull acts on the first atom
        start = self.atom_start[self.owner]
        self.offset_forces = np.zeros_like(self.forces)
        np.add.at(self.offset_forces, start + self.first, pull)
        np.add.at(self.offset_forces, start + self.second, -pull)

    def repulsion(self, inner: np.ndarray, outer: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Switched ZBL energy [E] in eV of every half edge and its derivative by the distance [E] in eV/A."""
        return zbl_energy_and_slope(self.elements, self.pair, np.linalg.norm(self.displacement, axis=1), inner, outer)

    def composition(self) -> np.ndarray:
        """Which elements each structure holds [M, S]."""
        has = np.zeros((len(self), len(self.elements)), dtype=bool)
        has[np.repeat(np.arange(len(self)), self.n_atoms), self.species] = True
        return has

    def batch(self, rows: np.ndarray, dtype: torch.dtype = torch.float32) -> Batch:
        """The structures `rows` side by side."""
        rows = np.asarray(rows, dtype=np.int64)
        atoms, edges = _ranges(self.atom_start, rows), _ranges(self.edge_start, rows)
        n_atoms = self.n_atoms[rows]
        species = self.species[atoms]
        order = np.argsort(species, kind="stable")
        place = np.empty_like(order)
        place[order] = np.arange(len(order))
        shift = np.repeat(np.concatenate([[0], np.cumsum(n_atoms)[:-1]]), self.n_edges[rows])
        learn = (self.forces[atoms] - self.offset_forces[atoms])[order]
        return Batch(
            species=torch.from_numpy(species[order]),
            counts=tuple(np.bincount(species, minlength=len(self.elements)).tolist()),
            structure=torch.from_numpy(np.repeat(np.arange(len(rows)), n_atoms)[order]),
            sizes=torch.from_numpy(n_atoms).to(dtype),
            edges=Edges(
                torch.from_numpy(place[self.first[edges] + shift]),
                torch.from_numpy(place[self.second[edges] + shift]),
                torch.from_numpy(self.pair[edges]),
                torch.from_numpy(self.displacement[edges]).to(dtype),
            ),
            energy=torch.from_numpy(self.energies[rows] - self.offset_energy[rows]).to(dtype),
            forces=torch.from_numpy(learn).to(dtype),
            reference_force=torch.from_numpy(np.linalg.norm(self.forces[atoms][order], axis=1)).to(dtype),
            alloyed=bool(self.alloyed[rows].any()),
        )


def _ranges(start: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """start[r]..start[r+1]-1 for every r of rows, one after the other."""
    length = start[rows + 1] - start[rows]
    offset = np.repeat(start[rows] - np.concatenate([[0], np.cumsum(length)[:-1]]), length)
    return np.arange(int(length.sum())) + offset


def smallest_distances(graphs: Graphs) -> np.ndarray:
    """The smallest distance of every pair of elements [pairs] in A; infinite for pairs that never meet within the
    cutoff."""
    n = len(graphs.elements)
    smallest = np.full(n * (n + 1) // 2, np.inf)
    np.minimum.at(smallest, graphs.pair, np.linalg.norm(graphs.displacement, axis=1))
    return smallest
