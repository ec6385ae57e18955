"""Whether a new model may take the old one's place: their errors on the same structures, which neither was taught."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from hea_training.architecture import Architecture
from hea_training.evaluate import Errors, errors_of
from hea_training.graph import Graphs
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.strata import Tensors, load_network

from hea_potential.split import Split

__all__ = ["part_errors", "verdict"]


def part_errors(arch: Architecture, tensors: Tensors, graphs: Graphs, split: Split) -> dict[str, Any]:
    """Mean absolute errors of a model on each part of a split: of `all` its structures, and by number of elements. Free
    atoms and pairs of atoms are left out (`Graphs.beyond_pairs`): a few compressed pairs would outweigh all clusters.

    structures; energy_mae in eV a structure; energy_mae_atom in meV/atom; force_mae in meV/A, of components.
    """
    graphs.set_offsets(tensors["e0"], tensors["zbl.inner"], tensors["zbl.outer"])
    network, table = load_network(arch, tensors), torch.from_numpy(tensors["filters"].astype(np.float32))
    errors, n_elements = errors_of(network, table, graphs), graphs.composition().sum(1)
    found: dict[str, Any] = {}
    for part in ("train", "valid", "test"):
        of_part = graphs.beyond_pairs & np.isin(np.arange(len(graphs)), getattr(split, part))
        groups = {"all": of_part} | {str(n): of_part & (n_elements == n) for n in np.unique(n_elements[of_part])}
        found[part] = {name: mean_errors(errors, graphs, chosen) for name, chosen in groups.items()}
    return found


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

    Better is a smaller energy_weight * energy_mae_atom + force_weight * force_mae on the validation part: the loss of
    the training, without its rounding. A small data set without a validation part is judged by its training part.
    """
    if not before:
        return True, "the first model"
    part = next((part for part in ("valid", "train") if after[part]["all"]["structures"]), None)
    if part is None:
        return True, "there are no structures but atoms and pairs of atoms to judge by"
    old, new = (scored(errors[part]["all"], settings) for errors in (before, after))
    count, name = after[part]["all"]["structures"], {"valid": "validation", "train": "training"}[part]
    comparison = (
        f"{settings.energy_weight:g} x energy (meV/atom) + {settings.force_weight:g} x force (meV/A) on {count} "
        f"{name} structures: {new:.1f}, before {old:.1f}"
    )
    return new < old, f"{'better' if new < old else 'not better'}: {comparison}"


def scored(errors: dict[str, float], settings: RefreshSettings) -> float:
    """The number by which models are compared."""
    return settings.energy_weight * errors["energy_mae_atom"] + settings.force_weight * errors["force_mae"]
