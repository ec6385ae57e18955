"""The file of a training in progress."""

import os
from pathlib import Path
from pickle import UnpicklingError
from typing import Any

import torch

from hea_potential.errors import InputError

__all__ = ["read_checkpoint", "write_checkpoint"]


def write_checkpoint(path: Path, state: dict[str, Any]) -> None:
    """Write a torch file such that a kill at any instant leaves the old one or the new one."""
    temporary = path.with_name(path.name + ".part")
    with temporary.open("wb") as file:
        torch.save(state, file)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_checkpoint(path: Path) -> dict[str, Any]:
    """What was written; it is data, no code runs. Raises InputError for a damaged file."""
    try:
        return dict(torch.load(path, weights_only=True))
    except (OSError, EOFError, RuntimeError, ValueError, TypeError, UnpicklingError) as error:
        kind = type(error).__name__  # not torch's words, which recommend to let the file run code
        raise InputError(f"{path} cannot be read ({kind}); delete it, and the same command trains anew") from error
