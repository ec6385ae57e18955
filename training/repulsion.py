"""Close atoms repel: the switch of the nuclear repulsion is widened until every dimer rises monotonically towards short distances.

A network is free below and near the smallest distance of its data; where it digs a hole that the switched ZBL does not fill, atoms could fall in.
"""

import numpy as np
import torch
from hea_training.convolution import Edges
from hea_training.graph import Batch
from hea_training.network import Architecture
from hea_training.strata import Tensors, load_network
from hea_training.zbl import zbl_energy_and_slope

__all__ = ["dimer_energies", "widen_repulsion"]

_CLOSEST, _STEP = 0.3, 0.01  # A
_WIDER = 0.01  # relative


def dimer_energies(arch: Architecture, tensors: Tensors, a: int, b: int, r: np.ndarray) -> np.ndarray:
    """What the network gives for dimers of elements a and b at distances r [n] in A, relative to isolated atoms and without ZBL, in eV."""
    network = load_network(arch, tensors, torch.float64)
    network.reference_kernels = True
    n, low, high = len(r), min(a, b), max(a, b)
    pair = low * arch.n_elements - low * (low - 1) // 2 + high - low
    counts = [0] * arch.n_elements
    counts[low] += n
    counts[high] += n
    ends = torch.arange(n)
    displacement = torch.zeros(n, 3, dtype=torch.float64)
    displacement[:, 0] = torch.from_numpy(r)
    batch = Batch(
        species=torch.tensor([low] * n + [high] * n), counts=tuple(counts), structure=ends.repeat(2), sizes=torch.full((n,), 2.0),
        edges=Edges(ends, ends + n, torch.full((n,), pair), displacement), energy=torch.zeros(n), forces=torch.zeros(2 * n, 3),
        reference_force=torch.zeros(2 * n), alloyed=a != b,
    )  # fmt: skip
    with torch.no_grad():
        return network(batch, torch.from_numpy(tensors["filters"]).double())[0].numpy()


def widen_repulsion(arch: Architecture, tensors: Tensors, pairs: list[int]) -> Tensors:
    """The model with the inner and outer radii of ZBL of `pairs` grown, by no more than needed, until their dimers rise from the minimum to 0.3 A.

    Raises ValueError when a pair would need a switch beyond twice its present radius.
    """
    tensors = dict(tensors)
    inner, outer = tensors["zbl.inner"].copy(), tensors["zbl.outer"].copy()
    r = np.arange(_CLOSEST, arch.cutoff, _STEP)
    first, second = np.triu_indices(arch.n_elements)
    for pair in pairs:
        network = dimer_energies(arch, tensors, int(first[pair]), int(second[pair]), r)
        limit = 2 * inner[pair]
        while True:
            repulsion, _ = zbl_energy_and_slope(arch.elements, np.full(len(r), pair), r, inner, outer)
            energy = network + repulsion
            if np.all(np.diff(energy[: np.argmin(energy) + 1]) < 0):
                break
            inner[pair] *= 1 + _WIDER
            outer[pair] = min(outer[pair] * (1 + _WIDER), arch.cutoff)
            if inner[pair] > limit:
                name = f"{arch.elements[first[pair]]}-{arch.elements[second[pair]]}"
                raise ValueError(
                    f"the dimer {name} does not rise towards short distances: the data need closer atoms of this pair"
                )
    tensors["zbl.inner"], tensors["zbl.outer"] = inner, outer
    return tensors
