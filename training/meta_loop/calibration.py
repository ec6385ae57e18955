"""Whether a model knows how wrong it is: its errors on unseen structures against the sigma that it gave them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.stats import mannwhitneyu

from hea_potential.dataset import DataSet
from hea_potential.described import describe

__all__ = ["calibration", "calibration_of"]

LARGE = 0.1  # the share of structures whose errors are called large
FEWEST = 20  # structures, below which the numbers would say nothing


def calibration(errors: Sequence[float] | NDArray[np.float64], sigmas: NDArray[np.float64]) -> dict[str, Any]:
    """How well sigmas [M] (eV, above zero) say what errors [M] (eV a structure) are.

    z_std: standard deviation of error / sigma, 1 for a sigma that is neither too small nor too large.
    auc: area under the receiver operating characteristic of sigma as a sign of a large error, the probability that a
    structure whose |error| is among the largest tenth has a larger sigma than one whose is not: 1/2 for a sigma that
    says nothing, 1 for one that knows them all. It is Mann and Whitney's U over the number of pairs (Bamber 1975).
    Both are None for fewer than 20 structures.
    """
    error, sigma = np.abs(np.asarray(errors, dtype=np.float64)), np.asarray(sigmas, dtype=np.float64)
    found: dict[str, Any] = {"z_std": None, "auc": None, "structures": len(error)}
    if len(error) < FEWEST:
        return found
    large = np.zeros(len(error), dtype=bool)
    large[np.argsort(-error, kind="stable")[: int(np.ceil(LARGE * len(error)))]] = True
    pairs = int(large.sum()) * int((~large).sum())
    found["z_std"] = round(float(np.std(np.asarray(errors) / sigma)), 4)
    found["auc"] = round(float(mannwhitneyu(sigma[large], sigma[~large]).statistic) / pairs, 4)
    return found


def calibration_of(model: Path, dataset: DataSet, rows: NDArray[np.integer]) -> dict[str, Any]:
    """The calibration of a model file, in the engine, on the structures `rows` of a data set.

    A free atom has no error, and free pairs of atoms are left out as well: their curves go up into the repulsion, where
    errors of many eV mean nothing for clusters.
    """
    chosen = [int(k) for k in rows if dataset.sizes[k] > 2 or dataset.pbc[k].any()]
    structures: list[Atoms] = [dataset.atoms(k) for k in chosen]
    said = describe(structures, model)
    return calibration(said.energies - dataset.energy[chosen], said.sigmas)
