"""Where commands print: consoles that know of the terminal behind mpirun, and that cut no table where there is none."""

from __future__ import annotations

import os
from pathlib import Path

from rich.console import Console

PAGE = 150  # columns where there is no terminal


def console(stderr: bool = False) -> Console:
    """A console for the terminal at the end of mpirun's pipes, or for a wide page where there is none."""
    descriptor = 2 if stderr else 1
    terminal, width = terminal_of_launcher(descriptor)
    if terminal:
        return Console(stderr=stderr, force_terminal=True, width=width)
    return Console(stderr=stderr, width=None if os.isatty(descriptor) else PAGE)


def terminal_of_launcher(descriptor: int) -> tuple[bool, int | None]:
    """Whether mpirun, which passes on what ranks print through pipes, writes to a terminal, and how wide that is
    (Linux).
    """
    process = os.getppid()
    while process > 1:
        try:
            name = Path(f"/proc/{process}/comm").read_text().strip()
            if name.startswith(("mpiexec", "mpirun")):
                with Path(f"/proc/{process}/fd/{descriptor}").open("a") as stream:
                    return (True, os.get_terminal_size(stream.fileno()).columns) if stream.isatty() else (False, None)
            process = int(Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            break
    return False, None
