"""A stock SchNetPack 2.x SchNet as a model file: its filters, sampled and fitted by the splines; everything else
copied."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from ase.data import atomic_numbers
from hea_training.export import export
from hea_training.network import Architecture
from schnetpack.atomistic import Atomwise, Forces, PairwiseDistances
from schnetpack.nn import shifted_softplus
from schnetpack.representation import SchNet
from schnetpack.transform import AddOffsets, CastTo32, CastTo64
from torch import Tensor, nn
from torch.nn import functional

from hea_potential.errors import InputError

__all__ = ["Conversion", "convert", "load_checkpoint"]

# In eV: the kilocalorie is 4184 J, N_A and e are exact in the SI of 2019; the hartree is that of CODATA 2018.
ENERGY_UNITS = {"eV": 1.0, "kcal/mol": 0.043364104241800934, "Hartree": 27.211386245988}
_SAMPLES = 8  # distances an interval at which filters are fitted and compared


@dataclass(frozen=True)
class Conversion:
    """What was written, and the largest and root-mean-square difference of filters and splines relative to the
    largest filter value."""

    path: Path
    architecture: Architecture
    largest_error: float
    rms_error: float


def load_checkpoint(path: Path) -> nn.Module:
    """The whole model that SchNetPack saves as `best_model`. It is a pickle: loading one runs code that lies in it.

    Raises InputError when the file is not there or holds something else.
    """
    if not Path(path).is_file():
        raise InputError(f"checkpoint {path}: there is no such file")
    try:
        model = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:
        raise InputError(f"checkpoint {path} cannot be read: {error}") from error
    if not hasattr(model, "representation"):
        raise InputError(
            f"checkpoint {path} holds {type(model).__name__}; allowed is SchNetPack's whole model, its `best_model`"
        )
    return model


def convert(
    model: nn.Module,
    elements: Sequence[str],
    path: Path,
    *,
    energy_unit: str,
    n_intervals: int = 250,
    name: str = "converted",
) -> Conversion:
    """Writes a SchNetPack SchNet with an Atomwise energy head as a model file for the elements given.

    `energy_unit` is that of the checkpoint (eV, kcal/mol, Hartree); its lengths must be Angstrom. Raises InputError
    for a model that the format cannot hold.
    """
    if energy_unit not in ENERGY_UNITS:
        raise InputError(f"energy unit: got {energy_unit!r}; allowed are {', '.join(ENERGY_UNITS)}")
    unit = ENERGY_UNITS[energy_unit]
    schnet, head, activation = _checked(model, elements)
    with torch.no_grad():
        features = max(schnet.n_atom_basis, schnet.n_filters)
        hidden, last = head.outnet[0], head.outnet[1]
        arch = Architecture(
            tuple(elements),
            cutoff=float(schnet.cutoff),
            n_interactions=len(schnet.interactions),
            n_features=features,
            n_angular=0,
            n_intervals=n_intervals,
            n_hidden=hidden.weight.shape[0],
            rank_pair=0,
            rank_many=0,
            head_activation=activation,
        )
        charges = torch.tensor([atomic_numbers[s] for s in elements])
        s = len(elements)
        tables, largest, rms = _splines(schnet, arch)
        blocks = list(schnet.interactions)
        tensors: dict[str, np.ndarray] = {
            "embedding": _padded(schnet.embedding(charges), (s, features)),
            "in2f": np.stack([_padded(b.in2f.weight, (features, features)) for b in blocks]),
            "filters": np.repeat(tables[:, None], arch.n_pairs, axis=1).astype(np.float32),
            "f2out1.weight": np.stack([_padded(b.f2out[0].weight, (features, features)) for b in blocks]),
            "f2out1.bias": np.stack([_padded(b.f2out[0].bias, (features,)) for b in blocks]),
            "f2out2.weight": np.stack([_padded(b.f2out[1].weight, (features, features)) for b in blocks]),
            "f2out2.bias": np.stack([_padded(b.f2out[1].bias, (features,)) for b in blocks]),
            "head.hidden.weight": np.repeat(_padded(hidden.weight, (len(hidden.weight), features))[None], s, axis=0),
            "head.hidden.bias": np.repeat(hidden.bias.numpy()[None], s, axis=0),
            "head.out": np.repeat(unit * last.weight.numpy(), s, axis=0),
        }
        tensors["e0"] = unit * _isolated(model, schnet, head, charges)
    nothing = np.zeros(arch.n_pairs)
    tensors |= {"zbl.inner": nothing, "zbl.outer": nothing.copy(), "distance.min": nothing.copy()}
    provenance = {
        "converted from": "SchNetPack",
        "version": str(getattr(model, "spk_version", "unknown")),
        "filter error": largest,
    }
    export(path, arch, tensors, None, {"name": name, "provenance": provenance})
    return Conversion(path, arch, largest, rms)


def _checked(model: nn.Module, elements: Sequence[str]) -> tuple[SchNet, Atomwise, str]:
    schnet = model.representation
    if not isinstance(schnet, SchNet):
        raise InputError(f"checkpoint: the representation is {type(schnet).__name__}; allowed is SchNet")
    if len(schnet.electronic_embeddings):
        raise InputError("checkpoint: electronic embeddings (charge, spin) have no place in a model file")
    if any(b.f2out[0].activation is not shifted_softplus for b in schnet.interactions):
        raise InputError("checkpoint: the activation of f2out must be shifted_softplus")
    foreign = [m for m in model.input_modules if not isinstance(m, PairwiseDistances)]
    foreign += [m for m in model.output_modules if not isinstance(m, Atomwise | Forces)]
    foreign += [m for m in model.postprocessors if not isinstance(m, AddOffsets | CastTo32 | CastTo64)]
    if foreign:
        raise InputError(
            f"checkpoint: {type(foreign[0]).__name__} has no place in a model file; "
            "allowed are PairwiseDistances, Atomwise, Forces and AddOffsets"
        )
    heads = [m for m in model.output_modules if isinstance(m, Atomwise)]
    if len(heads) != 1 or len(heads[0].outnet) != 2 or heads[0].n_out != 1 or heads[0].aggregation_mode != "sum":
        raise InputError("checkpoint: allowed is one Atomwise head of two layers, one output and aggregation 'sum'")
    name = {functional.silu: "silu", shifted_softplus: "ssp"}.get(heads[0].outnet[0].activation)
    if name is None:
        raise InputError("checkpoint: the head's activation must be silu or shifted_softplus")
    offsets = [m for m in model.postprocessors if isinstance(m, AddOffsets)]
    if any(not m.is_extensive for m in offsets):
        raise InputError("checkpoint: AddOffsets must be extensive, an energy")
    if (
        not elements
        or len(set(elements)) != len(elements)
        or any(s not in atomic_numbers or atomic_numbers[s] < 1 for s in elements)
    ):
        raise InputError(f"elements: got {list(elements)}; allowed are different chemical symbols, at least one")
    return schnet, heads[0], name


def _padded(x: Tensor, shape: tuple[int, ...]) -> np.ndarray:
    out = np.zeros(shape, dtype=np.float32)
    out[tuple(slice(0, n) for n in x.shape)] = x.detach().numpy()
    return out


def _splines(schnet: SchNet, arch: Architecture) -> tuple[np.ndarray, float, float]:
    """Control points [L, n+3, F] fitted to the filters by least squares, and the largest and rms relative error."""
    n = arch.n_intervals
    position = np.arange(n * _SAMPLES) / _SAMPLES
    interval, t = position.astype(int), position % 1.0
    weights = np.stack([(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3], axis=1) / 6
    design = np.zeros((len(position), n + 3))
    np.add.at(design, (np.arange(len(position))[:, None], interval[:, None] + np.arange(4)), weights)
    r = torch.from_numpy(position * arch.cutoff / n).float()
    basis, envelope = schnet.radial_basis(r), schnet.cutoff_fn(r)[:, None]
    tables, errors, scale = [], [], 0.0
    for block in schnet.interactions:
        values = np.zeros((len(position), arch.n_features))
        values[:, : schnet.n_filters] = (block.filter_network(basis) * envelope).numpy()
        table = np.zeros((n + 3, arch.n_features))
        table[:n] = np.linalg.lstsq(design[:, :n], values, rcond=None)[0]  # the last three stay zero
        tables.append(table)
        errors.append(design @ table - values)
        scale = max(scale, float(np.abs(values).max()))
    error = np.stack(errors)
    return np.stack(tables), float(np.abs(error).max() / scale), float(np.sqrt((error**2).mean()) / scale)


def _isolated(model: Any, schnet: SchNet, head: Atomwise, charges: Tensor) -> np.ndarray:
    """The energy of an isolated atom of each element in the checkpoint's unit."""
    x = schnet.embedding(charges)
    for block in schnet.interactions:
        x = x + block.f2out(torch.zeros(len(charges), schnet.n_filters))
    energy = head.outnet(x)[:, 0].double().numpy().copy()
    for module in model.postprocessors:
        if isinstance(module, AddOffsets):
            if module.add_mean:
                energy += float(module.mean)
            if module.add_atomrefs:
                energy += module.atomref[charges].double().numpy()
    return energy
