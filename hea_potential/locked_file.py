"""Files that one process at a time adds to: the records of run folders."""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from hea_potential.errors import HEAError, OutputError

HANDOVER = 3.0  # seconds that the ranks of a killed mpirun may take to end and let go of the folder


def locked_file(path: Path, in_use: HEAError) -> int:
    """The descriptor of a file, made with its folder where it is missing, that is read and appended to by this process
    alone. The kernel unlocks it when the process ends, however it ends.

    Raises `in_use` when another process has it for longer than a killed one takes to end, OutputError where the file
    cannot be made or locked.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
    except OSError as error:
        raise OutputError(f"run folder {str(path.parent)!r}: cannot be written: {error.strerror}") from error
    try:
        lock(descriptor, path, in_use)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def lock(descriptor: int, path: Path, in_use: HEAError) -> None:
    """Keep other processes out of an open file. Raises as `locked_file`."""
    deadline = time.monotonic() + HANDOVER
    while True:
        try:
            return fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() > deadline:
                raise in_use from error
        except OSError as error:
            raise OutputError(f"{path}: cannot be locked: {error.strerror}; choose a local folder") from error
        time.sleep(0.05)
