"""The append-only record of a run, from which it is resumed: JSON lines, the first of them saying what the run is.

One line per finished task, in the order of the tasks' numbers, written before anything else sees the result. A line
reaches the operating system at once, so that killing the process loses nothing, and the disk at least every second. A
last line that was cut short is dropped.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import time
from pathlib import Path
from typing import Any

import numpy as np

from hea_potential.errors import HEAError, OutputError
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.similarity import fingerprint
from hea_potential.search.tasks import Result

FORMAT = "hea-search"
VERSION = 1
NAME = "journal.jsonl"


class RunFolderError(HEAError):
    """A run folder that belongs to another search, is in use or is damaged."""


class Journal:
    """The journal of a run folder, locked against a second run as long as it is open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        try:
            folder.mkdir(parents=True, exist_ok=True)
            self.descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
        except OSError as error:
            raise OutputError(f"run folder {str(folder)!r}: cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            os.close(self.descriptor)
            raise RunFolderError(f"run folder {str(folder)!r}: another search is running in it") from error
        self.synced = time.monotonic()
        try:
            self.header, self.entries = self.read()
        except BaseException:
            os.close(self.descriptor)
            raise

    def read(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Header and entries on disk; a torn last line is cut off the file."""
        content = self.path.read_bytes()
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self.descriptor, whole)
        lines = content[:whole].splitlines()
        if not lines:
            return None, []
        try:
            header, *entries = (json.loads(line) for line in lines)
            if header["format"] != FORMAT or header["version"] != VERSION:
                raise RunFolderError(
                    f"{self.path}: format {header['format']!r} version {header['version']!r}; "
                    f"this program continues {FORMAT!r} version {VERSION}"
                )
            if [entry["task"] for entry in entries] != list(range(len(entries))):
                raise ValueError("tasks are not numbered from 0")
        except (ValueError, KeyError, TypeError) as error:
            raise RunFolderError(f"{self.path}: is not the journal of a search, or damaged: {error}") from error
        return header, entries

    def begin(self, identity: dict[str, Any]) -> None:
        """Write the header of a new run."""
        self.header = {"format": FORMAT, "version": VERSION, **identity}
        self.write(self.header)
        self.sync()

    def append(self, entry: dict[str, Any]) -> None:
        """Add the entry of the next task."""
        self.write(entry)
        if time.monotonic() - self.synced > 1.0:
            self.sync()

    def write(self, entry: dict[str, Any]) -> None:
        """Hand one line to the operating system."""
        line = json.dumps(entry, separators=(",", ":")).encode() + b"\n"
        try:
            while line:
                line = line[os.write(self.descriptor, line) :]
        except OSError as error:
            raise OutputError(
                f"{self.path}: cannot be written: {error.strerror}; what was found until now is kept"
            ) from error

    def sync(self) -> None:
        """Put everything on the disk."""
        os.fsync(self.descriptor)
        self.synced = time.monotonic()

    def close(self) -> None:
        """Put everything on the disk and let others have the folder."""
        self.sync()
        os.close(self.descriptor)


def entry_of(result: Result, minimum: int | None, is_new: bool, elapsed: float) -> dict[str, Any]:
    """The journal's entry of a result; `minimum` is the number of the minimum that it is, `elapsed` the run's age in
    seconds.
    """
    entry: dict[str, Any] = {
        "task": result.number,
        "operator": result.operator,
        "parents": list(result.parent_ids),
        "quench": result.quench,
        "outcome": result.outcome,
        "calls": result.calls,
        "seconds": round(result.seconds, 6),
        "quench_seconds": round(result.quench_seconds, 6),
        "elapsed": round(elapsed, 3),
    }
    if result.message:
        entry["message"] = result.message
    if minimum is not None:
        entry["energy"] = result.energy
        entry["minimum"] = minimum
    if is_new and result.cluster is not None:
        entry["positions"] = base64.b64encode(result.cluster.positions.astype("<f8").tobytes()).decode()
    return entry


def result_of(entry: dict[str, Any], composition: Composition, bonds: Floats) -> Result:
    """The result that an entry records; cluster and fingerprint only where the minimum was new."""
    cluster = None
    described = None
    if "positions" in entry:
        positions = np.frombuffer(base64.b64decode(entry["positions"]), "<f8").reshape(composition.size, 3)
        cluster = Cluster(composition.types, positions)
        described = fingerprint(cluster, bonds)
    return Result(
        entry["task"],
        entry["operator"],
        tuple(entry["parents"]),
        entry["outcome"],
        entry.get("energy", np.nan),
        cluster,
        described,
        entry["calls"],
        entry["seconds"],
        entry["quench_seconds"],
        entry.get("message", ""),
        entry["quench"],
    )
