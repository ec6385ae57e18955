"""A model file in torch: double precision, plain operations, automatic derivatives. Slow; the oracle for every other
backend."""

from dataclasses import dataclass, replace
from os import PathLike

import numpy as np
import torch
from ase import Atoms
from hea_training.export import architecture_of
from hea_training.graph import Graphs
from hea_training.strata import load_network

from hea_potential.model_file import ModelFile, read_model_file

__all__ = ["Evaluation", "TorchModel", "from_file"]


@dataclass(frozen=True)
class Evaluation:
    """Results for one structure of N atoms: energy eV, energies [N] eV, forces [N, 3] eV/A, virial [3, 3] eV (sum of
    D x dE/dD, which is
    stress times volume), features [S*D] summed by element, sigma eV (None when the model has no Gram matrix)."""

    energy: float
    energies: np.ndarray
    forces: np.ndarray
    virial: np.ndarray
    features: np.ndarray
    sigma: float | None


class TorchModel:
    """A model file's potential. `kernels` uses the compiled convolution instead of plain torch."""

    def __init__(self, model: ModelFile, *, kernels: bool = False):
        self.arch = architecture_of(model)
        self.tensors = {name: np.asarray(array, dtype=np.float64) for name, array in model.tensors.items()}
        self.sigma = model.metadata.get("sigma")
        self.network = load_network(self.arch, self.tensors, torch.float64)
        self.network.requires_grad_(False)
        self.network.reference_kernels = not kernels
        self.filters = torch.from_numpy(self.tensors["filters"])

    def evaluate(self, atoms: Atoms) -> Evaluation:
        """Raises ValueError for an element that the model lacks."""
        n = len(atoms)
        graphs = Graphs.build(self.arch.elements, self.arch.cutoff, [atoms], [0.0], [np.zeros((n, 3))])
        graphs.set_offsets(self.tensors["e0"], self.tensors["zbl.inner"], self.tensors["zbl.outer"])
        batch = graphs.batch(np.zeros(1, dtype=np.int64), dtype=torch.float64)
        displacement = batch.edges.displacement.requires_grad_(True)
        f = self.network.features(batch, self.filters, replace(batch.edges, displacement=displacement))[0]
        atomwise = (f * self.network.head_out[batch.species]).sum(1)
        pull = torch.zeros_like(displacement)
        if atomwise.requires_grad:
            (pull,) = torch.autograd.grad(atomwise.sum(), displacement)
        order = np.argsort(graphs.species, kind="stable")
        energies = np.empty(n)
        energies[order] = atomwise.detach().numpy()
        energies += self.tensors["e0"][graphs.species]
        repulsion, slope = graphs.repulsion(self.tensors["zbl.inner"], self.tensors["zbl.outer"])
        d = graphs.displacement
        total = pull.numpy() + slope[:, None] * d / np.linalg.norm(d, axis=1, keepdims=True)
        forces = np.zeros((n, 3))
        for ends, sign in ((graphs.first, 1.0), (graphs.second, -1.0)):
            np.add.at(forces, ends, sign * total)
            np.add.at(energies, ends, repulsion / 2)
        features = np.zeros((self.arch.n_elements, self.arch.n_hidden))
        np.add.at(features, graphs.species[order], f.detach().numpy())
        return Evaluation(
            float(energies.sum()), energies, forces, d.T @ total, features.ravel(), self._sigma(features.ravel())
        )

    def _sigma(self, features: np.ndarray) -> float | None:
        if self.sigma is None:
            return None
        gram = self.tensors["gram"]
        solved = np.linalg.solve(gram + self.sigma["ridge"] * np.eye(len(gram)), features)
        return float(self.sigma["scale"] * np.sqrt(max(float(features @ solved), 0.0)))


def from_file(path: str | PathLike[str], *, kernels: bool = False) -> TorchModel:
    """The potential of a model file (or of a shipped model, by name). Raises ModelFileError for a file that cannot be
    used."""
    return TorchModel(read_model_file(path), kernels=kernels)
