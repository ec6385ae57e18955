"""What the folder of a meta loop holds, read without changing anything: the loop may go on meanwhile."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import ase.io
import numpy as np

from hea_potential.dataset import DataSet, fixed_split, read_dataset
from hea_potential.ledger_line import read_line
from hea_potential.loop_files import DATA, IDENTITY, LEDGER, MODELS, model_path
from hea_potential.report.search_folder import SearchRun, read_search
from hea_potential.search.journal import RunFolderError
from hea_potential.split import Split

__all__ = ["LoopRun", "Progress", "Step", "read_loop"]

Progress = Callable[[str, int, int], None]  # what is being done, and how much of how much

PARTS_OF_IDENTITY = {
    "seed": (int, "a whole number"),
    "config": (dict, "a table"),
    "reference": (dict, "a table"),
    "start": (dict, "a table"),
}


@dataclass(frozen=True)
class Step:
    """A finished step, as the ledger has it. `composition` is None where a step belongs to several."""

    step: str
    kind: str
    loop: int
    n_elements: int
    composition: str | None
    seconds: float
    facts: dict[str, Any]

    @property
    def place(self) -> str:
        """What the steps of one search, its choice and its labels have in common: their name without the kind."""
        return self.step.rpartition("-")[0]


@dataclass(frozen=True)
class LoopRun:
    """A meta loop: its identity, its finished steps in order, its data set and split, and the searches by their steps.

    `chosen_at` has, by the names of structures that were chosen to be labelled, the place of the step that chose them.
    `remarks` say what is missing or damaged, in words.
    """

    folder: Path
    identity: dict[str, Any]
    steps: list[Step]
    dataset: DataSet | None
    split: Split | None
    searches: dict[str, SearchRun]
    chosen_at: dict[str, str]
    remarks: list[str]

    @property
    def seed(self) -> int:
        """The seed that all others follow from."""
        return int(self.identity["seed"])

    @property
    def begins_with_a_model(self) -> bool:
        """Whether the first model was not trained in the loop."""
        return "model" in (self.identity.get("start") or {})

    def of_kind(self, kind: str) -> list[Step]:
        """The finished steps of a kind."""
        return [step for step in self.steps if step.kind == kind]

    @property
    def loops(self) -> list[int]:
        """Numbers of the meta loops in which a step is finished, from 1."""
        return sorted({step.loop for step in self.steps if step.loop > 0})

    def place_of(self, structure: str) -> str | None:
        """The place of the step that chose a structure, by its name in the data set; frames of its relaxation have a
        number behind a dot. None for those of the beginning.
        """
        return self.chosen_at.get(structure.partition(".")[0])

    def model_path(self, number: int) -> Path:
        """The file of a model by its number."""
        return model_path(self.folder, number)

    @property
    def models(self) -> list[int]:
        """Numbers of all models, rejected ones as well."""
        paths = (self.folder / MODELS).glob("*.safetensors")
        return sorted(int(path.stem) for path in paths if path.stem.isdecimal())

    @property
    def present_model(self) -> int | None:
        """The number of the model that the loop has come to: the last one accepted, at first the starting one."""
        accepted = [number_of(step.facts["model"]) for step in self.of_kind("refresh") if step.facts.get("accepted")]
        return next((number for number in [*accepted[::-1], *self.models[:1]] if number in self.models), None)

    def parts(self) -> Iterator[tuple[str, np.ndarray]]:
        """The parts of the data set by name, with the indices of their structures; none where there are no data."""
        if self.split is not None:
            for part in ("train", "valid", "test"):
                yield part, getattr(self.split, part)


def number_of(model: Any) -> int:
    """The number of a model that is given by it or by the name of its file."""
    return int(Path(str(model)).stem)


def read_loop(folder: Path, progress: Progress) -> LoopRun:
    """Read a meta loop's folder.

    Raises RunFolderError where loop.json or the ledger cannot be read, InputError for a damaged data set. Damaged
    searches become remarks.
    """
    identity = read_identity(folder / IDENTITY)
    steps = read_ledger(folder / LEDGER)
    remarks = [] if steps else ["No step is finished yet."]
    dataset = read_dataset(folder / DATA) if (folder / DATA).exists() else None
    if dataset is None or len(dataset) == 0:
        dataset = None
        remarks.append("There is no labelled structure yet.")
    split = None if dataset is None else fixed_split(dataset, int(identity["seed"]))
    searches = {}
    searched = [step for step in steps if step.kind == "search" and "error" not in step.facts]
    for number, step in enumerate(searched, start=1):
        try:
            searches[step.step] = read_search(folder / str(step.facts.get("folder")))
        except RunFolderError as error:
            remarks.append(f"The search of step {step.step} is left out: {error}")
        progress("searches", number, len(searched))
    chosen_at = {}
    for step in steps:
        if step.kind == "select":
            try:
                chosen_at.update(dict.fromkeys(names_in(folder / str(step.facts["file"])), step.place))
            except (OSError, KeyError, ValueError) as error:
                remarks.append(f"What step {step.step} chose is not known: {type(error).__name__}: {error}")
    return LoopRun(folder, identity, steps, dataset, split, searches, chosen_at, remarks)


def names_in(path: Path) -> list[str]:
    """The names of the structures in a file; an empty file has none."""
    frames = ase.io.read(path, ":", parallel=False) if path.stat().st_size else []
    return [str(atoms.info["name"]) for atoms in frames]


def read_identity(path: Path) -> dict[str, Any]:
    """What the run is, from loop.json."""
    try:
        identity = json.loads(path.read_text())
        if not isinstance(identity, dict):
            raise ValueError("it must be a table")
        for name, (kind, words) in PARTS_OF_IDENTITY.items():
            if not isinstance(identity.get(name), kind):
                raise ValueError(f"{name} must be {words}, got {json.dumps(identity.get(name))}")
        if not isinstance(elements := identity["config"].get("elements"), list):
            raise ValueError(f"config.elements must be a list, got {json.dumps(elements)}")
    except OSError as error:
        raise RunFolderError(f"{path}: cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise RunFolderError(f"{path}: is not the identity of a meta loop: {error}") from error
    return identity


def read_ledger(path: Path) -> list[Step]:
    """The finished steps; a last line that was cut short is left out, any other damage is a RunFolderError."""
    if not path.exists():
        return []
    steps: list[Step] = []
    lines = path.read_bytes().split(b"\n")
    for number, text in enumerate(lines[:-1], start=1):
        try:
            line = read_line(text)
        except ValueError as error:
            raise RunFolderError(f"{path}: line {number} cannot be read: {error}; it is left as it is") from error
        values = {field.name: line[field.name] for field in fields(Step)}
        steps.append(Step(**{**values, "n_elements": line["n_elements"] or 0}))
    return steps
