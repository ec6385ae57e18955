"""The network of ARCHITECTURE.md section 2 in torch, on values alone or on values with their rates of change."""

import math
from typing import Any

import hea_training.quiet_schnetpack  # noqa: F401
import torch
from hea_training.architecture import Architecture
from hea_training.convolution import Edges, convolve, convolve_reference
from hea_training.graph import Batch
from schnetpack.nn import Dense, shifted_softplus
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Architecture", "Network", "gates"]


# Layers act on stacks [K, N, ...]: row 0 holds values, row 1 (when K = 2) their rates of change.


def _affine(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    y = functional.linear(x, weight)
    return torch.cat([y[:1] + bias, y[1:]]) if x.shape[0] == 2 else y + bias


def _activate(x: Tensor, name: str) -> Tensor:
    if name == "ssp":
        value, slope = shifted_softplus(x[0]), torch.sigmoid(x[0]) if x.shape[0] == 2 else None
    else:
        value = functional.silu(x[0])
        if x.shape[0] == 2:
            gate = torch.sigmoid(x[0])
            slope = gate * (1 + x[0] * (1 - gate))
    return torch.stack([value, slope * x[1]]) if x.shape[0] == 2 else value[None]


def _lengths(vectors: Tensor) -> Tensor:
    """sqrt(1 + |v|^2) - 1 over the axis of components: [K, N, c, A] -> [K, N, A]."""
    root = torch.sqrt(1 + (vectors[0] ** 2).sum(1))
    if vectors.shape[0] == 1:
        return (root - 1)[None]
    return torch.stack([root - 1, (vectors[0] * vectors[1]).sum(1) / root])


def _by_element(x: Tensor, weight: Tensor, counts: tuple[int, ...]) -> Tensor:
    """x [K, N, in] times weight[Z] [S, out, in], atoms being sorted by element."""
    return torch.cat(
        [functional.linear(part, w) for part, w in zip(x.split(counts, dim=1), weight, strict=True)], dim=1
    )


class _Scatter(torch.autograd.Function):
    """Sums values [E] into bins: torch's index_add is slow on CPUs, its bincount is not but has no gradient."""

    @staticmethod
    def forward(ctx: Any, values: Tensor, index: Tensor, size: int) -> Tensor:
        ctx.save_for_backward(index)
        return torch.bincount(index, weights=values.detach(), minlength=size).to(values.dtype)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        (index,) = ctx.saved_tensors
        return grad[index], None, None


def gates(batch: Batch, edges: Edges, arch: Architecture) -> Tensor:
    """gamma [K, N, P]: how open each adapter row of each atom is, from the densities of the elements around it."""
    n, s = len(batch.species), arch.n_elements
    r = edges.displacement.norm(dim=1)
    x = 1 - (r / arch.cutoff) ** 2
    bins = torch.cat([edges.first * s + batch.species[edges.second], edges.second * s + batch.species[edges.first]])
    density = _Scatter.apply((x**3).repeat(2), bins, n * s).reshape(n, s)
    other = torch.ones_like(density).scatter(1, batch.species[:, None], 0.0)
    low, high = torch.triu_indices(s, s, offset=1)
    g = other * density / (1 + density)
    together = (g[:, low] * g[:, high]).sum(1, keepdim=True)  # exactly zero unless two other elements are near
    many = together / (1 + together)
    value = torch.cat([g.repeat_interleave(arch.rank_pair, 1), many.expand(n, arch.rank_many)], dim=1)
    if edges.velocity is None:
        return value[None]
    r_rate = (edges.displacement * edges.velocity).sum(1) / r
    rate = _Scatter.apply((-6 * x**2 * r / arch.cutoff**2 * r_rate).repeat(2), bins, n * s).reshape(n, s)
    g_rate = other * rate / (1 + density) ** 2
    together_rate = (g_rate[:, low] * g[:, high] + g[:, low] * g_rate[:, high]).sum(1, keepdim=True)
    many_rate = together_rate / (1 + together) ** 2
    return torch.stack(
        [value, torch.cat([g_rate.repeat_interleave(arch.rank_pair, 1), many_rate.expand(n, arch.rank_many)], dim=1)]
    )


class Network(nn.Module):
    """Everything but the filters, whose control points are given to `forward`; tensors by the names and shapes of the
    model file.

    Gives the energies without E0 and ZBL.
    """

    def __init__(self, arch: Architecture):
        super().__init__()
        self.arch = arch
        s, f, c, d, p, layers = (
            arch.n_elements,
            arch.n_features,
            arch.n_channels,
            arch.n_hidden,
            arch.n_rows,
            arch.n_interactions,
        )
        self.embedding = nn.Parameter(torch.randn(s, f))
        self.in2f = nn.ModuleList(Dense(f, f, bias=False) for _ in range(layers))
        self.f2out1 = nn.ModuleList(Dense(c, f, activation=shifted_softplus) for _ in range(layers))
        self.f2out2 = nn.ModuleList(Dense(f, f) for _ in range(layers))
        # The adapters start silent: in is random, out is zero.
        self.adapter_in = nn.Parameter(torch.randn(layers, s, p, c) / math.sqrt(c))
        self.adapter_out = nn.Parameter(torch.zeros(layers, s, f, p))
        self.head_weight = nn.Parameter(torch.randn(s, d, f) / math.sqrt(f))
        self.head_bias = nn.Parameter(torch.zeros(s, d))
        self.head_out = nn.Parameter(torch.randn(s, d) / math.sqrt(d))
        self.reference_kernels = False  # True: plain torch instead of the compiled kernels

    def isolated(self) -> Tensor:
        """x of an isolated atom of each element [S, F]."""
        x = self.embedding
        for first, second in zip(self.f2out1, self.f2out2, strict=True):
            x = x + second(shifted_softplus(first.bias))
        return x

    def features(self, batch: Batch, filters: Tensor, edges: Edges | None = None) -> Tensor:
        """Last-layer features f_i [K, N, D] of the atoms; filters [L, pairs, n+3, C]; with edge velocities K = 2."""
        arch = self.arch
        edges = batch.edges if edges is None else edges
        stack = 1 if edges.velocity is None else 2
        x = self.embedding[batch.species][None]
        if stack == 2:
            x = torch.cat([x, torch.zeros_like(x)])
        adapt = arch.n_rows > 0 and batch.alloyed
        gamma = gates(batch, edges, arch) if adapt else None
        run = convolve_reference if self.reference_kernels else convolve
        for layer in range(arch.n_interactions):
            y = self.in2f[layer](x)
            rows = run(y, filters[layer], edges, arch.n_angular, arch.cutoff)
            m, v, t = rows.split([arch.n_features, 3 * arch.n_angular, 5 * arch.n_angular], dim=2)
            q = (
                torch.cat([m, _lengths(v.unflatten(2, (3, -1))), _lengths(t.unflatten(2, (5, -1)))], dim=2)
                if arch.n_angular
                else m
            )
            first, second = self.f2out1[layer], self.f2out2[layer]
            x = x + _affine(_activate(_affine(q, first.weight, first.bias), "ssp"), second.weight, second.bias)
            if gamma is not None:
                hidden = _activate(_by_element(q, self.adapter_in[layer], batch.counts), "ssp")
                gated = torch.cat([gamma[:1] * hidden[:1], gamma[1:] * hidden[:1] + gamma[:1] * hidden[1:]])
                if stack == 1:
                    gated = gamma * hidden
                x = x + _by_element(gated, self.adapter_out[layer], batch.counts)
        return self._hidden(x, batch.counts)

    def _hidden(self, x: Tensor, counts: tuple[int, ...]) -> Tensor:
        alone = self.isolated()
        parts = []
        for part, weight, bias, x0 in zip(x.split(counts, dim=1), self.head_weight, self.head_bias, alone, strict=True):
            f = _activate(_affine(part, weight, bias), self.arch.head_activation)
            zero = _activate((functional.linear(x0, weight) + bias)[None, None], self.arch.head_activation)
            parts.append(f - zero if len(f) == 1 else torch.cat([f[:1] - zero, f[1:]]))
        return torch.cat(parts, dim=1)

    def forward(self, batch: Batch, filters: Tensor, edges: Edges | None = None) -> Tensor:
        """Energies [K, M] in eV (and their rates) of the structures of a batch, without E0 and ZBL."""
        f = self.features(batch, filters, edges)
        atom = torch.cat(
            [(part * w).sum(2) for part, w in zip(f.split(batch.counts, dim=1), self.head_out, strict=True)], dim=1
        )
        return f.new_zeros(f.shape[0], len(batch.sizes)).index_add(1, batch.structure, atom)
