"""The stock SchNetPack SchNet, trained by the same command on the same batches with the same loss: what hea is
compared with."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from ase.data import atomic_numbers
from hea_training.config import Config
from hea_training.evaluate import error_table, errors_of_predictions
from hea_training.fit import Settings, loss_of, optimise
from hea_training.graph import Batch, Graphs
from hea_training.network import Architecture
from hea_training.strata import start
from schnetpack import properties
from schnetpack.atomistic import Atomwise, Forces, PairwiseDistances
from schnetpack.model import NeuralNetworkPotential
from schnetpack.nn import CosineCutoff, GaussianRBF
from schnetpack.representation import SchNet
from schnetpack.transform import AddOffsets
from torch import Tensor

from hea_potential.complete_file import complete_file

if TYPE_CHECKING:
    from hea_training.run import Data

__all__ = ["batch_inputs", "predict_baseline", "stock_gradient", "stock_schnet", "train_baseline"]


def stock_schnet(arch: Architecture, e0: np.ndarray, n_rbf: int = 25) -> NeuralNetworkPotential:
    """SchNetPack's SchNet of the sizes of `arch`; isolated atoms' energies e0 [S] in eV are added after training, as
    AddOffsets does."""
    offsets = AddOffsets(properties.energy, add_atomrefs=True)
    for symbol, energy in zip(arch.elements, e0, strict=True):
        offsets.atomref[atomic_numbers[symbol]] = float(energy)
    return NeuralNetworkPotential(
        representation=SchNet(
            arch.n_features, arch.n_interactions, GaussianRBF(n_rbf, arch.cutoff), CosineCutoff(arch.cutoff)
        ),
        input_modules=[PairwiseDistances()],
        output_modules=[Atomwise(arch.n_features, output_key=properties.energy), Forces()],
        postprocessors=[offsets],
    )


def batch_inputs(batch: Batch, elements: tuple[str, ...]) -> tuple[dict[str, Tensor], Tensor]:
    """A batch under SchNetPack's keys, and the order of its atoms: SchNetPack wants them sorted by structure.

    All positions are zero and every displacement is an offset: the same distances, and the same forces.
    """
    order = torch.argsort(batch.structure, stable=True)
    place = torch.empty_like(order)
    place[order] = torch.arange(len(order))
    first, second, d = place[batch.edges.first], place[batch.edges.second], batch.edges.displacement
    charges = torch.tensor([atomic_numbers[s] for s in elements])
    return {
        properties.Z: charges[batch.species][order],
        properties.R: d.new_zeros(len(order), 3),
        properties.idx_m: batch.structure[order],
        properties.n_atoms: batch.sizes.long(),
        properties.idx_i: torch.cat([first, second]),
        properties.idx_j: torch.cat([second, first]),
        properties.offsets: torch.cat([d, -d]),
    }, order


def _in_batch_order(results: dict[str, Tensor], order: Tensor) -> tuple[Tensor, Tensor]:
    forces = torch.empty_like(results[properties.forces])
    forces[order] = results[properties.forces]
    return results[properties.energy], forces


def predict_baseline(
    model: NeuralNetworkPotential, graphs: Graphs, batch_size: int = 64
) -> tuple[np.ndarray, np.ndarray]:
    """Energies [M] in eV and forces [sum of atoms, 3] in eV/A in the set's order of atoms."""
    model.eval()
    model.do_postprocessing = True
    energies, forces = np.empty(len(graphs)), np.empty_like(graphs.forces)
    for begin in range(0, len(graphs), batch_size):
        rows = np.arange(begin, min(begin + batch_size, len(graphs)))
        batch = graphs.batch(rows)
        inputs, order = batch_inputs(batch, graphs.elements)
        energy, force = _in_batch_order(model(inputs), order)
        energies[rows] = energy.detach().double().numpy()
        atoms = slice(graphs.atom_start[rows[0]], graphs.atom_start[rows[-1] + 1])
        by_element = np.argsort(graphs.species[atoms], kind="stable")
        forces[atoms][by_element] = force.detach().double().numpy()
    return energies, forces


def stock_gradient(model: NeuralNetworkPotential, batch: Batch, elements: tuple[str, ...], settings: Settings) -> float:
    """Adds the gradient of the loss to the model's parameters, as SchNetPack's task does; gives the loss."""
    model.train()
    inputs, order = batch_inputs(batch, elements)
    loss = loss_of(*_in_batch_order(model(inputs), order), batch, settings)
    loss.backward()
    return float(loss.detach())


def train_baseline(
    config: Config, data: "Data", provenance: dict[str, Any], report: Callable[[str, int, int, float], None]
) -> Path:
    """Trains the stock SchNet with the settings of [training.full]; writes `best_model` (SchNetPack's own kind of
    file) and errors.json."""
    arch, settings, training = config.architecture, config.strata["full"], data.part("train")
    e0 = start(arch, training, config.seed, data.graphs)["e0"]
    nothing = np.zeros(arch.n_pairs)
    for graphs in (training, data.graphs):
        graphs.set_offsets(e0, nothing, nothing)
    torch.manual_seed(config.seed)
    model = stock_schnet(arch, e0)
    model.do_postprocessing = False

    parameters = [p for p in model.parameters() if p.requires_grad]
    optimise(
        model,
        [p for p in parameters if p.dim() > 1],
        [p for p in parameters if p.dim() < 2],
        lambda batch: stock_gradient(model, batch, arch.elements, settings),
        training,
        settings,
        config.seed,
        checkpoint=config.output / "schnetpack.checkpoint",
        provenance=provenance,
        on_epoch=lambda epoch, loss: report("schnetpack", epoch, settings.epochs, loss),
    )
    model.eval()
    model.do_postprocessing = True
    path = config.output / "best_model"
    errors = {}
    for part in ("valid", "test"):
        graphs = data.part(part)
        errors[part] = error_table(
            errors_of_predictions(graphs, *predict_baseline(model, graphs)), graphs, data.kinds(part)
        )
    with complete_file(path) as temporary:
        torch.save(model, temporary)
    with complete_file(config.output / "errors.json") as temporary:
        temporary.write_text(json.dumps(errors, indent=1) + "\n")
    return path
