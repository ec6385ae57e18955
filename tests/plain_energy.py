"""The equations of ARCHITECTURE.md, section 2, in NumPy as they are written there: slow, float64, energies only."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from ase.data import atomic_numbers
from numpy.typing import NDArray

Array = NDArray[np.float64]


def ssp(x: Array) -> Array:
    """Shifted softplus."""
    return np.asarray(np.logaddexp(0.0, x) - np.log(2.0))


def silu(x: Array) -> Array:
    """x times its logistic function."""
    return x / (1.0 + np.exp(-x))


def harmonics(u: Array) -> Array:
    """Y(u) for one direction, 5 numbers."""
    x, y, z = u
    s = np.sqrt(3.0)
    return np.array([s * x * y, s * y * z, s * x * z, s / 2 * (x**2 - y**2), (3 * z**2 - 1) / 2])


def spline(points: Array, r: float, cutoff: float) -> Array:
    """W(r) of one table of control points [n + 3, C]."""
    n = len(points) - 3
    p = min(int(r * n / cutoff), n - 1)
    t = r * n / cutoff - p
    basis = [(1 - t) ** 3, 3 * t**3 - 6 * t**2 + 4, -3 * t**3 + 3 * t**2 + 3 * t + 1, t**3]
    return np.asarray(np.array(basis) / 6 @ points[p : p + 4])


def zbl(za: int, zb: int, r: float, inner: float, outer: float) -> float:
    """Switched repulsion of a pair."""
    if r >= outer:
        return 0.0
    length = 0.46850 / (za**0.23 + zb**0.23)
    terms = [(0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162)]
    x = max(0.0, (r - inner) / (outer - inner))
    energy = 14.3996454784255 * za * zb / r * sum(c * np.exp(-d * r / length) for c, d in terms)
    return float(energy * (1 - 10 * x**3 + 15 * x**4 - 6 * x**5))


@dataclass(frozen=True)
class Edge:
    """A half edge within the cutoff."""

    i: int
    j: int
    r: float
    u: Array


class PlainModel:
    """Evaluates the tensors and the document of `random_model`."""

    def __init__(self, tensors: dict[str, Array], document: dict[str, object]) -> None:
        self.t = tensors
        self.d = document
        self.elements: list[str] = document["elements"]  # type: ignore[assignment]
        self.cutoff = float(document["cutoff"])  # type: ignore[arg-type]
        self.act: Callable[[Array], Array] = ssp if document["head_activation"] == "ssp" else silu

    def pair(self, a: int, b: int) -> int:
        """Place of an unordered pair in the tables."""
        a, b = min(a, b), max(a, b)
        return a * len(self.elements) - a * (a - 1) // 2 + b - a

    def features(self, types: NDArray[np.int32], edges: list[Edge]) -> Array:
        """f_i of all atoms, [n_atoms, D]."""
        gamma = self.gates(types, edges)
        x = self.t["embedding"][types]
        for layer in range(len(self.t["in2f"])):
            x = x + self.update(layer, types, self.messages(layer, types, edges, x), gamma)
        isolated = self.t["embedding"]
        for layer in range(len(self.t["in2f"])):
            no_neighbours = np.zeros((len(isolated), self.t["filters"].shape[-1]))
            isolated = isolated + self.update(layer, np.arange(len(isolated)), no_neighbours, 0 * gamma[:1])
        weight, bias = self.t["head.hidden.weight"], self.t["head.hidden.bias"]
        head = np.einsum("idf,if->id", weight[types], x) + bias[types]
        lone = np.einsum("idf,if->id", weight, isolated) + bias
        return self.act(head) - self.act(lone)[types]

    def messages(self, layer: int, types: NDArray[np.int32], edges: list[Edge], x: Array) -> Array:
        """q of all atoms, [n_atoms, C]."""
        f, a = x.shape[1], (self.t["filters"].shape[-1] - x.shape[1]) // 2
        y = x @ self.t["in2f"][layer].T
        m, v, t = np.zeros_like(y), np.zeros((len(x), 3, a)), np.zeros((len(x), 5, a))
        for e in edges:
            w = spline(self.t["filters"][layer, self.pair(types[e.i], types[e.j])], e.r, self.cutoff)
            for i, j, u in ((e.i, e.j, e.u), (e.j, e.i, -e.u)):
                m[i] += w[:f] * y[j]
                v[i] += u[:, None] * w[f : f + a] * y[j, :a]
                t[i] += harmonics(u)[:, None] * w[f + a :] * y[j, :a]
        return np.hstack([m, np.sqrt(1 + (v**2).sum(1)) - 1, np.sqrt(1 + (t**2).sum(1)) - 1])

    def update(self, layer: int, types: NDArray[np.integer], q: Array, gamma: Array) -> Array:
        """What an interaction adds to x."""
        t = {name: self.t[name][layer] for name in ("f2out1.weight", "f2out1.bias", "f2out2.weight", "f2out2.bias")}
        out = ssp(q @ t["f2out1.weight"].T + t["f2out1.bias"]) @ t["f2out2.weight"].T + t["f2out2.bias"]
        if "adapter.in" in self.t:
            rows = ssp(np.einsum("ipc,ic->ip", self.t["adapter.in"][layer][types], q))
            out = out + np.einsum("ifp,ip->if", self.t["adapter.out"][layer][types], gamma * rows)
        return np.asarray(out)

    def gates(self, types: NDArray[np.int32], edges: list[Edge]) -> Array:
        """gamma_i, [n_atoms, P]."""
        s, pair, many = len(self.elements), int(self.d["rank_pair"]), int(self.d["rank_many"])  # type: ignore[call-overload]
        n = np.zeros((len(types), s))
        for e in edges:
            n[e.i, types[e.j]] += (1 - (e.r / self.cutoff) ** 2) ** 3
            n[e.j, types[e.i]] += (1 - (e.r / self.cutoff) ** 2) ** 3
        g = n / (1 + n)
        g[np.arange(len(types)), types] = 0.0
        pairs = sum((g[:, b] * g[:, c] for b in range(s) for c in range(b)), np.zeros(len(types)))
        return np.hstack([np.repeat(g, pair, axis=1), np.repeat((pairs / (1 + pairs))[:, None], many, axis=1)])

    def energy(self, types: NDArray[np.int32], edges: list[Edge]) -> float:
        """E of the structure."""
        energy = float((self.t["e0"][types] + (self.t["head.out"][types] * self.features(types, edges)).sum(1)).sum())
        for e in edges:
            a, b = types[e.i], types[e.j]
            za, zb = atomic_numbers[self.elements[a]], atomic_numbers[self.elements[b]]
            k = self.pair(a, b)
            energy += zbl(za, zb, e.r, self.t["zbl.inner"][k], self.t["zbl.outer"][k])
        return energy

    def sigma(self, types: NDArray[np.int32], edges: list[Edge]) -> float:
        """The estimated standard deviation of E."""
        by_element = np.zeros((len(self.elements), self.t["head.out"].shape[1]))
        np.add.at(by_element, types, self.features(types, edges))
        f = by_element.ravel()
        scale, ridge = self.d["sigma"]["scale"], self.d["sigma"]["ridge"]  # type: ignore[index]
        return float(scale * np.sqrt(f @ np.linalg.solve(self.t["gram"] + ridge * np.eye(len(f)), f)))
