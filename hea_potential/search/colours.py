"""Colours of elements, the same in every picture."""

from __future__ import annotations

from ase.data import atomic_numbers
from ase.data.colors import jmol_colors

# Silver, palladium and platinum are almost the same grey in the usual colours; these six can be told apart.
COLOURS = {"Ni": "#4caf50", "Cu": "#d2691e", "Pd": "#2e6fa7", "Ag": "#c8ccd2", "Pt": "#8e5ea2", "Au": "#f2c230"}


def colour_of(symbol: str) -> str:
    """The colour of an element as #rrggbb."""
    if symbol in COLOURS:
        return COLOURS[symbol]
    return "#" + "".join(f"{round(255 * float(part)):02x}" for part in jmol_colors[atomic_numbers[symbol]])
