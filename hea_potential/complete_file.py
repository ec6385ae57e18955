"""Files that are either complete or not there: written beside their destination, and renamed when finished."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

from hea_potential.errors import HEAError, OutputError


@contextmanager
def complete_file(path: str | PathLike[str]) -> Iterator[Path]:
    """Give the path of a new, empty file to write to; rename it to `path` if the block succeeds, delete it if not.

    The temporary file lies in the same folder and has the same suffix. It is made before the block runs, so a folder
    that cannot be written to is found before a long computation and not after it.

    Raises:
        OutputError: the folder is missing or not writable, `path` is a folder, the disk is full, or the rename failed.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.stem}.{secrets.token_hex(4)}{path.suffix}")
    if path.is_dir():
        raise OutputError(f"output file: got {path}, which is a folder; allowed is the path of a file")
    try:
        temporary.open("xb").close()
    except OSError as error:
        raise OutputError(
            f"output file: cannot write {path}: {error.strerror}; allowed is a file in an existing, writable folder"
        ) from error
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if isinstance(error, HEAError) or error.filename not in (None, str(temporary)):
            raise
        raise OutputError(f"output file: cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)
