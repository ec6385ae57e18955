"""What became of a refresh of the model; loads no torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

__all__ = ["Refreshed", "sha256_of"]


@dataclass(frozen=True)
class Refreshed:
    """What became of a refresh; the fields are the facts of the ledger.

    model: `models/` and the file's name; accepted: whether it takes the present model's place, and the reason;
    strata: what was trained; structures: how many there were to train on; before, after: errors of the present and of
    the new model (see `part_errors`); calibration: of the new one on the test part.
    """

    model: str
    sha256: str
    accepted: bool
    reason: str
    strata: list[str]
    structures: int
    epochs: int
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    calibration: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def untrained(
        cls, target: Path, reason: str, *, accepted: bool = False, errors: dict[str, Any] | None = None
    ) -> Refreshed:
        """A model file that is there without a training, with its errors where they are known."""
        known = errors or {}
        return cls(f"models/{target.name}", sha256_of(target), accepted, reason, [], 0, 0, known, known)


def sha256_of(path: Path) -> str:
    """Hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()
