"""What a command says while it loads torch, or does what no bar can show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hea_potential.errors import MissingPackageError


@contextmanager
def saying(what: str) -> Iterator[None]:
    """Say what is being done inside, on standard error: a spinner that vanishes, or a line in a log."""
    from rich.console import Console

    console = Console(stderr=True)
    if console.is_terminal:
        with console.status(what):
            yield
    else:
        console.print(what, highlight=False, soft_wrap=True)
        yield


@contextmanager
def loading_torch(command: str) -> Iterator[None]:
    """Say that torch is imported inside, which takes seconds; otherwise as `needing_training`."""
    with needing_training(command), saying("loading torch"):
        yield


@contextmanager
def needing_training(command: str) -> Iterator[None]:
    """Raises MissingPackageError if what is imported inside needs the extra `train`, and that is not installed."""
    try:
        yield
    except ImportError as error:
        raise MissingPackageError(
            f"{command} needs torch and schnetpack ({error}): pip install 'hea-potential[train]'"
        ) from error
