"""The three strata of a model: which structures teach which weights, and how a trained part joins what is there.

A model is a dict of arrays by the model file's names (`Tensors`). A stratum trains some entries of it and copies only
those back, so that all else, and with it every earlier prediction, stays what it was to the last bit.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hea_training.filters import Filters, first_free_control
from hea_training.fit import Settings, fit
from hea_training.graph import Graphs, smallest_distances
from hea_training.network import Architecture, Network
from hea_training.replay import Replay
from torch import Tensor

from hea_potential.errors import InputError
from hea_potential.model_file import pair_index

__all__ = [
    "Stratum",
    "Tensors",
    "all_strata",
    "load_network",
    "merge",
    "rows_of",
    "start",
    "store_network",
    "train_stratum",
    "trained_pairs",
]

Tensors = dict[str, np.ndarray]
_ZBL_INNER, _ZBL_OUTER = 0.7, 1.2  # times the smallest training distance


@dataclass(frozen=True)
class Stratum:
    """One training run: `kind` is elements, pair, many or full; `pair` the two element numbers of a pair stratum."""

    kind: str
    pair: tuple[int, int] | None = None

    def name(self, elements: tuple[str, ...]) -> str:
        """Name of the stratum's files, as pair-NiCu."""
        return f"pair-{elements[self.pair[0]]}{elements[self.pair[1]]}" if self.pair else self.kind


def all_strata(n_elements: int) -> list[list[Stratum]]:
    """The strata in order; those of one inner list do not depend on each other."""
    pairs = [Stratum("pair", (a, b)) for a in range(n_elements) for b in range(a + 1, n_elements)]
    return [[Stratum("elements")], pairs, [Stratum("many")] if n_elements > 2 else []]


def rows_of(stratum: Stratum, graphs: Graphs) -> np.ndarray:
    """The structures that teach a stratum: unary, exactly the two elements, three or more, or all."""
    has = graphs.composition()
    count = has.sum(1)
    if stratum.kind == "elements":
        return np.flatnonzero(count == 1)
    if stratum.pair is not None:
        return np.flatnonzero((count == 2) & has[:, stratum.pair[0]] & has[:, stratum.pair[1]])
    return np.flatnonzero(count >= 3) if stratum.kind == "many" else np.arange(len(graphs))


def start(arch: Architecture, graphs: Graphs, seed: int, atoms: Graphs | None = None) -> Tensors:
    """A model before training: random weights, E0 of the set's isolated atoms, ZBL and inner clamps from the set's
    distances.

    atoms: where the isolated atoms are looked for, by default among `graphs`. A model has their energies exactly, so
    that they need not be in the part that it is trained on.

    Raises InputError when there is no isolated atom of an element, or no two atoms of a pair within the cutoff.
    """
    atoms = graphs if atoms is None else atoms
    torch.manual_seed(seed)
    smallest = smallest_distances(graphs)
    names = [(arch.elements[a], arch.elements[b]) for a, b in zip(*np.triu_indices(arch.n_elements), strict=True)]
    unseen = ["-".join(names[k]) for k in np.flatnonzero(~np.isfinite(smallest))]
    if unseen:
        raise InputError(
            f"the data set has no atoms within {arch.cutoff} A of each other for the pairs {', '.join(unseen)}"
        )
    e0 = np.full(arch.n_elements, np.nan)
    for k in np.flatnonzero((atoms.n_atoms == 1) & (atoms.n_edges == 0)):
        e0[atoms.species[atoms.atom_start[k]]] = atoms.energies[k]
    if np.isnan(e0).any():
        missing = [s for s, e in zip(arch.elements, e0, strict=True) if np.isnan(e)]
        raise InputError(
            f"the data set has no isolated atom of {', '.join(missing)}: add a structure of a single atom for each"
        )
    tensors = store_network(Network(arch))
    tensors["e0"] = e0
    tensors["zbl.inner"], tensors["zbl.outer"] = _ZBL_INNER * smallest, _ZBL_OUTER * smallest
    tensors["distance.min"] = smallest
    shape = (arch.n_interactions, arch.n_pairs, arch.n_intervals + 3, arch.n_channels)
    tensors["filters"] = np.zeros(shape, dtype=np.float32)
    return tensors


def load_network(arch: Architecture, tensors: Tensors, dtype: torch.dtype = torch.float32) -> Network:
    """The torch network with the weights of a model."""
    network = Network(arch).to(dtype)
    with torch.no_grad():
        for name, parameter in _named(network):
            parameter.copy_(torch.from_numpy(tensors[name]))
    return network


def store_network(network: Network) -> Tensors:
    """The network's weights by the model file's names."""
    return {name: parameter.detach().numpy().copy() for name, parameter in _named(network)}


class _Stacked:
    """The parameters of one kind of layer of all interactions as one array."""

    def __init__(self, parts: list[Tensor]):
        self.parts = parts

    def copy_(self, values: Tensor) -> None:
        for part, value in zip(self.parts, values, strict=True):
            part.copy_(value)

    def detach(self) -> Tensor:
        return torch.stack([part.detach() for part in self.parts])


def _named(network: Network) -> list[tuple[str, Any]]:
    named: list[tuple[str, Any]] = [
        ("embedding", network.embedding),
        ("in2f", _Stacked([d.weight for d in network.in2f])),
        ("f2out1.weight", _Stacked([d.weight for d in network.f2out1])),
        ("f2out1.bias", _Stacked([d.bias for d in network.f2out1])),
        ("f2out2.weight", _Stacked([d.weight for d in network.f2out2])),
        ("f2out2.bias", _Stacked([d.bias for d in network.f2out2])),
        ("head.hidden.weight", network.head_weight),
        ("head.hidden.bias", network.head_bias),
        ("head.out", network.head_out),
    ]
    if network.arch.n_rows:
        named += [("adapter.in", network.adapter_in), ("adapter.out", network.adapter_out)]
    return named


