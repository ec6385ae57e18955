"""An interactive page of clusters: one HTML file that needs no network and no program but a browser.

The page itself is `view.html`; here its data are put in. It draws shaded balls on a canvas, so a file takes some 30 kB
where one with a plotting library inside takes megabytes, and a range of compositions makes one per composition.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from ase.data import atomic_names, atomic_numbers

from hea_potential.complete_file import complete_file
from hea_potential.search.colours import colour_of
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import CONTACT, Cluster, Floats, reduced_distances
from hea_potential.search.pictures import drawn_radii, upright
from hea_potential.search.shells import shells_of

PAGE = Path(__file__).with_name("view.html")
DATA = "{{data}}"  # where the page takes them


@dataclass(frozen=True)
class Shown:
    """A cluster on the page: what the list says of it, a text for each column, and what is drawn."""

    texts: tuple[str, ...]
    composition: Composition
    cluster: Cluster
    bonds: Floats


def write_view(path: Path, title: str, columns: Sequence[str], clusters: Sequence[Shown]) -> None:
    """Write the page, complete or not at all. `columns` head the list; the first cluster is shown first."""
    with complete_file(path) as temporary:
        temporary.write_text(page_of(title, columns, clusters), encoding="utf-8")


def page_of(title: str, columns: Sequence[str], clusters: Sequence[Shown]) -> str:
    """The page as a text, which another page can hold in a frame."""
    symbols = list(dict.fromkeys(symbol for each in clusters for symbol in each.composition.symbols))
    document = {
        "title": title,
        "columns": list(columns),
        "elements": [
            {"symbol": symbol, "name": atomic_names[atomic_numbers[symbol]], "colour": colour_of(symbol)}
            for symbol in symbols
        ],
        "clusters": [entry_of(each, symbols) for each in clusters],
    }
    # No text may end the element of the page that holds the data.
    data = json.dumps(document, separators=(",", ":")).replace("<", "\\u003c")
    return PAGE.read_text(encoding="utf-8").replace(DATA, data)


def entry_of(shown: Shown, symbols: Sequence[str]) -> dict[str, Any]:
    """A cluster as plain values: atoms in the element order of the page, its longest axis to the right."""
    cluster = shown.cluster
    kinds = np.array([symbols.index(symbol) for symbol in shown.composition.symbols])
    near = np.triu(reduced_distances(cluster, shown.bonds) < CONTACT)
    return {
        "texts": list(shown.texts),
        "kinds": kinds[cluster.types].tolist(),
        "places": upright(cluster.positions).round(3).tolist(),
        "radii": drawn_radii(shown.composition, cluster).round(3).tolist(),
        "shells": shells_of(cluster, shown.bonds).tolist(),
        "contacts": np.argwhere(near).tolist(),
    }
