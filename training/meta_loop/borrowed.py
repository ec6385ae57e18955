"""A model for elements that it does not have: each borrows the features of one of about its size.

A search that learns from labels needs features of atoms that tell structures apart, not their energies. A trained
network has them for its own elements, and what it knows of an atom is mostly where its neighbours are; so an element
that it lacks takes the part of another one, and all lengths are scaled by the ratio of their radii. Energies and sigma
of such a model mean little before its first labels; the mode `gofee` learns both.
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

OF_LENGTHS = ("distance.min", "zbl.inner", "zbl.outer")
OF_OTHERS = ("name", "provenance", "errors")  # in the metadata: true of the model that lends, not of this one


def lenders(elements: Sequence[str], known: Sequence[str]) -> list[str]:
    """For each element (chemical symbols) the one of the `known` whose part it takes: itself if it is known, the others
    those of covalent radii that are altogether nearest; no two take the same.

    Raises InputError if there are more elements than known ones.
    """
    if len(elements) > len(known):
        raise InputError(f"elements: got {len(elements)}; a model of {', '.join(known)} lends to at most {len(known)}")
    free = [symbol for symbol in known if symbol not in elements]
    lacking = [symbol for symbol in elements if symbol not in known]
    rows, columns = linear_sum_assignment(np.abs(radii(lacking)[:, None] - radii(free)))
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


def radii(symbols: Sequence[str]) -> NDArray[np.float64]:
    """Covalent radii (n,), A: Cordero et al., Dalton Trans. 2832 (2008), as ASE has them."""
    return np.asarray(covalent_radii[[atomic_numbers[symbol] for symbol in symbols]], dtype=np.float64)