def blocks(arch: Architecture, stratum: Stratum) -> list[tuple[int, slice]]:
    """The adapter rows (element, rows) that a stratum trains."""
    r = arch.rank_pair
    if stratum.pair is not None:
        a, b = stratum.pair
        return [(a, slice(b * r, (b + 1) * r)), (b, slice(a * r, (a + 1) * r))] if r else []
    if arch.rank_many == 0 or stratum.kind == "elements":
        return []
    rows = slice(arch.n_elements * r, arch.n_rows) if stratum.kind == "many" else slice(0, arch.n_rows)
    return [(z, rows) for z in range(arch.n_elements)]


def _mean_filters(arch: Architecture, filters: np.ndarray, first_free: np.ndarray) -> np.ndarray:
    """Every W_AB as (W_AA + W_BB)/2, flattened below the pair's own smallest distance."""
    filters, k = filters.copy(), np.arange(arch.n_intervals + 3)
    for a in range(arch.n_elements):
        for b in range(a + 1, arch.n_elements):
            same = [pair_index(z, z, arch.n_elements) for z in (a, b)]
            row = pair_index(a, b, arch.n_elements)
            mean = (filters[:, same[0]] + filters[:, same[1]]) / 2
            filters[:, row] = mean[:, np.maximum(k, first_free[row])]
    return filters


def trained_pairs(arch: Architecture, stratum: Stratum) -> list[int]:
    """The pairs of elements whose filters a stratum trains."""
    if stratum.pair is not None:
        return [pair_index(stratum.pair[0], stratum.pair[1], arch.n_elements)]
    if stratum.kind == "elements":
        return [pair_index(z, z, arch.n_elements) for z in range(arch.n_elements)]
    return list(range(arch.n_pairs)) if stratum.kind == "full" else []


def train_stratum(
    arch: Architecture,
    tensors: Tensors,
    stratum: Stratum,
    graphs: Graphs,
    settings: Settings,
    seed: int,
    *,
    warm: bool = False,
    replay: Replay | None = None,
    checkpoint: Path | None = None,
    checkpoint_seconds: float = 60.0,
    provenance: dict[str, Any] | None = None,
    on_epoch: Callable[[int, float, Network, Filters], None] | None = None,
) -> Tensors:
    """The entries of the model that the stratum teaches, trained on `graphs` (already its own structures): pass them
    to `merge`.

    `warm`: begin exactly with the model's filters, as a pair always does; otherwise random filters are added to them.
    `replay`: what an epoch visits, by default all.
    """
    torch.manual_seed(seed)
    network = load_network(arch, tensors)
    free = first_free_control(arch, tensors["distance.min"])
    pairs = trained_pairs(arch, stratum)
    base = torch.from_numpy(tensors["filters"].astype(np.float32)).clone()
    filters = Filters(arch, base, pairs, free, start_at_zero=warm or stratum.pair is not None)
    masks = freeze(network, stratum)
    report = None if on_epoch is None else lambda epoch, loss: on_epoch(epoch, loss, network, filters)
    fit(
        network,
        filters,
        graphs,
        settings,
        seed,
        masks=masks,
        replay=replay,
        checkpoint=checkpoint,
        checkpoint_seconds=checkpoint_seconds,
        provenance=provenance,
        on_epoch=report,
    )
    trained = store_network(network)
    with torch.no_grad():
        trained["filters"] = filters().numpy()
    return trained


def freeze(network: Network, stratum: Stratum) -> dict[str, Tensor]:
    """Keep from training what the stratum does not teach; gives, by the names of parameters of which it teaches a part,
    masks that are 1 there.
    """
    adapters = ("adapter_in", "adapter_out")
    if stratum.kind == "full":
        return {}
    if stratum.kind == "elements":
        for name in adapters:
            network.get_parameter(name).requires_grad_(False)
        return {}
    for name, parameter in network.named_parameters():
        parameter.requires_grad_(name in adapters)
    masks = {name: torch.zeros_like(network.get_parameter(name)) for name in adapters}
    for element, rows in blocks(network.arch, stratum):
        masks["adapter_in"][:, element, rows] = 1
        masks["adapter_out"][:, element, :, rows] = 1
    return masks


def merge(arch: Architecture, tensors: Tensors, stratum: Stratum, trained: Tensors) -> Tensors:
    """The model with what the stratum taught; nothing else is taken from `trained`."""
    merged = {name: array.copy() for name, array in tensors.items()}
    if stratum.kind in ("elements", "full"):
        for name in trained:
            if stratum.kind == "full" or not name.startswith("adapter"):
                merged[name] = trained[name].copy()
        if stratum.kind == "elements":
            merged["filters"] = _mean_filters(
                arch, merged["filters"], first_free_control(arch, tensors["distance.min"])
            )
        return merged
    for row in trained_pairs(arch, stratum):
        merged["filters"][:, row] = trained["filters"][:, row]
    for element, rows in blocks(arch, stratum):
        merged["adapter.in"][:, element, rows] = trained["adapter.in"][:, element, rows]
        merged["adapter.out"][:, element, :, rows] = trained["adapter.out"][:, element, :, rows]
    return merged
