"""Close atoms repel: every dimer rises monotonically from its minimum to 0.3 A.

A network is free at the smallest distances of its data, where few points weigh little; where it digs a hole there,
atoms could fall in. Such a dimer is bent in its filter's first free control points, which close atoms feel: as little
as makes it rise, else to the curve of the data; where that does not do, the switch of the nuclear repulsion is widened.
The order matters. A bump of 0.01 eV in the dimer of copper and platinum, bent to the data, cost 13-atom clusters half
as much again in errors (1.0 to 1.5 meV/atom, 14 to 19 meV/A), smoothed it cost nothing (1.0 and 14).
"""

import numpy as np
import torch
from hea_training.convolution import Edges
from hea_training.filters import first_free_control
from hea_training.graph import Batch, Graphs
from hea_training.network import Architecture, Network
from hea_training.strata import Tensors, load_network
from hea_training.zbl import zbl_energy_and_slope
from scipy.interpolate import PchipInterpolator
from torch import Tensor

from hea_potential.model_file import pair_index

__all__ = [
    "dimer_energies",
    "ensure_repulsion",
    "mend_dimer",
    "nearest_rising",
    "rises",
    "smooth_dimer",
    "widen_repulsion",
]

_CLOSEST, _STEP = 0.3, 0.01  # A
_WIDER = 0.01  # relative
_STEPS_BACK = 10  # from a trained model to the one that it was before
_MENDED_KNOTS = 6
_STIFFNESS, _SMOOTH_STIFFNESS = 0.03, 1e-5  # eV^2 per squared change of a control point: what a change must be worth
_MARGIN, _SMOOTH_MARGIN = 0.005, 0.001  # eV a step of 0.01 A


def _dimers(arch: Architecture, a: int, b: int, r: np.ndarray) -> Batch:
    """Dimers of elements a and b at distances r [n] in A; labels are zero."""
    n, (low, high) = len(r), sorted((a, b))
    counts = np.bincount([low, high], minlength=arch.n_elements) * n
    ends, displacement = torch.arange(n), torch.zeros(n, 3, dtype=torch.float64)
    displacement[:, 0] = torch.from_numpy(r)
    return Batch(
        species=torch.tensor([low] * n + [high] * n),
        counts=tuple(counts.tolist()),
        structure=ends.repeat(2),
        sizes=torch.full((n,), 2.0),
        edges=Edges(ends, ends + n, torch.full((n,), pair_index(a, b, arch.n_elements)), displacement),
        energy=torch.zeros(n),
        forces=torch.zeros(2 * n, 3),
        reference_force=torch.zeros(2 * n),
        alloyed=a != b,
    )


def _double(arch: Architecture, tensors: Tensors) -> Network:
    network = load_network(arch, tensors, torch.float64)
    network.requires_grad_(False)
    network.reference_kernels = True
    return network


def _repulsion(arch: Architecture, tensors: Tensors, a: int, b: int, r: np.ndarray) -> np.ndarray:
    pair = np.full(len(r), pair_index(a, b, arch.n_elements))
    return zbl_energy_and_slope(arch.elements, pair, r, tensors["zbl.inner"], tensors["zbl.outer"])[0]


def dimer_energies(arch: Architecture, tensors: Tensors, a: int, b: int, r: np.ndarray) -> np.ndarray:
    """Energies [n] in eV of dimers of elements a and b at distances r [n] in A, relative to isolated atoms."""
    filters = torch.from_numpy(tensors["filters"]).double()
    network = _double(arch, tensors)(_dimers(arch, a, b, r), filters)[0].numpy()
    return network + _repulsion(arch, tensors, a, b, r)


def rises(arch: Architecture, tensors: Tensors, a: int, b: int) -> bool:
    """Whether the dimer's energy rises at every step of 0.01 A from its minimum to 0.3 A."""
    energy = dimer_energies(arch, tensors, a, b, np.arange(_CLOSEST, arch.cutoff, _STEP))
    return bool(np.all(np.diff(energy[: np.argmin(energy) + 1]) < 0))


def ensure_repulsion(arch: Architecture, tensors: Tensors, pairs: list[int], training: Graphs) -> Tensors:
    """The model with every dimer of `pairs` rising; `training` holds the dimers that say how.

    A small bump is smoothed; where that does not do, the curve is bent to that of the data, which clusters feel.

    Raises ValueError when a pair cannot be brought to rise.
    """
    first, second = np.triu_indices(arch.n_elements)
    for pair in pairs:
        a, b = int(first[pair]), int(second[pair])
        for mend in (
            smooth_dimer,
            lambda arch, tensors, a, b: mend_dimer(arch, tensors, a, b, training),
            widen_repulsion,
        ):
            if not rises(arch, tensors, a, b):
                tensors = mend(arch, tensors, a, b)
    return tensors


def nearest_rising(arch: Architecture, known: Tensors, trained: Tensors, pairs: list[int], training: Graphs) -> Tensors:
    """The model that `known` became by training, with dimers of `pairs` smoothed where they do not rise; where that
    does not do, the nearest to it of some models between the two whose dimers rise.

    Weights of a model and of what it became by a short training may be averaged (Wortsman et al., Robust fine-tuning of
    zero-shot models, CVPR 2022). That costs clusters less than a dimer that is bent to the data or a wider repulsion:
    hea6 after 209 labels of 38-atom clusters, errors on others (eV a cluster, meV/A), with nine tenths, half and
    nothing of what was learnt: 0.092, 57 before; 0.093, 57; 0.111, 61; 0.137, 68. As `known` rises, there is an end.

    Raises ValueError if `known` does not rise itself and a pair cannot be brought to.
    """
    first, second = np.triu_indices(arch.n_elements)
    ends = [(int(first[pair]), int(second[pair])) for pair in pairs]
    smooth = trained
    for a, b in ends:
        if not rises(arch, smooth, a, b):
            smooth = smooth_dimer(arch, smooth, a, b)
            if not rises(arch, smooth, a, b):
                break
    else:
        return smooth
    for share in np.linspace(1.0, 0.0, _STEPS_BACK + 1)[1:].tolist():
        tensors = between(known, trained, share)
        if all(rises(arch, tensors, a, b) for a, b in ends):
            return tensors
    return ensure_repulsion(arch, trained, pairs, training)


