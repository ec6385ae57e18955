"""The first two steps of a meta loop: the data set and the model that it begins with."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
from hea_training.meta_loop.borrowed import borrowed
from hea_training.meta_loop.label_into import label_into_data
from hea_training.meta_loop.plan import Step, compositions_of
from hea_training.meta_loop.refreshed import Refreshed
from hea_training.meta_loop.restricted import for_reference
from hea_training.meta_loop.start import lone_atoms, start_structures
from hea_training.meta_loop.start_data import fair_part, of_earlier_loops
from hea_training.meta_loop.state import Loop

from hea_potential.complete_file import complete_file
from hea_potential.dataset import DataSet, read_dataset, write_dataset
from hea_potential.errors import HEAError
from hea_potential.model_file import read_model_file, write_model_file

__all__ = ["adopt", "start"]

Facts = dict[str, Any]


def start(loop: Loop, step: Step) -> Facts:
    """The data set to begin with: of the one that is given, or labels of structures made from nothing."""
    config = loop.config
    if config.start.data:
        given = read_dataset(config.start_data).of_elements(config.elements)
        provenance = read_model_file(config.start_model).metadata.get("provenance", {})
        rng = np.random.default_rng(loop.seed(step.name))
        dataset = of_earlier_loops(fair_part(given, provenance, config.seed, config.start.structures, rng))
        write_dataset(loop.data, dataset)
        return {"structures": len(dataset), "labelled": 0, "failed": {}, "data_sha256": dataset.sha256()}
    if config.from_nothing:
        sizes = sorted({whole.size for whole in compositions_of(loop.steps)})
        rng = np.random.default_rng(loop.seed(step.name))
        structures = start_structures(config.elements, sizes, max(config.n_elements), config.start, rng)
    else:  # the model was made for another reference
        structures = lone_atoms(config.elements)
    labels = label_into_data(loop, step, structures)
    check_atoms(config.elements, labels)
    dataset = read_dataset(loop.data)
    return {
        "structures": len(dataset),
        "labelled": len(labels),
        "failed": labels.failures,
        "data_sha256": dataset.sha256(),
    }


def check_atoms(elements: list[str], labelled: DataSet) -> None:
    """Raise HEAError unless there is an isolated atom of every element: no model can be trained without them."""
    for symbol in elements:
        name = f"start-{symbol}"
        if name in labelled.failures:
            raise HEAError(
                f"the reference gives no energy for an isolated atom of {symbol}, which the model needs: "
                f"{labelled.failures[name]}; the same command tries again"
            )


def adopt(loop: Loop, target: Path) -> Facts:
    """Take a model that was trained elsewhere as the first of the loop. If it came without its data, only what it says
    of the loop's elements is taken, and isolated atoms get the energies of the loop's reference.
    """
    model = loop.config.start_model
    if loop.config.start.data:
        with complete_file(target) as temporary:
            shutil.copyfile(model, temporary)
    else:
        e0 = lone_energies(read_dataset(loop.data))
        write_model_file(target, for_reference(borrowed(read_model_file(model), loop.config.elements), e0))
    return asdict(Refreshed.untrained(target, f"the loop begins with {model.stem}", accepted=True))


def lone_energies(dataset: DataSet) -> dict[str, float]:
    """Energies of the isolated atoms of a data set, eV, by symbol."""
    lone = [dataset.atoms(int(k)) for k in np.flatnonzero((dataset.sizes == 1) & ~dataset.pbc.any(axis=1))]
    return {str(atoms.symbols): float(atoms.get_potential_energy()) for atoms in lone}
