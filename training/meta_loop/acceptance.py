"""Whether a new model may take the old one's place: their errors on the same structures, which neither was taught.

What the loop found and what it began with count alike, however many there are of each: a loop is there to become better
on what searches find, and few labels of that kind could not say so among thousands of others.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from hea_training.architecture import Architecture
from hea_training.evaluate import Errors, errors_of
from hea_training.graph import Graphs
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.strata import Tensors, load_network
from numpy.typing import NDArray

from hea_potential.split import Split

__all__ = ["part_errors", "verdict"]

JUDGES = {"valid": "validation", "train": "training"}


def part_errors(
    arch: Architecture, tensors: Tensors, graphs: Graphs, split: Split, found: NDArray[np.bool_]
) -> dict[str, Any]:
    """Mean absolute errors of a model on each part of a split: of `all` its structures, by number of elements, and of
    those of the `start` and those that were `found` (a mask). Free atoms and pairs of atoms are left out
    (`Graphs.beyond_pairs`): a few compressed pairs would outweigh all clusters.

    structures; energy_mae in eV a structure; energy_mae_atom in meV/atom; force_mae in meV/A, of components.
    """
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network, table = load_network(arch, tensors), torch.from_numpy(tensors["filters"].astype(np.float32))
    errors, n_elements = errors_of(network, table, graphs), graphs.composition().sum(1)
    parts: dict[str, Any] = {}
    for part in ("train", "valid", "test"):
        of_part = graphs.beyond_pairs & np.isin(np.arange(len(graphs)), getattr(split, part))
        groups = {"all": of_part} | {str(n): of_part & (n_elements == n) for n in np.unique(n_elements[of_part])}
        groups |= {"start": of_part & ~found, "found": of_part & found}
        parts[part] = {name: mean_errors(errors, graphs, chosen) for name, chosen in groups.items()}
    return parts


def mean_errors(errors: Errors, graphs: Graphs, chosen: np.ndarray) -> dict[str, float]:
    """Mean absolute errors of the chosen structures; only their number, 0, if there are none."""
    summary = errors.summary(chosen)
    if not summary["structures"]:
        return {"structures": 0}
    of_structures = errors.energy * graphs.n_atoms / 1e3
    return {
        "structures": summary["structures"],
        "energy_mae": round(float(of_structures[chosen].mean()), 6),
        "energy_mae_atom": summary["energy_mae"],
        "force_mae": summary["force_mae"],
    }


def verdict(before: dict[str, Any], after: dict[str, Any], settings: RefreshSettings) -> tuple[bool, str]:
    """Whether the new model is accepted, and why, from the errors of both (`part_errors`).

    The score of a group is energy_weight * energy_mae_atom + force_weight * force_mae, the loss of the training without
    its rounding. The new model is better if the product of new over old scores of the validation part's `start` and
    `found` is below 1. A small data set without a validation part is judged by its training part.
    """
    if not before:
        return True, "the first model"
    part = next((part for part in ("valid", "train") if after[part]["all"]["structures"]), None)
    if part is None:
        return True, "there are no structures but atoms and pairs of atoms to judge by"
    ratio, words = 1.0, []
    for group, origin in (("start", "to begin with"), ("found", "found by the loop")):
        if count := after[part][group]["structures"]:
            old, new = (scored(errors[part][group], settings) for errors in (before, after))
            ratio *= new / old if old else np.inf
            words.append(f"{count} {JUDGES[part]} structures {origin}: {new:.1f}, before {old:.1f}")
    comparison = (
        f"{settings.energy_weight:g} x energy (meV/atom) + {settings.force_weight:g} x force (meV/A) on "
        f"{'; on '.join(words)}"
    )
    return bool(ratio < 1.0), f"{'better' if ratio < 1.0 else 'not better'}: {comparison}"


def scored(errors: Mapping[str, float], settings: RefreshSettings) -> float:
    """The number by which models are compared."""
    return settings.energy_weight * errors["energy_mae_atom"] + settings.force_weight * errors["force_mae"]
