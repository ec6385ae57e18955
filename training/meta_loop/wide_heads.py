"""A model that learns from few labels: random features of what its atoms have become, beside those it was trained with.

A trained model's last layer alone is narrow: 32 numbers for each element cannot follow another reference, or a
structure unlike all before, however many labels there are. Random features (Rahimi and Recht, Random Features for
Large-Scale Kernel Machines, NIPS 2007) make it wide: further hidden units act(H x + c) of the heads, on the same states
x of the atoms, with H and c drawn at random and never trained. A linear regression on them is a Gaussian process with a
kernel between atoms, in the metric in which the model sees them; and the energy stays a model file as all others, so
that LAMMPS relaxes in it, with its sigma.

On minima of 15-atom clusters of copper and nickel that were never seen, labelled with EMT, hea6 with 192 random
features to an element scatters by 0.08 eV and errs by 0.06 eV/A after 8 labels, by 0.03 and 0.03 after 30; its own 32
features stay at 0.09 and 0.06, however much is labelled.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from ase import Atoms
from hea_training.meta_loop.label_rows import Evaluator
from numpy.typing import NDArray

from hea_potential.errors import InputError
from hea_potential.model_file import ModelFile

__all__ = ["with_prior", "with_wide_heads"]

Floats = NDArray[np.float64]

LINEAR = 100.0  # both activations are the identity, to the last bit, for arguments around this
SMALLEST = 0.01  # of the largest variance of the states: directions that vary less are not stretched further
RIDGE = 1e-9  # of the largest diagonal element of the prior's precision


def with_wide_heads(model: ModelFile, structures: Sequence[Atoms], extra: int, rng: np.random.Generator) -> ModelFile:
    """The model with `extra` random hidden units in each head, without uncertainty; its energies are the same.

    structures: what the random features are made for, labelled or not. The units are H x + c with H such that H x has
    about unit variance over their atoms and c normal around what centres them, drawn from `rng`.
    Raises InputError where an element of the model is in none of them, or all its atoms are alike.
    """
    lone = lone_states(model)
    weight, bias = [], []
    for symbol, states, alone in zip(model.elements, states_of(model, structures), lone, strict=True):
        if len(states) < 2 or not states.std(axis=0).any():
            raise InputError(
                f"random features: got {len(states)} atoms of {symbol} in {len(structures)} structures; allowed are "
                f"two or more that are not alike"
            )
        variances, directions = np.linalg.eigh(np.cov(states.T))
        least = SMALLEST * variances[-1]
        count = max(int((variances > least).sum()), 1)
        whitened = rng.normal(size=(extra, len(variances))) / np.sqrt(count * np.maximum(variances, least))
        weight.append(whitened @ directions.T)
        bias.append(rng.normal(size=extra) - weight[-1] @ (alone + states.mean(axis=0)))
    return with_heads(
        model,
        np.concatenate([model.tensors["head.hidden.weight"], np.array(weight)], axis=1),
        np.concatenate([model.tensors["head.hidden.bias"], np.array(bias)], axis=1),
        np.concatenate([model.tensors["head.out"], np.zeros((len(lone), extra))], axis=1),
    )


def with_prior(model: ModelFile, structures: Sequence[Atoms]) -> ModelFile:
    """The model as a beginning of a regression: its Gram matrix is the diagonal one for which every weight moves the
    forces on the atoms of the structures alike. Raises InputError if there are none.
    """
    evaluate = Evaluator(model)
    squares = [(evaluate.derivatives(atoms)[1] ** 2).mean(axis=0) for atoms in structures]
    if not squares:
        raise InputError("prior: got no structures; at least one is needed")
    precision = np.mean(squares, axis=0)
    precision += RIDGE * precision.max()  # a unit that is silent in all of them
    tensors = {**model.tensors, "gram": np.diag(precision)}
    sigma = {"scale": 1.0, "ridge": float(RIDGE * precision.max())}
    return ModelFile(tensors, {**model.metadata, "sigma": sigma})


def with_heads(model: ModelFile, weight: Floats, bias: Floats, out: Floats) -> ModelFile:
    """The model with other heads [S, D, F], [S, D], [S, D] and without uncertainty."""
    tensors = {name: tensor for name, tensor in model.tensors.items() if name != "gram"}
    tensors |= {"head.hidden.weight": weight, "head.hidden.bias": bias, "head.out": out}
    metadata: dict[str, Any] = {key: value for key, value in model.metadata.items() if key != "sigma"}
    return ModelFile(tensors, {**metadata, "n_hidden": bias.shape[1]})


def lone_states(model: ModelFile) -> Floats:
    """x [S, F] of an isolated atom of each element: what the interactions give where nothing is near."""
    states = model.tensors["embedding"].astype(np.float64)
    for layer in range(model.metadata["n_interactions"]):
        hidden = np.logaddexp(0.0, model.tensors["f2out1.bias"][layer].astype(np.float64)) - np.log(2.0)
        states = states + model.tensors["f2out2.weight"][layer] @ hidden + model.tensors["f2out2.bias"][layer]
    return np.asarray(states)


def states_of(model: ModelFile, structures: Sequence[Atoms]) -> list[Floats]:
    """For each element x - x_isolated [atoms, F] of its atoms in all structures: the energies of atoms whose heads hand
    on one feature after the other.
    """
    s, f = model.tensors["embedding"].shape
    through = np.broadcast_to(np.eye(f), (s, f, f)).copy()
    evaluate = Evaluator(with_heads(model, through, np.full((s, f), LINEAR), np.zeros((s, f))))
    found: list[list[Floats]] = [[] for _ in range(s)]
    for atoms in structures:
        types, states = evaluate.atom_features(atoms)
        for element in range(s):
            found[element].append(states[types == element])
    return [np.concatenate(each) if each else np.zeros((0, f)) for each in found]