def between(known: Tensors, trained: Tensors, share: float) -> Tensors:
    """Weights `share` of the way from one model to the other; equal weights stay what they are to the last bit."""
    return {name: (known[name] + share * (trained[name] - known[name])).astype(known[name].dtype) for name in trained}


def smooth_dimer(arch: Architecture, tensors: Tensors, a: int, b: int) -> Tensors:
    """The model with a dimer bent to the nearest curve of its own that falls towards its minimum; the model as it is if
    that does not make it rise.
    """
    r = np.arange(_CLOSEST, arch.cutoff, _STEP)
    energy = dimer_energies(arch, tensors, a, b, r)
    nearest = float(tensors["distance.min"][pair_index(a, b, arch.n_elements)])
    falling = slice(int(np.searchsorted(r, nearest)), int(np.argmin(energy)) + 1)
    r, energy = r[falling], energy[falling]
    if len(r) < 2:
        return tensors
    above, below = np.maximum.accumulate(energy[::-1])[::-1], np.minimum.accumulate(energy)
    tilt = 2 * _SMOOTH_MARGIN * np.arange(len(r))[::-1]
    bent = bent_dimer(arch, tensors, a, b, r, (above + below) / 2 + tilt, _SMOOTH_MARGIN, _SMOOTH_STIFFNESS)
    return bent if rises(arch, bent, a, b) else tensors


def mend_dimer(arch: Architecture, tensors: Tensors, a: int, b: int, training: Graphs) -> Tensors:
    """The model with a dimer bent towards a monotonic curve through the dimers of the set, if there are enough."""
    pair = pair_index(a, b, arch.n_elements)
    alone = np.flatnonzero((training.n_atoms == 2) & (training.n_edges == 1))
    alone = alone[training.pair[training.edge_start[alone]] == pair]
    distance = np.linalg.norm(training.displacement[training.edge_start[alone]], axis=1)
    distance, unique = np.unique(distance, return_index=True)
    known = training.energies[alone][unique] - tensors["e0"][a] - tensors["e0"][b]
    if len(distance) < 4 or np.argmin(known) == 0:  # none of them says how the energy rises inside the minimum
        return tensors
    r = np.arange(distance[0], distance[np.argmin(known)], _STEP)
    return bent_dimer(arch, tensors, a, b, r, PchipInterpolator(distance, known)(r), _MARGIN, _STIFFNESS)


def bent_dimer(
    arch: Architecture,
    tensors: Tensors,
    a: int,
    b: int,
    r: np.ndarray,
    wanted: np.ndarray,
    margin: float,
    stiffness: float,
) -> Tensors:
    """The model with the filters' first free control points moved, as little as needed, such that the dimer has the
    energies `wanted` [n] in eV at distances r [n] in A and falls by `margin` from each to the next.
    """
    pair = pair_index(a, b, arch.n_elements)
    repulsion = torch.from_numpy(_repulsion(arch, tensors, a, b, r))
    target = torch.from_numpy(wanted) - repulsion
    network, dimers = _double(arch, tensors), _dimers(arch, a, b, r)
    free = int(first_free_control(arch, tensors["distance.min"])[pair])
    end = min(free + _MENDED_KNOTS, arch.n_intervals)
    filters = torch.from_numpy(tensors["filters"]).double()
    change = torch.zeros(arch.n_interactions, end - free, arch.n_channels, dtype=torch.float64, requires_grad=True)

    def changed() -> Tensor:
        table = filters.clone()
        table[:, pair, free:end] += change
        table[:, pair, :free] = table[:, pair, free : free + 1]
        return table

    optimizer = torch.optim.LBFGS([change], max_iter=200, line_search_fn="strong_wolfe")

    def cost() -> Tensor:
        optimizer.zero_grad()
        energy = network(dimers, changed())[0]
        falls = torch.relu((energy + repulsion).diff() + margin)
        total = ((energy - target) ** 2).mean() + 10 * (falls**2).mean() + stiffness * (change**2).mean()
        total.backward()
        return total

    optimizer.step(cost)
    return tensors | {"filters": changed().detach().numpy().astype(tensors["filters"].dtype)}


def widen_repulsion(arch: Architecture, tensors: Tensors, a: int, b: int) -> Tensors:
    """The model with the inner and outer radii of the pair's ZBL grown, by no more than needed, until the dimer rises.

    Raises ValueError when the pair would need a switch beyond twice its present radius.
    """
    pair = pair_index(a, b, arch.n_elements)
    inner, outer = tensors["zbl.inner"].copy(), tensors["zbl.outer"].copy()
    limit, widened = 2 * inner[pair], tensors
    while not rises(arch, widened, a, b):
        inner[pair] *= 1 + _WIDER
        outer[pair] = min(outer[pair] * (1 + _WIDER), arch.cutoff)
        if inner[pair] > limit:
            name = f"{arch.elements[a]}-{arch.elements[b]}"
            raise ValueError(
                f"the dimer {name} does not rise towards short distances: the data need closer atoms of this pair"
            )
        widened = tensors | {"zbl.inner": inner, "zbl.outer": outer}
    return widened
