"""A model for elements that it does not have: each borrows the features of a relative.

A search that learns from labels needs features of atoms that tell structures apart, not their energies. A trained
network has them for its own elements, and what it knows of an atom is mostly where its neighbours are; so an element
that it lacks takes the part of the nearest in the periodic table, and all lengths are scaled by the ratio of their
radii. Energies and sigma of such a model mean little before its first labels; the mode `gofee` learns both.

Relatives matter. On Cu7Ni2 with the other four elements of hea6, palladium and silver in the places of nickel and
copper found the best minimum of EMT after 7 calculations, platinum and gold, whose radii are nearer, after 20 and more.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from ase.data import atomic_numbers, covalent_radii
from hea_training.meta_loop.restricted import restricted
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile

__all__ = ["borrowed", "lenders"]

NOBLE_GASES = (2, 10, 18, 36, 54, 86, 118)  # atomic numbers: a period ends with each
OF_LENGTHS = ("distance.min", "zbl.inner", "zbl.outer")
OF_OTHERS = ("name", "provenance", "errors")  # in the metadata: true of the model that lends, not of this one


def lenders(elements: Sequence[str], known: Sequence[str]) -> list[str]:
    """For each element (chemical symbols) the one of the `known` whose part it takes: itself if it is known, the others
    those that are altogether the fewest periods and groups away; no two take the same.

    Raises InputError if there are more elements than known ones.
    """
    if len(elements) > len(known):
        raise InputError(f"elements: got {len(elements)}; a model of {', '.join(known)} lends to at most {len(known)}")
    free = [symbol for symbol in known if symbol not in elements]
    lacking = [symbol for symbol in elements if symbol not in known]
    steps = np.abs(places(lacking)[:, None] - places(free)).sum(axis=2)
    rows, columns = linear_sum_assignment(steps)
    lent = {lacking[row]: free[column] for row, column in zip(rows, columns, strict=True)}
    return [lent.get(symbol, symbol) for symbol in elements]


def borrowed(model: ModelFile, elements: Sequence[str]) -> ModelFile:
    """The model for these elements, in this order; its metadata say under `borrowed` which take the part of which.

    At distances s r it gives the energies (above isolated atoms, ZBL apart) that the lenders have at distances r, s
    being the ratio of the mean covalent radii, 1 where nothing is borrowed. Raises InputError as `lenders`.
    """
    lent = lenders(elements, model.elements)
    part = restricted(model, lent)
    if lent == list(elements):
        return part
    scale = float(radii(elements).mean() / radii(lent).mean())
    tensors = {name: part.tensors[name] * part.tensors[name].dtype.type(scale) for name in OF_LENGTHS}
    metadata = {key: value for key, value in part.metadata.items() if key not in OF_OTHERS}
    names = {"elements": list(elements), "borrowed": dict(zip(elements, lent, strict=True))}
    return ModelFile({**part.tensors, **tensors}, {**metadata, **names, "cutoff": part.cutoff * scale})


def places(symbols: Sequence[str]) -> NDArray[np.int64]:
    """Periods and groups (n, 2) in the periodic table; lanthanides and actinides stand with group 3."""
    found = []
    for symbol in symbols:
        number = atomic_numbers[symbol]
        period = int(np.searchsorted(NOBLE_GASES, number)) + 1
        before, last = (0, *NOBLE_GASES)[period - 1], NOBLE_GASES[period - 1]
        from_left, from_right = number - before, 18 - (last - number)
        found.append((period, from_left if from_left <= 2 and number != last else max(from_right, 3)))
    return np.array(found).reshape(-1, 2)


def radii(symbols: Sequence[str]) -> NDArray[np.float64]:
    """Covalent radii (n,), A: Cordero et al., Dalton Trans. 2832 (2008), as ASE has them."""
    return np.asarray(covalent_radii[[atomic_numbers[symbol] for symbol in symbols]], dtype=np.float64)
