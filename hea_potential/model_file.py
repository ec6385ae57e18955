"""The model file: what a trained model is, and how it is found, read and written.

Needs numpy alone, so that training, the command line and the calculator share it. The format is in `model_format`, its
container in `safetensors_file`; the C++ reader of the engine (`engine/model.h`) accepts and refuses the same files.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hea_potential import safetensors_file
from hea_potential.complete_file import complete_file
from hea_potential.errors import ModelFileError
from hea_potential.model_format import check_metadata, check_tensors
from hea_potential.safetensors_file import Arrays

__all__ = [
    "ModelFile",
    "find_model",
    "known_models",
    "pair_index",
    "parse_model",
    "read_model_file",
    "shipped_models",
    "write_model_file",
]

MODELS_FOLDER = Path(__file__).parent / "models"


@dataclass(frozen=True)
class ModelFile:
    """A checked model: its tensors by the names of the file, and the JSON document that describes them.

    Attributes:
        tensors: float32 or float64 arrays; names and shapes in ARCHITECTURE.md, section 2.1.
        metadata: the document of the `hea` key; energies in eV, lengths in Angstrom.

    Raises:
        ModelFileError: when made from tensors and metadata that do not fit the format.
    """

    tensors: Arrays
    metadata: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_metadata(self.metadata)
        check_tensors(self.tensors, self.metadata)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols in the file's order."""
        return tuple(self.metadata["elements"])

    @property
    def cutoff(self) -> float:
        """Cutoff radius in Angstrom."""
        return float(self.metadata["cutoff"])

    @property
    def has_sigma(self) -> bool:
        """Whether the model estimates its uncertainty."""
        return "gram" in self.tensors

    @property
    def n_weights(self) -> int:
        """Number of trained numbers: every tensor but the Gram matrix and the distances."""
        untrained = ("gram", "distance.min", "zbl.inner", "zbl.outer")
        return sum(tensor.size for name, tensor in self.tensors.items() if name not in untrained)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Unordered pairs of elements in the order of the pair tensors."""
        return [(a, b) for i, a in enumerate(self.elements) for b in self.elements[i:]]

    def to_bytes(self) -> bytes:
        """Return the file's bytes. Equal models give equal bytes."""
        return safetensors_file.to_bytes(self.tensors, self.metadata)


def pair_index(a: int, b: int, n_elements: int) -> int:
    """Return the row of the pair of elements `a` and `b` in the pair tensors."""
    low, high = min(a, b), max(a, b)
    return low * n_elements - low * (low - 1) // 2 + high - low


def shipped_models() -> dict[str, Path]:
    """Return the models that come with the package, by name."""
    return {path.stem: path for path in sorted(MODELS_FOLDER.glob("*.safetensors"))}


def known_models() -> dict[str, Path]:
    """Return the models that have a name: those in the folders of HEA_MODEL_PATH (separated by colons, the first wins),
    then those that come with the package. LAMMPS looks in the same places.
    """
    folders = [Path(folder) for folder in os.environ.get("HEA_MODEL_PATH", "").split(":") if folder]
    found = shipped_models()
    for folder in reversed(folders):
        found |= {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    return found


def find_model(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a model that has a name (`hea6`, see `known_models`) or lies in a file.

    Raises:
        ModelFileError: there is neither a model nor a file of that name; the message lists the known ones.
    """
    known = known_models()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    names = ", ".join(known) or "there is none"
    found = "a folder" if path.is_dir() else "no such file"
    raise ModelFileError(f"model: got {str(name_or_path)!r} ({found}); allowed is a known model ({names}) or a file")


def read_model_file(name_or_path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a shipped model or a model file.

    Raises:
        ModelFileError: the file is missing, damaged, foreign or of another version; the message says which.
    """
    path = find_model(name_or_path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"model file {path}: {error.strerror}; allowed is a readable file") from error
    return parse_model(content, source=str(path))


def write_model_file(path: str | os.PathLike[str], model: ModelFile) -> None:
    """Write a model file; it is complete or, after an error, not there.

    Raises:
        OutputError: the folder is missing or not writable.
    """
    content = model.to_bytes()
    with complete_file(path) as temporary:
        temporary.write_bytes(content)


def parse_model(content: bytes, source: str = "bytes") -> ModelFile:
    """Read and check the bytes of a model file; `source` names them in errors.

    Raises:
        ModelFileError: as `read_model_file`.
    """
    try:
        return ModelFile(*safetensors_file.from_bytes(content))
    except ModelFileError as error:
        raise ModelFileError(f"model file {source}: {error}") from error
