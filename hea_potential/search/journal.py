"""The append-only record of a run, from which it is resumed: JSON lines, the first of them saying what the run is.

One line per finished task, in the order in which results are absorbed (see `turns`), written before anything outside
sees the result; and one for each task that killed its process, see `witness`. What is written reaches the operating
system at once, so that killing the process loses nothing of it, and the disk at least every second. Each ends with its
checksum: a last line that was cut short is dropped, any other damage is an error that names the line and leaves the
file as it is.
"""

from __future__ import annotations

import json
import os
import time
import zlib
from binascii import a2b_base64, b2a_base64
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from hea_potential.errors import HEAError, OutputError
from hea_potential.locked_file import locked_file
from hea_potential.search.archive import Minimum
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.similarity import fingerprint
from hea_potential.search.tasks import Result

FORMAT = "hea-search"
VERSION = 2
NAME = "journal.jsonl"
BEGINNING = b'{"format":"hea-search"'
ENCODER = json.JSONEncoder(separators=(",", ":"))


class RunFolderError(HEAError):
    """A run folder that belongs to another search, is in use or is damaged."""


class Journal:
    """The journal of a run folder, locked against a second run as long as it is open."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / NAME
        in_use = RunFolderError(f"run folder {str(folder)!r}: another search is running in it")
        self.descriptor = locked_file(self.path, in_use)
        try:
            self.synced = time.monotonic()
            self.lines: list[bytes] = []  # not written yet
            self.header, self.entries, self.crashed = self.read()
        except BaseException:
            os.close(self.descriptor)
            raise

    def read(self) -> tuple[dict[str, Any] | None, list[dict[str, Any]], dict[int, str]]:
        """Header, entries and crashed tasks on disk; a torn last line is cut off the file."""
        content = self.path.read_bytes()
        found = read_journal(self.path, content)
        whole = content.rfind(b"\n") + 1
        if whole < len(content):
            os.ftruncate(self.descriptor, whole)
        return found

    def begin(self, identity: dict[str, Any]) -> None:
        """Write the header of a new run."""
        self.header = {"format": FORMAT, "version": VERSION, **identity}
        self.lines.append(sealed(ENCODER.encode(self.header)[:-1]))
        self.write()
        self.sync()

    def append(self, result: Result, minimum: Minimum | None, is_new: bool, elapsed: float) -> None:
        """Add the line of the next task, see `entry_of`; it is to be written before anybody else may know of it."""
        self.lines.append(sealed(entry_of(result, minimum, is_new, elapsed)))

    def give_up(self, crashed: Mapping[int, str]) -> None:
        """Write down tasks that killed their process: they will not be done again."""
        for task, message in crashed.items():
            self.lines.append(sealed(ENCODER.encode({"crashed": task, "message": message})[:-1]))
            self.crashed[task] = message
        self.write()
        self.sync()

    def write(self) -> None:
        """Hand all lines to the operating system, and once a second to the disk."""
        text, self.lines = b"".join(self.lines), []
        try:
            while text:
                text = text[os.write(self.descriptor, text) :]
        except OSError as error:
            raise self.unwritable(error) from error
        if time.monotonic() - self.synced > 1.0:
            self.sync()

    def sync(self) -> None:
        """Put everything on the disk."""
        try:
            os.fdatasync(self.descriptor)
        except OSError as error:
            raise self.unwritable(error) from error
        self.synced = time.monotonic()

    def close(self) -> None:
        """Put everything on the disk and let others have the folder."""
        try:
            self.sync()
        finally:
            os.close(self.descriptor)

    def unwritable(self, error: OSError) -> OutputError:
        """What to say when the disk is full or gone."""
        return OutputError(f"{self.path}: cannot be written: {error.strerror}; what was found until now is kept")


def read_journal(path: Path, content: bytes) -> tuple[dict[str, Any] | None, list[dict[str, Any]], dict[int, str]]:
    """Header, entries and crashed tasks of a journal's content; a torn last line is left out.

    Raises RunFolderError for any other damage, and for what is not a journal.
    """
    # The first line says whose file it is: nothing is cut off a file that is not ours.
    if content and not content.startswith(BEGINNING[: len(content)]):
        raise RunFolderError(f"{path}: is not the journal of a search; choose another folder")
    header = None
    entries: list[dict[str, Any]] = []
    tasks: set[int] = set()
    crashed: dict[int, str] = {}
    for number, line in enumerate(content.split(b"\n")[:-1], start=1):
        try:
            entry = checked(line)
            if header is None:
                header = entry
                if (header["format"], header["version"]) != (FORMAT, VERSION):
                    raise ValueError(f"version {header['version']!r}, this program continues version {VERSION}")
            elif "crashed" in entry:
                crashed[entry["crashed"]] = entry["message"]
            elif entry["task"] in tasks:
                raise ValueError(f"task {entry['task']} a second time")
            else:
                tasks.add(entry["task"])
                entries.append(entry)
        except (ValueError, KeyError, TypeError) as error:
            raise RunFolderError(
                f"{path}: line {number} cannot be read: {error}; it is left as it is: restore it, or choose "
                f"another folder"
            ) from error
    return header, entries, crashed


def sealed(entry: str) -> bytes:
    """A JSON object without its last brace as a line whose last value is the checksum (CRC-32) of all before it."""
    body = entry.encode()
    return b'%s,"check":"%08x"}\n' % (body, zlib.crc32(body))


def checked(line: bytes) -> dict[str, Any]:
    """The entry of a line without its line break; ValueError if it is not as it was written."""
    body, _, seal = line.rpartition(b',"check":"')
    if seal != b'%08x"}' % zlib.crc32(body):
        raise ValueError("its checksum does not match")
    return json.loads(body + b"}")


def entry_of(result: Result, minimum: Minimum | None, is_new: bool, elapsed: float) -> str:
    """The journal's entry of a result, a JSON object without its last brace; `minimum` is what it is in the archive,
    `elapsed` the run's age in seconds.

    Written out, because a general encoder takes several times as long, which counts where a task takes a millisecond.
    """
    entry = (
        f'{{"task":{result.number},"operator":{quoted(result.operator)},"parents":{list(result.parent_ids)},'
        f'"quench":{quoted(result.quench)},"outcome":{quoted(result.outcome)},"calls":{result.calls},'
        f'"seconds":{result.seconds:.6f},"quench_seconds":{result.quench_seconds:.6f},"elapsed":{elapsed:.3f}'
    )
    if result.message:
        entry += f',"message":{quoted(result.message)}'
    if minimum is not None:
        entry += f',"energy":{float(result.energy)!r},"minimum":{minimum.number}'
    if is_new and minimum is not None:
        positions = b2a_base64(minimum.cluster.positions.astype("<f8", copy=False).tobytes(), newline=False).decode()
        entry += (
            f',"motif":{quoted(minimum.motif)},"point_group":{quoted(minimum.point_group)},"positions":"{positions}"'
        )
    return entry


@lru_cache(maxsize=1000)
def quoted(words: str) -> str:
    """Words as JSON."""
    return json.dumps(words)


def result_of(entry: dict[str, Any], composition: Composition, bonds: Floats) -> Result:
    """The result that an entry records; cluster and fingerprint only where the minimum was new."""
    cluster = None
    described = None
    if "positions" in entry:
        positions = np.frombuffer(a2b_base64(entry["positions"]), "<f8").reshape(composition.size, 3)
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
        entry.get("motif", ""),
        entry.get("point_group", ""),
    )
