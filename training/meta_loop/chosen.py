"""The file of what was chosen to be labelled in a step's folder; loads no torch."""

from __future__ import annotations

from collections import Counter
from typing import Any

import ase.io
from ase import Atoms
from hea_training.meta_loop.ledger import LoopFolderError
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.state import Loop

from hea_potential.complete_file import complete_file

__all__ = ["read_chosen", "write_chosen"]

NAME = "selected.extxyz"


def write_chosen(loop: Loop, step: Step, chosen: list[Atoms]) -> dict[str, Any]:
    """Write what was chosen, `info["reason"]` says why; returns the facts of it."""
    file = loop.folder_of(step) / NAME
    with complete_file(file) as temporary:
        ase.io.write(temporary, chosen, format="extxyz", parallel=False)
    return {
        "chosen": len(chosen),
        "reasons": dict(sorted(Counter(atoms.info["reason"] for atoms in chosen).items())),
        "file": str(file.relative_to(loop.folder)),
    }


def read_chosen(loop: Loop, step: Step) -> list[Atoms]:
    """What was chosen in a step. Raises LoopFolderError for a file that is missing or damaged."""
    file = loop.folder_of(step) / NAME
    try:
        return list(ase.io.read(file, ":", parallel=False)) if file.stat().st_size else []
    except Exception as error:  # ASE's readers raise whatever their parsing stumbles over
        raise LoopFolderError(f"{file} cannot be read: {' '.join(str(error).split())}; restore it") from error
