"""What a command says while it loads torch, or does what no bar can show."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from hea_potential.errors import HEAError, MissingPackageError

EXTRA_TRAIN = ("torch", "schnetpack", "threadpoolctl")  # the packages of the extra `train`


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
    """Raises MissingPackageError if what is imported inside needs the extra `train`, and that is not installed; else
    HEAError if it cannot be imported, say because libraries of torch are damaged.
    """
    try:
        yield
    except ImportError as error:
        if isinstance(error, ModuleNotFoundError) and error.name in EXTRA_TRAIN:
            message = f"{command} needs {error.name}, which is not installed: pip install 'hea-potential[train]'"
            raise MissingPackageError(message) from error
        raise HEAError(f"{command}: what it needs cannot be imported: {error}") from error
