"""From trained tensors to the model file, and back into torch in double precision as an oracle."""

from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np
from hea_training.network import Architecture
from hea_training.sigma import Uncertainty
from hea_training.strata import Tensors

from hea_potential.model_file import ModelFile, read_model_file, write_model_file
from hea_potential.model_format import FORMAT, UNITS, VERSION

__all__ = ["architecture_of", "export", "tensors_of"]


def export(
    path: Path, arch: Architecture, tensors: Tensors, sigma: Uncertainty | None, document: Mapping[str, Any]
) -> ModelFile:
    """Writes a model file; `document` adds what people want to know (name, provenance, errors, licence)."""
    tensors = dict(tensors)
    metadata = {"format": FORMAT, "version": VERSION, "units": dict(UNITS)} | arch.as_dict() | dict(document)
    if sigma is not None:
        tensors["gram"] = np.asarray(sigma.gram, dtype=np.float64)
        metadata["sigma"] = {"scale": sigma.scale, "ridge": sigma.ridge}
    model = ModelFile(tensors, metadata)
    write_model_file(path, model)
    return model


def architecture_of(model: ModelFile) -> Architecture:
    """The sizes of a model file."""
    values = {f.name: model.metadata[f.name] for f in fields(Architecture) if f.name != "elements"}
    return Architecture(tuple(model.elements), **values)


def tensors_of(path: Path) -> tuple[Architecture, Tensors]:
    """A model file's sizes and weights, to go on from."""
    model = read_model_file(path)
    return architecture_of(model), {name: np.array(array) for name, array in model.tensors.items() if name != "gram"}
