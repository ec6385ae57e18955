"""What makes two searches the same, so that a run folder can be continued: all that decides what is found."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from pathlib import Path
from typing import Any

from hea_potential.search.journal import RunFolderError
from hea_potential.search.tasks import Setup


def identity_of(setup: Setup, method: str, window: int) -> dict[str, Any]:
    """The identity as plain values, as the journal's header holds it."""
    return {
        "composition": setup.composition.formula,
        "method": method,
        "seed": setup.seed,
        "window": int(window),
        "pair": pair_identity(setup),
        **files_identity(setup),
        "limits": asdict(setup.limits),
        "starts": [name for name, _ in setup.starts],
        "moves": [name for name, _ in setup.moves],
        "bonds": [list(row) for row in setup.bonds],
    }


def pair_identity(setup: Setup) -> dict[str, Any]:
    """A model file is known by its content, wherever it lies; other pair styles by their lines."""
    model = setup.pair.model
    if model is not None:
        kappa = {"kappa": setup.pair.kappa} if setup.pair.kappa else {}
        return {"model": hashlib.sha256(Path(model).read_bytes()).hexdigest(), **kappa}
    return {"lines": list(setup.pair.lines), "units": setup.pair.units}


def files_identity(setup: Setup) -> dict[str, Any]:
    """The files that a pair style other than a model reads, known by their content."""
    return {"files": dict(setup.pair.files)} if setup.pair.files and setup.pair.model is None else {}


def check_same(folder: Path, header: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Raise RunFolderError if the run that a folder holds differs in any of the wanted settings. Earlier versions did
    not write down the files of a pair style.
    """
    for key, value in wanted.items():
        if header.get(key, value if key == "files" else None) != value:
            raise RunFolderError(
                f"run folder {str(folder)!r} holds a search with {key} {header.get(key)}, this one has {value}; "
                f"choose another folder"
            )
