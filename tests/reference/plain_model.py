"""The model of ARCHITECTURE.md section 2, written out as plainly as it can be; it shares no code with the package.

Directed edges by brute force, torch float64 for the derivatives. It exists to give numbers that other backends meet.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import torch
from ase import Atoms
from ase.data import atomic_numbers
from safetensors import safe_open
from torch import Tensor

torch.set_default_dtype(torch.float64)

VOIGT = ((0, 0), (1, 1), (2, 2), (0, 1), (0, 2), (1, 2))


@dataclass
class Evaluation:
    """Energy, per-atom energies, virial and sigma in eV, forces and the gradient of sigma in eV/A."""

    energy: float
    energies: Tensor  # [n]
    forces: Tensor  # [n, 3]
    virial: Tensor  # [6]
    sigma: float
    sigma_gradient: Tensor  # [n, 3]
    beyond: Tensor  # [n] bool


class PlainModel:
    """A model file, evaluated edge by edge."""

    def __init__(self, path: Path) -> None:
        with safe_open(str(path), framework="pt") as file:
            self.document = json.loads(file.metadata()["hea"])
            self.tensors = {name: file.get_tensor(name).double() for name in file.keys()}  # noqa: SIM118
        self.elements: list[str] = self.document["elements"]
        self.cutoff: float = self.document["cutoff"]
        self.step = self.cutoff / self.document["n_intervals"]

    def evaluate(self, atoms: Atoms) -> Evaluation:
        """Everything that the reference file holds about one structure."""
        types = torch.tensor([self.elements.index(symbol) for symbol in atoms.symbols])
        centre, neighbour, shift = self._directed_edges(atoms)
        x = torch.tensor(atoms.positions, requires_grad=True)
        strain = torch.zeros(3, 3, requires_grad=True)
        vector = x[neighbour] - x[centre] + shift
        vector = vector + vector @ (strain + strain.T) / 2

        energies, features = self._energies(types, centre, neighbour, vector)
        gradient, strain_gradient = torch.autograd.grad(
            energies.sum(), (x, strain), retain_graph=True, allow_unused=True, materialize_grads=True
        )
        sigma = self._sigma(features)
        sigma_gradient = torch.zeros_like(x)
        if sigma > 0:
            (sigma_gradient,) = torch.autograd.grad(sigma, x, allow_unused=True, materialize_grads=True)
        distance = vector.detach().norm(dim=1)
        beyond = torch.zeros(len(atoms), dtype=torch.bool)
        beyond[centre[distance < self.tensors["distance.min"][self._pair(types[centre], types[neighbour])]]] = True
        return Evaluation(
            energy=float(energies.sum()),
            energies=energies.detach(),
            forces=-gradient,
            virial=-torch.stack([strain_gradient[a, b] for a, b in VOIGT]),
            sigma=float(sigma),
            sigma_gradient=sigma_gradient,
            beyond=beyond,
        )

    def _directed_edges(self, atoms: Atoms) -> tuple[Tensor, Tensor, Tensor]:
        """Every (i, j, image) closer than the cutoff, both directions."""
        box = atoms.cell.complete()  # directions without a cell vector get a unit vector
        cell = np.asarray(box)
        reach = [0, 0, 0]
        for axis in range(3):
            if atoms.pbc[axis]:
                others = np.cross(cell[(axis + 1) % 3], cell[(axis + 2) % 3])
                height = abs(box.volume) / np.linalg.norm(others)
                span = np.ptp(atoms.positions @ others / np.linalg.norm(others))
                reach[axis] = int(np.ceil((self.cutoff + span) / height))
        i, j, shifts = [], [], []
        for image in product(*(range(-n, n + 1) for n in reach)):
            shift = np.array(image) @ cell
            vector = atoms.positions[None] + shift - atoms.positions[:, None]
            close = (vector**2).sum(axis=2) < self.cutoff**2
            if image == (0, 0, 0):
                np.fill_diagonal(close, False)
            first, second = np.nonzero(close)
            i.append(first)
            j.append(second)
            shifts.append(np.broadcast_to(shift, (len(first), 3)))
        return (
            torch.from_numpy(np.concatenate(i)),
            torch.from_numpy(np.concatenate(j)),
            torch.from_numpy(np.concatenate(shifts)),
        )

    def _pair(self, a: Tensor, b: Tensor) -> Tensor:
        low, high = torch.minimum(a, b), torch.maximum(a, b)
        return low * len(self.elements) - torch.div(low * (low - 1), 2, rounding_mode="floor") + (high - low)

    def _energies(self, types: Tensor, centre: Tensor, neighbour: Tensor, vector: Tensor) -> tuple[Tensor, Tensor]:
        """Per-atom energies [n] and last-layer features by element [S, D]."""
        t, doc = self.tensors, self.document
        n, s = len(types), len(self.elements)
        f, a, layers = doc["n_features"], doc["n_angular"], doc["n_interactions"]
        distance = vector.norm(dim=1)
        u = vector / distance[:, None]
        pair = self._pair(types[centre], types[neighbour])
        harmonics = _second_harmonics(u)
        gates = self._gates(types, centre, neighbour, distance)

        x, isolated = t["embedding"][types], t["embedding"]
        for layer in range(layers):
            y = (x @ t["in2f"][layer].T)[neighbour]
            w = self._filter(layer, pair, distance)
            m = torch.zeros(n, f).index_add(0, centre, w[:, :f] * y)
            v = torch.zeros(n, 3, a).index_add(0, centre, u[:, :, None] * (w[:, f : f + a] * y[:, :a])[:, None])
            d = torch.zeros(n, 5, a).index_add(0, centre, harmonics[:, :, None] * (w[:, f + a :] * y[:, :a])[:, None])
            q = torch.cat([m, (1 + (v**2).sum(1)).sqrt() - 1, (1 + (d**2).sum(1)).sqrt() - 1], dim=1)
            x = x + self._update(layer, q)
            if "adapter.in" in t:
                inner = gates * _ssp(torch.einsum("npc,nc->np", t["adapter.in"][layer][types], q))
                x = x + torch.einsum("nfp,np->nf", t["adapter.out"][layer][types], inner)
            isolated = isolated + self._update(layer, torch.zeros(s, f + 2 * a))

        act = _ssp if doc["head_activation"] == "ssp" else torch.nn.functional.silu
        weight, bias = t["head.hidden.weight"], t["head.hidden.bias"]
        hidden = act(torch.einsum("ndf,nf->nd", weight[types], x) + bias[types])
        at_rest = act(torch.einsum("sdf,sf->sd", weight, isolated) + bias)
        features = hidden - at_rest[types]
        energies = t["e0"][types] + (t["head.out"][types] * features).sum(1)
        repulsion = self._repulsion(types[centre], types[neighbour], pair, distance)
        energies = energies.index_add(0, centre, repulsion / 2)  # a directed edge has half of its pair's energy
        return energies, torch.zeros(s, doc["n_hidden"]).index_add(0, types, features)

    def _update(self, layer: int, q: Tensor) -> Tensor:
        t = self.tensors
        inner = _ssp(q @ t["f2out1.weight"][layer].T + t["f2out1.bias"][layer])
        return inner @ t["f2out2.weight"][layer].T + t["f2out2.bias"][layer]

    def _filter(self, layer: int, pair: Tensor, distance: Tensor) -> Tensor:
        """Uniform cubic B-splines [edges, C]."""
        position = distance / self.step
        p = position.detach().floor().long()
        s = position - p
        basis = ((1 - s) ** 3 / 6, (3 * s**3 - 6 * s**2 + 4) / 6, (-3 * s**3 + 3 * s**2 + 3 * s + 1) / 6, s**3 / 6)
        return sum(b[:, None] * self.tensors["filters"][layer][pair, p + k] for k, b in enumerate(basis))

    def _gates(self, types: Tensor, centre: Tensor, neighbour: Tensor, distance: Tensor) -> Tensor:
        """gamma [n, P] of the adapters' rows."""
        n, s = len(types), len(self.elements)
        density = (1 - (distance / self.cutoff) ** 2) ** 3
        counts = torch.zeros(n * s).index_add(0, centre * s + types[neighbour], density).reshape(n, s)
        g = counts / (1 + counts) * (1 - torch.nn.functional.one_hot(types, s))
        many = (g.sum(1) ** 2 - (g**2).sum(1)) / 2
        many = many / (1 + many)
        rank_pair, rank_many = self.document["rank_pair"], self.document["rank_many"]
        return torch.cat([g.repeat_interleave(rank_pair, dim=1), many[:, None].expand(n, rank_many)], dim=1)

    def _repulsion(self, a: Tensor, b: Tensor, pair: Tensor, r: Tensor) -> Tensor:
        """ZBL times its switch [edges]."""
        charges = torch.tensor([float(atomic_numbers[symbol]) for symbol in self.elements])
        za, zb = charges[a], charges[b]
        x = r * (za**0.23 + zb**0.23) / 0.46850
        terms = ((0.18175, 3.19980), (0.50986, 0.94229), (0.28022, 0.40290), (0.02817, 0.20162))
        screening = sum(c * torch.exp(-d * x) for c, d in terms)
        inner, outer = self.tensors["zbl.inner"][pair], self.tensors["zbl.outer"][pair]
        z = ((r - inner) / torch.where(outer > inner, outer - inner, 1.0)).clamp(0, 1)
        switch = torch.where(r < outer, 1 - 10 * z**3 + 15 * z**4 - 6 * z**5, 0.0)
        return 14.3996454784255 * za * zb / r * screening * switch

    def _sigma(self, features: Tensor) -> Tensor:
        if "gram" not in self.tensors:
            return torch.tensor(0.0)
        settings = self.document["sigma"]
        f = features.reshape(-1)
        matrix = self.tensors["gram"] + settings["ridge"] * torch.eye(len(f))
        square = f @ torch.linalg.solve(matrix, f)
        return settings["scale"] * square.sqrt() if square > 0 else torch.tensor(0.0)


def _ssp(x: Tensor) -> Tensor:
    return torch.nn.functional.softplus(x, threshold=700) - np.log(2.0)


def _second_harmonics(u: Tensor) -> Tensor:
    """Y(u) [edges, 5] with Y(u).Y(u') = P_2(u.u')."""
    x, y, z = u.T
    root = 3.0**0.5
    return torch.stack([root * x * y, root * y * z, root * x * z, root / 2 * (x**2 - y**2), (3 * z**2 - 1) / 2], dim=1)
