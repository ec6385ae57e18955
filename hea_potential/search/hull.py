"""Excess energies of clusters of one size against the pure ones, and the convex hull below them.

The excess energy of A_m B_n, N = m + n, is [E(A_m B_n) - m/N E(A_N) - n/N E(B_N)] / N (Ferrando, Jellinek and Johnston,
Chem. Rev. 108, 845 (2008)), and likewise for more elements. A composition on the lower convex hull is stable against
exchanging atoms with clusters of the same size and other compositions.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from scipy.optimize import linprog

from hea_potential.complete_file import complete_file
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Floats

ON_HULL = 1e-9  # energy/atom: what the arithmetic leaves


def excess_energies(compositions: Sequence[Composition], energies: Sequence[float]) -> Floats:
    """Excess energies per atom, shape (n,); not a number where the pure cluster of an element is not among them."""
    pure = {
        (each.symbols[0], each.size): energy
        for each, energy in zip(compositions, energies, strict=True)
        if len(each.symbols) == 1
    }
    excess = []
    for each, energy in zip(compositions, energies, strict=True):
        parts = zip(each.symbols, each.counts, strict=True)
        references = [count / each.size * pure.get((symbol, each.size), np.nan) for symbol, count in parts]
        excess.append((energy - sum(references)) / each.size)
    return np.array(excess)


def above_hull(compositions: Sequence[Composition], excess: Floats) -> Floats:
    """Excess energies per atom above the convex hull of the clusters of the same size, shape (n,); zero on the hull.

    The hull at a composition is the lowest energy of any mixture of the clusters that has it: a linear programme. What
    is not a number stays so and takes no part.
    """
    found = np.full(len(excess), np.nan)
    symbols = sorted({symbol for each in compositions for symbol in each.symbols})
    shares = np.array([shares_of(each, symbols) for each in compositions])
    sizes = np.array([each.size for each in compositions])
    for index in np.flatnonzero(np.isfinite(excess)):
        peers = np.flatnonzero(np.isfinite(excess) & (sizes == sizes[index]))
        mixture = linprog(excess[peers], A_eq=shares[peers].T, b_eq=shares[index], bounds=(0.0, None))
        gap = excess[index] - mixture.fun
        found[index] = gap if gap > ON_HULL else 0.0
    return found


def shares_of(composition: Composition, symbols: Sequence[str]) -> list[float]:
    """The shares of elements in a composition, in the order of `symbols`."""
    counts = dict(zip(composition.symbols, composition.counts, strict=True))
    return [counts.get(symbol, 0) / composition.size for symbol in symbols]


def binary_elements(compositions: Sequence[Composition]) -> tuple[str, str] | None:
    """The two elements of a range between two pure clusters of one size, None for any other choice of compositions."""
    symbols = list(dict.fromkeys(symbol for each in compositions for symbol in each.symbols))
    pure = [each for each in compositions if len(each.symbols) == 1]
    if len(symbols) != 2 or len(pure) != 2 or len({each.size for each in compositions}) != 1:
        return None
    return symbols[1], symbols[0]


def draw_hull(path: Path, compositions: Sequence[Composition], excess: Floats, gaps: Floats, unit: str) -> None:
    """Write a PNG of the excess energies of a binary range over the composition, with the hull below them."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    elements = binary_elements(compositions)
    assert elements is not None
    scale, name = (1000.0, "meV") if unit == "eV" else (1.0, unit)
    atoms = np.array([shares_of(each, elements)[0] * each.size for each in compositions])
    order = np.argsort(atoms)
    on_hull = order[gaps[order] == 0.0]
    figure = Figure(figsize=(8.0, 5.0), dpi=160, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    axes.axhline(0.0, color="#b8c2cc", linewidth=0.8)
    axes.plot(atoms[on_hull], scale * excess[on_hull], color="#2e6fa7", linewidth=1.3, label="convex hull")
    above = order[gaps[order] > 0.0]
    axes.plot(atoms[above], scale * excess[above], "o", color="white", markeredgecolor="#5b6b79", label="above it")
    axes.plot(atoms[on_hull], scale * excess[on_hull], "o", color="#2e6fa7", label="on it")
    for before, index, after in zip(on_hull, on_hull[1:], on_hull[2:], strict=False):
        side = -1 if excess[after] < excess[before] else 1  # outside the hull, where no line is
        axes.annotate(
            compositions[index].mathtext,
            (atoms[index], scale * excess[index]),
            xytext=(5 * side, -7),
            textcoords="offset points",
            ha="right" if side < 0 else "left",
            va="top",
            fontsize=8,
        )
    axes.set(xlabel=f"{elements[0]} atoms of {compositions[0].size}, the others {elements[1]}")
    axes.set(ylabel=f"excess energy, {name}/atom")
    axes.margins(y=0.12)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)
    with complete_file(path) as temporary:
        figure.savefig(temporary, format="png")
