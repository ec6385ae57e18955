"""The record of a run's finished steps: JSON lines, each appended and synced when its step's outputs are complete."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from hea_training.meta_loop.plan import Step

from hea_potential.errors import HEAError, OutputError
from hea_potential.ledger_line import read_line
from hea_potential.locked_file import locked_file
from hea_potential.loop_files import LEDGER

__all__ = ["Ledger", "LoopFolderError"]

Facts = dict[str, Any]


class LoopFolderError(HEAError):
    """A run folder that belongs to another meta loop, is in use or is damaged."""


class Ledger:
    """The ledger of a run's folder, locked against a second run as long as it is open. `lines` has what is done, by the
    name of the step.
    """

    def __init__(self, folder: Path) -> None:
        """Open or begin the ledger. Raises LoopFolderError for a folder in use or a damaged ledger, OutputError."""
        self.path = folder / LEDGER
        in_use = LoopFolderError(f"run folder {str(folder)!r}: another loop is running in it")
        self.descriptor = locked_file(self.path, in_use)
        try:
            content = self.path.read_bytes()
            self.lines = lines_of(self.path, content)
            os.ftruncate(self.descriptor, content.rfind(b"\n") + 1)  # a line that a kill cut short
        except BaseException:
            os.close(self.descriptor)
            raise

    def write(self, step: Step, seconds: float, facts: Facts) -> dict[str, Any]:
        """Record a step as done; returns its line. Raises OutputError, and leaves no part of a line."""
        line = {
            "step": step.name,
            "kind": step.kind,
            "loop": step.loop,
            "n_elements": step.n_elements,
            "composition": step.composition,
            "seconds": round(seconds, 3),
            "facts": facts,
        }
        content = (json.dumps(line, allow_nan=False) + "\n").encode()
        whole = os.fstat(self.descriptor).st_size
        try:
            if os.write(self.descriptor, content) < len(content):
                raise OSError(None, "no space left on the device")
            os.fsync(self.descriptor)
        except OSError as error:
            os.ftruncate(self.descriptor, whole)
            raise OutputError(
                f"{self.path}: cannot be written: {error.strerror}; what is done is kept: make room, and the same "
                f"command goes on"
            ) from error
        self.lines[step.name] = line
        return line

    def close(self) -> None:
        """Let go of the folder."""
        os.close(self.descriptor)


def lines_of(path: Path, content: bytes) -> dict[str, dict[str, Any]]:
    """The lines of a ledger by the names of their steps; a last line without its end is left out.

    Raises LoopFolderError for a line that cannot be read.
    """
    lines: dict[str, dict[str, Any]] = {}
    for number, text in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            line = read_line(text)
        except ValueError as error:
            raise LoopFolderError(
                f"{path}: line {number} cannot be read: {error}; it is left as it is: restore it, or choose another "
                f"folder"
            ) from error
        lines[line["step"]] = line
    return lines
