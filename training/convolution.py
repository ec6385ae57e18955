"""The continuous-filter convolution: torch's view of the compiled kernels, and the same in plain torch as their
reference.

The messages of an atom are one row q of F + 8A numbers: m (F), v (3 x A), t (5 x A) (ARCHITECTURE.md section 2).
"""

from dataclasses import dataclass
from typing import Any

import torch
from hea_training import _convolution
from torch import Tensor
from torch.autograd import Function
from torch.autograd.function import once_differentiable

__all__ = ["Edges", "convolve", "convolve_reference", "harmonics", "spline_weights"]


@dataclass(frozen=True)
class Edges:
    """Half edges of a batch: atoms `first` and `second` [E], `pair` [E] of elements, `displacement` [E, 3] from first
    to second in A.

    `velocity` [E, 3] is the rate of the displacement in a pass that carries rates (see kernels/convolution.h), else
    None.
    """

    first: Tensor
    second: Tensor
    pair: Tensor
    displacement: Tensor
    velocity: Tensor | None = None


class _Values(Function):
    """q(y, displacement) and its gradients by both; the filters are constants here."""

    @staticmethod
    def forward(
        ctx: Any, y: Tensor, displacement: Tensor, table: Tensor, edges: Edges, n_angular: int, cutoff: float
    ) -> Tensor:
        y, table, displacement = y.detach(), table.detach(), displacement.detach()
        q = y.new_zeros((*y.shape[:2], y.shape[2] + 8 * n_angular))
        _convolution.convolve(edges.first, edges.second, edges.pair, displacement, None, table, y, q, n_angular, cutoff)
        ctx.save_for_backward(y, displacement, table)
        ctx.edges, ctx.n_angular, ctx.cutoff = edges, n_angular, cutoff
        return q

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, q_grad: Tensor) -> tuple[Tensor | None, ...]:
        y, displacement, table = ctx.saved_tensors
        edges = ctx.edges
        y_grad, displacement_grad = torch.zeros_like(y), torch.zeros_like(displacement)
        _convolution.convolve_backward(
            edges.first,
            edges.second,
            edges.pair,
            displacement,
            None,
            table,
            y,
            q_grad.contiguous(),
            y_grad,
            displacement_grad,
            None,
            ctx.n_angular,
            ctx.cutoff,
        )
        return y_grad, displacement_grad, None, None, None, None


class _Rates(Function):
    """(q, rate of q) of (y, rate of y), and the gradients by those and by the filters; the geometry is constant
    here."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, table: Tensor, edges: Edges, n_angular: int, cutoff: float) -> Tensor:
        y, table = y.detach(), table.detach()
        q = y.new_zeros((*y.shape[:2], y.shape[2] + 8 * n_angular))
        _convolution.convolve(
            edges.first, edges.second, edges.pair, edges.displacement, edges.velocity, table, y, q, n_angular, cutoff
        )
        ctx.save_for_backward(y, table)
        ctx.edges, ctx.n_angular, ctx.cutoff = edges, n_angular, cutoff
        return q

    @staticmethod
    @once_differentiable  # type: ignore[untyped-decorator]
    def backward(ctx: Any, q_grad: Tensor) -> tuple[Tensor | None, ...]:
        y, table = ctx.saved_tensors
        edges = ctx.edges
        y_grad = torch.zeros_like(y)
        table_grad = torch.zeros_like(table) if ctx.needs_input_grad[1] else None
        _convolution.convolve_backward(
            edges.first,
            edges.second,
            edges.pair,
            edges.displacement,
            edges.velocity,
            table,
            y,
            q_grad.contiguous(),
            y_grad,
            None,
            table_grad,
            ctx.n_angular,
            ctx.cutoff,
        )
        return y_grad, table_grad, None, None, None


def convolve(y: Tensor, table: Tensor, edges: Edges, n_angular: int, cutoff: float) -> Tensor:
    """Messages q [1, N, F+8A] of y [1, N, F] (differentiable by y and displacement), or [2, ...] of (value, rate)
    with velocities.

    `table` [pairs, n+3, C] holds control points; with velocities the result is differentiable by y and table instead.
    """
    if edges.velocity is None:
        return _Values.apply(y, edges.displacement, table, edges, n_angular, cutoff)
    return _Rates.apply(y, table, edges, n_angular, cutoff)


def spline_weights(r: Tensor, n_intervals: int, cutoff: float) -> tuple[Tensor, Tensor]:
    """Interval [E] and the four uniform cubic B-spline weights [E, 4] of distances r [E] < cutoff."""
    position = r * (n_intervals / cutoff)
    interval = position.detach().floor().clamp(max=n_intervals - 1)
    t = position - interval
    b = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    return interval.long(), torch.stack(b, dim=1) / 6


def harmonics(u: Tensor) -> Tensor:
    """The five Y_c(u) [E, 5] of unit vectors u [E, 3], normalised so that Y(u).Y(u') = P_2(u.u')."""
    x, y, z = u.unbind(1)
    root3 = 3.0**0.5
    return torch.stack(
        [root3 * x * y, root3 * y * z, root3 * x * z, root3 / 2 * (x * x - y * y), (3 * z * z - 1) / 2], dim=1
    )


def convolve_reference(y: Tensor, table: Tensor, edges: Edges, n_angular: int, cutoff: float) -> Tensor:
    """`convolve` without velocities in plain torch operations: slow, any dtype, differentiable any number of times by
    everything."""
    values, features = y[0], y.shape[2]
    r = edges.displacement.norm(dim=1)
    u = edges.displacement / r[:, None]
    interval, weight = spline_weights(r, table.shape[1] - 3, cutoff)
    w = sum(weight[:, k, None] * table[edges.pair, interval + k] for k in range(4))
    q = values.new_zeros(values.shape[0], features + 8 * n_angular)
    for to, source, sign in ((edges.first, edges.second, 1.0), (edges.second, edges.first, -1.0)):
        sent, angular = values[source], values[source][:, :n_angular]
        vector = (w[:, features : features + n_angular] * angular)[:, None, :] * (sign * u)[:, :, None]
        tensor = (w[:, features + n_angular :] * angular)[:, None, :] * harmonics(u)[:, :, None]
        q = q.index_add(0, to, torch.cat([w[:, :features] * sent, vector.flatten(1), tensor.flatten(1)], dim=1))
    return q[None]
