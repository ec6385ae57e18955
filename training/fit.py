"""One training run: batches, loss, its gradient without a graph of a graph, schedule, checkpoints."""

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from hea_training.checkpoint import read_checkpoint, write_checkpoint
from hea_training.filters import Filters
from hea_training.fit_settings import Settings
from hea_training.graph import Batch, Graphs
from hea_training.network import Network
from hea_training.replay import Replay
from torch import Tensor, nn

from hea_potential.errors import InputError

__all__ = ["Settings", "energy_and_forces", "fit", "loss_of", "optimise", "predict", "step"]


def _soft_length(x: Tensor, softness: float) -> Tensor:
    return torch.sqrt(x + softness**2) - softness


def loss_of(energy: Tensor, forces: Tensor, batch: Batch, settings: Settings) -> Tensor:
    """Loss of energies [M] and forces [N, 3] that stand where the batch's labels stand."""
    energy_error = _soft_length(((energy - batch.energy) / batch.sizes) ** 2, settings.energy_softness)
    force_error = _soft_length(((forces - batch.forces) ** 2).sum(1), settings.force_softness)
    weighted = force_error / (1 + batch.reference_force / settings.force_scale)
    return settings.energy_weight * energy_error.mean() + settings.force_weight * weighted.mean()


def energy_and_forces(network: Network, filters: Tensor, batch: Batch) -> tuple[Tensor, Tensor]:
    """Energies [M] and forces [N, 3] without E0 and ZBL; no gradient by the weights is kept."""
    displacement = batch.edges.displacement.detach().requires_grad_(True)
    energy = network(batch, filters.detach(), replace(batch.edges, displacement=displacement))[0]
    if not energy.requires_grad:  # no edges, or nothing that depends on them
        return energy.detach(), torch.zeros_like(batch.forces)
    (pull,) = torch.autograd.grad(energy.sum(), displacement)
    n = len(batch.species)
    component = torch.arange(3)
    index = torch.cat(
        [batch.edges.first[:, None] * 3 + component, batch.edges.second[:, None] * 3 + component]
    ).flatten()
    forces = torch.bincount(index, weights=torch.cat([pull, -pull]).flatten(), minlength=3 * n)
    return energy.detach(), forces.reshape(n, 3).to(pull.dtype)


def step(network: Network, filters: Filters, batch: Batch, settings: Settings) -> float:
    """Adds the gradient of the loss to every parameter that needs one; gives the loss.

    With g = d(loss)/dE and d(loss)/dF at the present prediction, the loss's gradient is that of  sum g_E E - rate(E),
    the rate of the energy when the atoms move with velocities g_F: one pass with rates, backward once.
    """
    table = filters()
    frozen = [p for p in network.parameters() if p.requires_grad]
    for p in frozen:
        p.requires_grad_(False)  # pass 1 needs gradients by positions alone
    try:
        energy, forces = energy_and_forces(network, table, batch)
    finally:
        for p in frozen:
            p.requires_grad_(True)
    energy.requires_grad_(True)
    forces.requires_grad_(True)
    loss = loss_of(energy, forces, batch, settings)
    energy_grad, force_grad = torch.autograd.grad(loss, [energy, forces])
    velocity = force_grad[batch.edges.second] - force_grad[batch.edges.first]
    value, rate = network(batch, table, replace(batch.edges, velocity=velocity))
    ((energy_grad * value).sum() - rate.sum()).backward()
    return float(loss.detach())


def predict(network: Network, table: Tensor, graphs: Graphs, batch_size: int = 64) -> tuple[np.ndarray, np.ndarray]:
    """Energies [M] in eV and forces [sum of atoms, 3] in eV/A of a whole set, E0 and ZBL included, in the set's order
    of atoms."""
    energies, forces = np.empty(len(graphs)), np.empty_like(graphs.forces)
    wanted = [p for p in network.parameters() if p.requires_grad]
    for p in wanted:
        p.requires_grad_(False)
    try:
        for start in range(0, len(graphs), batch_size):
            rows = np.arange(start, min(start + batch_size, len(graphs)))
            batch = graphs.batch(rows, dtype=table.dtype)
            e, f = energy_and_forces(network, table, batch)
            energies[rows] = e.double().numpy()
            atoms = slice(graphs.atom_start[rows[0]], graphs.atom_start[rows[-1] + 1])
            order = np.argsort(graphs.species[atoms], kind="stable")
            forces[atoms][order] = f.double().numpy()
    finally:
        for p in wanted:
            p.requires_grad_(True)
    return energies + graphs.offset_energy, forces + graphs.offset_forces


