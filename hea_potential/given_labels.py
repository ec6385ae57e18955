"""Structures that come with energies and forces, such as a user's own DFT calculations, as a data set."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from ase import Atoms
from ase.stress import full_3x3_to_voigt_6_stress

from hea_potential.dataset import DataSet, empty_dataset
from hea_potential.errors import InputError
from hea_potential.frame import Frame

__all__ = ["Keys", "given_labels"]

ALONE = {1: "atom", 2: "dimer"}  # kinds by number of atoms
LISTED = 3  # of the structures without a label, those that are named


@dataclass(frozen=True)
class Keys:
    """Where a structure has its labels: the name of a result of its calculator, or else a key of `Atoms.info` (energy,
    stress) or `Atoms.arrays` (forces).
    """

    energy: str = "energy"
    forces: str = "forces"
    stress: str = "stress"


def given_labels(
    structures: Sequence[Atoms], names: Sequence[str], provenance: dict[str, Any], keys: Keys | None = None
) -> DataSet:
    """A data set of structures with the labels that they come with: eV, eV/A, eV/A^3 in ASE's order and sign.

    Of a structure's `info` it takes `kind` (default "atom" or "dimer" for one or two atoms alone, else "structure") and
    `group` (default: its name): structures of a group, such as the frames of one trajectory, all teach or all judge.

    Raises InputError for structures without energy or forces, periodic ones without stress, and what a data set cannot
    hold.
    """
    keys = keys or Keys()
    frames: list[Frame] = []
    missing: dict[str, list[str]] = {}
    for atoms, name in zip(structures, names, strict=True):
        labels = dict(labels_of(atoms, keys))
        lacks = [key for what, key in wanted(atoms, keys).items() if what not in labels]
        for key in lacks:
            missing.setdefault(key, []).append(name)
        if not lacks:
            frames.append(frame_of(atoms, name, labels))
    if missing:
        told = "; ".join(f"{key}: {listed(those)}" for key, those in missing.items())
        raise InputError(
            f"{len(structures) - len(frames)} of {len(structures)} structures lack labels ({told}); each needs energy "
            f"and forces, and stress if it is periodic in three directions"
        )
    return empty_dataset(provenance).append(frames)


def wanted(atoms: Atoms, keys: Keys) -> dict[str, str]:
    """The labels that a structure needs, and what they are called."""
    periodic = {"stress": keys.stress} if atoms.pbc.all() else {}
    return {"energy": keys.energy, "forces": keys.forces, **periodic}


def labels_of(atoms: Atoms, keys: Keys) -> Iterator[tuple[str, Any]]:
    """The labels that a structure has."""
    results = {} if atoms.calc is None else atoms.calc.results
    for what, key in wanted(atoms, keys).items():
        places = (results, atoms.arrays if what == "forces" else atoms.info)
        found = next((place[key] for place in places if place.get(key) is not None), None)
        if found is not None:
            yield what, found


def frame_of(atoms: Atoms, name: str, labels: dict[str, Any]) -> Frame:
    """A labelled structure. Raises InputError for labels of a wrong shape."""
    shapes = {"energy": (), "forces": (len(atoms), 3), "stress": (6,)}
    for what, values in labels.items():
        try:
            labels[what] = np.asarray(values, dtype=float)
        except (TypeError, ValueError) as error:
            raise InputError(f"structure {name!r}: {what} is {values!r}; allowed are numbers") from error
        if what == "stress" and labels[what].size == 9:  # as extended XYZ has it
            labels[what] = full_3x3_to_voigt_6_stress(labels[what].reshape(3, 3))
        if labels[what].shape != shapes[what]:
            raise InputError(f"structure {name!r}: {what} has shape {labels[what].shape}, allowed is {shapes[what]}")
    usual = "structure" if atoms.pbc.any() else ALONE.get(len(atoms), "structure")
    kind = str(atoms.info.get("kind", usual))
    return Frame.from_results(atoms, name, kind, str(atoms.info.get("group", name)), labels)


def listed(names: Sequence[str]) -> str:
    """Some names in words."""
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return f"{', '.join(names[:LISTED])}{more}"
