"""What the steps of a meta loop share: its configuration, its folder, what is done, and who works."""

from __future__ import annotations

import hashlib
import itertools
from concurrent.futures import Executor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.ledger import Ledger
from hea_training.meta_loop.plan import Step

from hea_potential.loop_files import DATA, model_path

__all__ = ["Loop", "Watcher"]


class Watcher:
    """Is told how a loop goes; this one does nothing."""

    def begins(self, step: Step, number: int, total: int) -> None:
        """Step `number` of `total`, from 1, begins."""

    def goes_on(self, what: str, done: int, total: int) -> None:
        """Of the present step so much is done: minimisations, structures, epochs."""

    def ends(self, line: dict[str, Any]) -> None:
        """A step is in the ledger, now or from an earlier call."""


@dataclass
class Loop:
    """A meta loop in progress. executor: does minimisations and labels, with its number of workers (None: this process
    minimises, and `labellers` label, or this process where there are none).
    """

    config: LoopConfig
    folder: Path
    steps: list[Step]
    ledger: Ledger
    executor: Executor | None = None
    workers: int = 0
    labellers: Executor | None = None
    watcher: Watcher = field(default_factory=Watcher)

    @property
    def data(self) -> Path:
        """The data set."""
        return self.folder / DATA

    def folder_of(self, step: Step) -> Path:
        """The folder of a step's files, made if it is not there."""
        folder = self.folder / step.place
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def facts(self, step: Step) -> dict[str, Any]:
        """What the ledger says of a finished step."""
        return self.ledger.lines[step.name]["facts"]

    def target(self, step: Step) -> Path:
        """The model file that a refresh writes: numbered in the order of the refreshes."""
        number = [each for each in self.steps if each.kind == "refresh"].index(step)
        return model_path(self.folder, number)

    @property
    def model(self) -> Path | None:
        """The model file that was accepted last; None before the first."""
        lines = [self.ledger.lines.get(step.name) for step in self.steps if step.kind == "refresh"]
        accepted = [line["facts"]["model"] for line in lines if line and line["facts"]["accepted"]]
        return self.folder / accepted[-1] if accepted else None

    def refreshes_since_accepted(self, step: Step) -> list[Step]:
        """This refresh and those before it, back to the one after that whose model was accepted last."""
        refreshes = [each for each in self.steps if each.kind == "refresh"]
        last = refreshes.index(step)
        refused = itertools.takewhile(lambda each: not self.facts(each)["accepted"], reversed(refreshes[:last]))
        return [*refused, step]

    def seed(self, name: str) -> int:
        """A seed of its own for everything that has a name, whatever was done before."""
        return int.from_bytes(hashlib.sha256(f"{self.config.seed}/{name}".encode()).digest()[:4], "big")