def optimise(
    module: nn.Module,
    decayed: list[Tensor],
    plain: list[Tensor],
    gradient: Callable[[Batch], float],
    graphs: Graphs,
    settings: Settings,
    seed: int,
    *,
    checkpoint: Path | None = None,
    replay: Replay | None = None,
    provenance: dict[str, Any] | None = None,
    checkpoint_seconds: float = 60.0,
    on_epoch: Callable[[int, float], None] | None = None,
) -> None:
    """AdamW with a one-cycle schedule; `gradient` adds a batch's gradient to the parameters and gives its loss.

    `decayed` parameters have weight decay, `plain` ones none. An epoch has all structures of `graphs`, or what `replay`
    draws of them. Resumes from `checkpoint` when that file exists: an unbroken run and a resumed one give the same
    weights, for the order of batches, optimiser and schedule are all in the checkpoint. Raises InputError for a
    checkpoint that is damaged or of another run.
    """
    generator = np.random.default_rng(seed)
    groups = [{"params": decayed, "weight_decay": settings.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(
        [g for g in groups if g["params"]], lr=settings.learning_rate, betas=(0.9, 0.99), fused=True
    )
    visited = len(graphs) if replay is None else replay.size(len(graphs))
    batches = max(1, -(-visited // settings.batch_size))
    steps = settings.epochs * batches + 1
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        settings.learning_rate,
        total_steps=steps,
        pct_start=max(settings.warm_up, 2.0 / steps),  # PyTorch divides by the warm-up's steps less one
        div_factor=10.0,
        final_div_factor=1e3,
        cycle_momentum=False,
    )
    run = {"seed": seed, "batches": batches, "epochs": settings.epochs}
    done = 0
    if checkpoint is not None and checkpoint.exists():
        state = read_checkpoint(checkpoint)
        if any(state.get(key) != value for key, value in run.items()):
            raise InputError(
                f"{checkpoint} belongs to another run: { ({key: state.get(key) for key in run}) }; this run has {run}"
            )
        module.load_state_dict(state["module"])
        optimizer.load_state_dict(state["optimizer"])
        schedule.load_state_dict(state["schedule"])
        done = state["epoch"]
    saved = time.monotonic()
    for epoch in range(settings.epochs):
        order = generator.permutation(len(graphs)) if replay is None else replay.order(len(graphs), generator)
        if epoch < done:
            continue  # replays the generator
        total = 0.0
        for start in range(0, len(order), settings.batch_size):
            batch = graphs.batch(order[start : start + settings.batch_size])
            optimizer.zero_grad(set_to_none=True)
            total += gradient(batch) * len(batch.sizes)
            nn.utils.clip_grad_norm_(decayed + plain, settings.clip)
            optimizer.step()
            schedule.step()
        last = epoch + 1 == settings.epochs
        if checkpoint is not None and (last or time.monotonic() - saved > checkpoint_seconds):
            states = {
                "module": module.state_dict(),
                "optimizer": optimizer.state_dict(),
                "schedule": schedule.state_dict(),
            }
            write_checkpoint(checkpoint, states | run | {"epoch": epoch + 1, "provenance": provenance or {}})
            saved = time.monotonic()
        if on_epoch is not None:
            on_epoch(epoch + 1, total / len(order))


def fit(
    network: Network,
    filters: Filters,
    graphs: Graphs,
    settings: Settings,
    seed: int,
    *,
    masks: dict[str, Tensor] | None = None,
    **options: Any,
) -> None:
    """Trains what requires a gradient, in place; `options` are those of `optimise`.

    `masks` names network parameters of which only the elements where the mask is 1 may move.
    """
    module = nn.ModuleDict({"network": network, "filters": filters})
    parameters = [p for p in module.parameters() if p.requires_grad]
    plain = [p for p in parameters if p.dim() < 2 or masks]  # masked tensors must not decay where they are frozen
    decayed = [p for p in parameters if all(p is not q for q in plain)]

    def gradient(batch: Batch) -> float:
        loss = step(network, filters, batch, settings)
        for name, mask in (masks or {}).items():
            parameter = network.get_parameter(name)
            if parameter.grad is not None:
                parameter.grad.mul_(mask)
        return loss

    optimise(module, decayed, plain, gradient, graphs, settings, seed, **options)
