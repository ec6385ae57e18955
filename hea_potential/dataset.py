"""Data sets of labelled structures in one HDF5 file.

Arrays are flat: structure k has the atoms `offsets[k]:offsets[k+1]` of `numbers`, `positions` and `forces`.

| HDF5 dataset  | shape, type     | unit   |                                                                    |
|---------------|-----------------|--------|--------------------------------------------------------------------|
| `offsets`     | n+1, int64      |        |                                                                    |
| `numbers`     | N, uint8        |        | atomic numbers                                                     |
| `positions`   | N,3, float64    | A      | multiples of 1e-6                                                  |
| `cell`, `pbc` | n,3,3 and n,3   | A      | rows are the cell vectors                                          |
| `energy`      | n, float64      | eV     | multiples of 1e-6                                                  |
| `forces`      | N,3, float64    | eV/A   | multiples of 1e-5                                                  |
| `stress`      | n,6, float64    | eV/A^3 | ASE's sign and order xx yy zz yz xz xy; NaN unless periodic three ways |
| `kind`        | n, string       |        | what sort of structure it is                                       |
| `group`       | n, string       |        | its family: structures that share a parent, never split            |
| `name`        | n, string       |        | unique                                                             |
| `n_elements`  | n, uint8        |        |                                                                    |

Attributes: `format`, `version`, `provenance` (JSON) and `sha256`; `failures` is a scalar dataset (JSON: name to why it
has no label).
The hash covers the contents of all structures but not their order, names, provenance or failures: two runs that
label the same structures in another order have the same hash.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from ase.calculators.singlepoint import SinglePointCalculator
from ase.data import atomic_numbers

from hea_potential.complete_file import complete_file
from hea_potential.errors import InputError
from hea_potential.frame import FORCE_DECIMALS, POSITION_DECIMALS, Frame
from hea_potential.split import Split, even_split, lasting_split

FORMAT = "hea-potential data set"
VERSION = 1


@dataclass(frozen=True)
class DataSet:
    """A data set in memory. Fields as in the table of this module; `n_elements` is computed."""

    offsets: np.ndarray
    numbers: np.ndarray
    positions: np.ndarray
    cell: np.ndarray
    pbc: np.ndarray
    energy: np.ndarray
    forces: np.ndarray
    stress: np.ndarray
    kind: np.ndarray
    group: np.ndarray
    name: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def sizes(self) -> np.ndarray:
        """Atoms in each structure (n,)."""
        return np.diff(self.offsets)

    @property
    def n_elements(self) -> np.ndarray:
        """Different elements in each structure (n,)."""
        return np.array([len(found) for found in self.element_sets], dtype=np.uint8)

    @property
    def element_sets(self) -> list[tuple[int, ...]]:
        """Atomic numbers that occur in each structure, ascending."""
        return [tuple(np.unique(self.numbers[a:b]).tolist()) for a, b in self.bounds()]

    def bounds(self) -> Iterable[tuple[int, int]]:
        """First and last-plus-one atom of each structure."""
        return zip(self.offsets[:-1].tolist(), self.offsets[1:].tolist(), strict=True)

    def frame(self, k: int) -> Frame:
        """Structure k as arrays (views)."""
        a, b = self.offsets[k], self.offsets[k + 1]
        return Frame(
            name=str(self.name[k]),
            kind=str(self.kind[k]),
            group=str(self.group[k]),
            numbers=self.numbers[a:b],
            positions=self.positions[a:b],
            cell=self.cell[k],
            pbc=self.pbc[k],
            energy=float(self.energy[k]),
            forces=self.forces[a:b],
            stress=self.stress[k],
        )

    def atoms(self, k: int) -> Atoms:
        """Structure k as ASE atoms whose calculator holds the labels."""
        if not 0 <= k < len(self):
            raise InputError(f"structure {k} does not exist; allowed are 0 to {len(self) - 1}")
        frame = self.frame(k)
        atoms = Atoms(frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc)
        labels: dict[str, Any] = {"energy": frame.energy, "free_energy": frame.energy, "forces": frame.forces}
        if frame.pbc.all():
            labels["stress"] = frame.stress
        atoms.calc = SinglePointCalculator(atoms, **labels)
        atoms.info.update(name=frame.name, kind=frame.kind, group=frame.group)
        return atoms

    def select(self, chosen: np.ndarray | Sequence[int]) -> DataSet:
        """The structures of a boolean mask (n,) or of a list of indices, in that order."""
        chosen = np.asarray(chosen)
        if chosen.dtype == bool and chosen.shape != (len(self),):
            raise InputError(f"a mask needs {len(self)} values, got shape {chosen.shape}")
        indices = np.flatnonzero(chosen) if chosen.dtype == bool else chosen.astype(np.int64)
        if len(indices) and (indices.min() < 0 or indices.max() >= len(self)):
            raise InputError(f"indices must be 0 to {len(self) - 1}, got {indices.min()} to {indices.max()}")
        rows = [np.arange(self.offsets[k], self.offsets[k + 1]) for k in indices]
        atoms = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
        per_structure = {what: getattr(self, what)[indices] for what in PER_STRUCTURE}
        per_atom = {what: getattr(self, what)[atoms] for what in PER_ATOM}
        offsets = np.concatenate([[0], np.cumsum(self.sizes[indices])]).astype(np.int64)
        return replace(self, offsets=offsets, **per_structure, **per_atom)

    def of_elements(self, symbols: Sequence[str]) -> DataSet:
        """The structures that hold none but these elements (chemical symbols)."""
        allowed = {atomic_numbers[symbol] for symbol in symbols}
        return self.select(np.array([allowed.issuperset(found) for found in self.element_sets], dtype=bool))

    def append(self, frames: Sequence[Frame]) -> DataSet:
        """A data set with these frames added. Raises InputError for a name that is there already."""
        known = set(self.name.tolist())
        for frame in frames:
            if frame.name in known:
                raise InputError(f"structure {frame.name!r} is in the data set already")
            known.add(frame.name)
        if not frames:
            return self
        added: dict[str, Any] = {}
        for what in PER_ATOM:
            added[what] = np.concatenate([getattr(self, what), *(getattr(frame, what) for frame in frames)])
        for what in PER_STRUCTURE:
            rows = [getattr(frame, what) for frame in frames]
            added[what] = np.concatenate([getattr(self, what), np.array(rows, dtype=getattr(self, what).dtype)])
        sizes = np.concatenate([self.sizes, [len(frame.numbers) for frame in frames]])
        return replace(self, offsets=np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64), **added)

    def sha256(self) -> str:
        """Hash of the contents, whatever the order of the structures."""
        digests = []
        for k in range(len(self)):
            frame = self.frame(k)
            digest = hashlib.sha256(f"{frame.kind}\n{frame.group}\n".encode())
            for values in (frame.numbers, frame.pbc):
                digest.update(values.astype("u1").tobytes())
            for values in (frame.positions, frame.cell, np.array(frame.energy), frame.forces, frame.stress):
                digest.update((values + 0.0).astype("<f8").tobytes())  # + 0.0 makes -0 and 0 the same
            digests.append(digest.digest())
        return hashlib.sha256(b"".join(sorted(digests))).hexdigest()

    def split(self, seed: int, fractions: tuple[float, float, float] = (0.8, 0.1, 0.1)) -> Split:
        """Divide into training, validation and test as `split.even_split` does."""
        return even_split(self.kind, self.group, self.element_sets, seed, fractions)


PER_ATOM = {"numbers": (), "positions": (3,), "forces": (3,)}
PER_STRUCTURE = {"cell": (3, 3), "pbc": (3,), "energy": (), "stress": (6,), "kind": (), "group": (), "name": ()}
TYPES = {"numbers": np.uint8, "pbc": bool, "kind": object, "group": object, "name": object}


def fixed_split(dataset: DataSet, seed: int) -> Split:
    """Divide into training, validation and test by a rule that no new data changes: see `split.lasting_split`."""
    return lasting_split(dataset.kind, dataset.group, seed)


def empty_dataset(provenance: dict[str, Any]) -> DataSet:
    """A data set without structures."""
    shapes = (PER_ATOM | PER_STRUCTURE).items()
    arrays: dict[str, Any] = {what: np.empty((0, *shape), TYPES.get(what, float)) for what, shape in shapes}
    return DataSet(offsets=np.zeros(1, dtype=np.int64), **arrays, provenance=provenance)


def write_dataset(path: str | os.PathLike[str], dataset: DataSet, compression: int = 4) -> None:
    """Write a data set; the file appears complete or not at all. `compression` is gzip's level.

    Raises OutputError when the folder is missing, cannot be written or the disk is full.
    """
    import h5py

    packed = {"compression": "gzip", "compression_opts": compression, "shuffle": True}
    fixed_point = {"positions": POSITION_DECIMALS, "forces": FORCE_DECIMALS}
    # The file is made in memory: HDF5 does not end in an orderly way on a disk that fills up.
    content = io.BytesIO()
    with complete_file(path) as temporary, h5py.File(content, "w") as file:
        file.attrs.update(format=FORMAT, version=VERSION, sha256=dataset.sha256())
        file.attrs["provenance"] = json.dumps(dataset.provenance, sort_keys=True)
        # Attributes are limited to 64 kB; the failures of a large run are not.
        file.create_dataset("failures", data=json.dumps(dataset.failures, sort_keys=True), dtype=h5py.string_dtype())
        file.create_dataset("offsets", data=dataset.offsets, **packed)
        file.create_dataset("n_elements", data=dataset.n_elements, **packed)
        for what in PER_ATOM | PER_STRUCTURE:
            values = getattr(dataset, what)
            if TYPES.get(what) is object:
                file.create_dataset(what, data=values.tolist(), dtype=h5py.string_dtype(), **packed)
            else:
                options = {"scaleoffset": fixed_point[what]} if what in fixed_point and len(values) else {}
                file.create_dataset(what, data=values, **packed, **options)
        file.close()
        temporary.write_bytes(content.getvalue())


def read_dataset(path: str | os.PathLike[str]) -> DataSet:
    """Read and check a data set.

    Raises InputError for a file that is missing, truncated, of another format or version, with wrong shapes, numbers
    that are not finite, or contents that do not fit the stored hash.
    """
    import h5py

    path = Path(path)
    if not path.is_file():
        raise InputError(f"data set {path} {'is a folder' if path.is_dir() else 'does not exist'}")
    try:
        with h5py.File(path, "r") as file:
            found, version = file.attrs.get("format"), file.attrs.get("version")
            if found != FORMAT or version != VERSION:
                raise InputError(f"{path} is {found!r} version {version}; allowed is {FORMAT!r} version {VERSION}")
            offsets = file["offsets"][:].astype(np.int64)
            arrays: dict[str, Any] = {}
            for what in PER_ATOM | PER_STRUCTURE:
                values = file[what].asstr()[:] if TYPES.get(what) is object else file[what][:]
                arrays[what] = values.astype(TYPES.get(what, float))
            expected = str(file.attrs["sha256"])
            provenance = json.loads(file.attrs["provenance"])
            failures = json.loads(file["failures"].asstr()[()])
    except (OSError, KeyError, ValueError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{path} is not a readable data set (truncated or damaged): {error}") from error
    # Fixed-point storage is exact up to the last bit of a double; rounding again makes it exact.
    arrays["positions"] = np.round(arrays["positions"], POSITION_DECIMALS)
    arrays["forces"] = np.round(arrays["forces"], FORCE_DECIMALS)
    check_shapes(path, offsets, arrays)
    dataset = DataSet(offsets=offsets, provenance=provenance, failures=failures, **arrays)
    for k in range(len(dataset)):
        dataset.frame(k)
    if dataset.sha256() != expected:
        raise InputError(f"the contents of {path} do not fit its hash: got {dataset.sha256()}, expected {expected}")
    return dataset


def check_shapes(path: Path, offsets: np.ndarray, arrays: dict[str, Any]) -> None:
    """Raise InputError unless all arrays have the sizes that the offsets say."""
    if offsets.ndim != 1 or len(offsets) == 0 or offsets[0] != 0 or np.any(np.diff(offsets) < 1):
        raise InputError(f"{path}: offsets must start at 0 and rise")
    for table, count in ((PER_ATOM, int(offsets[-1])), (PER_STRUCTURE, len(offsets) - 1)):
        for what, shape in table.items():
            if arrays[what].shape != (count, *shape):
                raise InputError(f"{path}: {what} has shape {arrays[what].shape}, expected {(count, *shape)}")
