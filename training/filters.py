"""Filters as splines whose control points are what small networks give at the knots."""

import math

import numpy as np
import torch
from hea_training.network import Architecture
from schnetpack.nn import Dense, GaussianRBF
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Filters", "control_knots", "first_free_control"]


def control_knots(arch: Architecture) -> np.ndarray:
    """Distances in A that the n+3 control points belong to: (k-1)h."""
    h = arch.cutoff / arch.n_intervals
    return (np.arange(arch.n_intervals + 3) - 1) * h


def first_free_control(arch: Architecture, smallest: np.ndarray) -> np.ndarray:
    """For each pair the first control point at or above its smallest training distance [pairs] in A; those before it
    equal it."""
    h = arch.cutoff / arch.n_intervals
    nearest = np.ceil(np.where(np.isfinite(smallest), smallest, 0.0) / h - 1e-9).astype(np.int64) + 1
    return np.clip(nearest, 0, arch.n_intervals - 1)


class Filters(nn.Module):
    """Control points [L, pairs, n+3, C]: `base` with the networks of the pairs `trained` added.

    One network of Gaussians of the distance a pair, times an envelope that is zero from the last knot before the
    cutoff, so that the last three control points vanish and W ends with two zero derivatives. `start_at_zero` makes the
    networks give nothing at first. `first_free` [pairs] (first_free_control) flattens the trained filters at short
    distances.
    """

    base: Tensor
    rows: Tensor
    envelope: Tensor
    source: Tensor
    knots: Tensor

    def __init__(
        self,
        arch: Architecture,
        base: Tensor,
        trained: list[int],
        first_free: np.ndarray,
        *,
        start_at_zero: bool = False,
        n_gaussians: int = 32,
        n_hidden: int = 64,
    ):
        super().__init__()
        self.arch = arch
        h = arch.cutoff / arch.n_intervals
        knots = torch.tensor(control_knots(arch), dtype=torch.get_default_dtype())
        envelope = torch.where(
            knots < arch.cutoff - 1.5 * h, 0.5 * (1 + torch.cos(math.pi * knots.clamp(0) / (arch.cutoff - h))), 0.0
        )
        self.register_buffer("base", base)
        self.register_buffer("rows", torch.tensor(trained, dtype=torch.int64))
        self.register_buffer("knots", knots)
        self.register_buffer("envelope", envelope)
        k = np.arange(arch.n_intervals + 3)
        self.register_buffer("source", torch.from_numpy(np.maximum(k[None, :], first_free[trained][:, None])))
        self.gaussians = GaussianRBF(n_gaussians, arch.cutoff)
        n, width = len(trained), arch.n_interactions * arch.n_channels
        self.hidden1 = nn.ModuleList(Dense(n_gaussians, n_hidden, activation=functional.silu) for _ in range(n))
        self.hidden2 = nn.ModuleList(Dense(n_hidden, n_hidden, activation=functional.silu) for _ in range(n))
        self.last = nn.ModuleList(Dense(n_hidden, width) for _ in range(n))
        for net in range(n):
            if start_at_zero:
                nn.init.zeros_(self.last[net].weight)
            else:
                self._normalise(net)

    def _normalise(self, k: int) -> None:
        """Scales a network's last layer so that the messages of some twenty neighbours begin with unit variance."""
        with torch.no_grad():
            inside = self.gaussians(
                self.knots[(self.knots > 0.4 * self.arch.cutoff) & (self.knots < 0.8 * self.arch.cutoff)]
            )
            self.last[k].weight *= 0.4 / self.last[k](self.hidden2[k](self.hidden1[k](inside))).std()

    def forward(self) -> Tensor:
        """Give the control points [L, pairs, n+3, C]."""
        if not self.last:
            return self.base
        layers, channels = self.arch.n_interactions, self.arch.n_channels
        tables = _together(self.hidden1, self.gaussians(self.knots).expand(len(self.last), -1, -1))
        tables = _together(self.last, _together(self.hidden2, tables))  # [trained, n+3, L*C]
        tables = (tables * self.envelope[:, None]).unflatten(2, (layers, channels)).permute(2, 0, 1, 3)
        tables = self.base[:, self.rows] + tables
        tables = tables.gather(2, self.source[None, :, :, None].expand_as(tables))
        return self.base.index_copy(1, self.rows, tables)


def _together(layers: nn.ModuleList, x: Tensor) -> Tensor:
    """Layer k on x[k] for all k at once: [k, n, in] -> [k, n, out]."""
    y = torch.baddbmm(
        torch.stack([d.bias for d in layers])[:, None], x, torch.stack([d.weight for d in layers]).transpose(1, 2)
    )
    return layers[0].activation(y)
