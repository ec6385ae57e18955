"""Whether sigma says how wrong a model is: z-scores, sigma against error, and how well sigma finds large errors."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np

from hea_potential.report.chart import INK, MUTED, PARTS, Chart, Panel, Series
from hea_potential.report.predictions import Floats, Predictions

LARGE = 0.1  # the largest tenth of the errors are large
FEWEST = 20  # structures of a part, below which the numbers would say nothing
SMALLEST = 3  # atoms: those alone have no error, and pairs of them go far up into the repulsion
GROUPS = 8  # of equally many structures, by sigma
EDGES = np.linspace(-4.0, 4.0, 33)


def z_scores(found: Predictions) -> Floats:
    """Errors over sigma (n,)."""
    return found.errors / found.sigma


def roc_curve(sigma: Floats, errors: Floats) -> tuple[Floats, Floats, float]:
    """How well sigma (n,) finds large |errors| (n,): shares of the others and of the large ones among the structures of
    highest sigma, from none to all, and the area under the second over the first: 0.5 is chance. At least two
    structures.
    """
    is_large = np.zeros(len(errors), dtype=bool)
    is_large[np.argsort(-np.abs(errors), kind="stable")[: math.ceil(LARGE * len(errors))]] = True
    order = np.argsort(-sigma, kind="stable")
    last_of_equals = np.append(np.diff(sigma[order]) != 0.0, True)
    found = np.append(0.0, np.cumsum(is_large[order])[last_of_equals] / is_large.sum())
    others = np.append(0.0, np.cumsum(~is_large[order])[last_of_equals] / (~is_large).sum())
    area = float(np.sum(np.diff(others) * (found[1:] + found[:-1]) / 2.0))
    return others, found, area


def typical_errors(sigma: Floats, errors: Floats) -> tuple[Floats, Floats]:
    """Root mean squares of sigma and of the errors in groups of structures with similar sigma."""
    groups = np.array_split(np.argsort(sigma), min(GROUPS, len(sigma)))
    squares = [[np.mean(values[group] ** 2) for group in groups] for values in (sigma, errors)]
    return np.sqrt(squares[0]), np.sqrt(squares[1])


def calibration_chart(found: Mapping[str, Predictions], tested: str) -> Chart:
    """z-scores, sigma against error and ROC of parts that no model was trained on when it predicted them; `tested` says
    what the part test is.
    """
    parts = {name: each.only(each.sizes >= SMALLEST) for name, each in found.items()}
    parts = {name: each for name, each in parts.items() if len(each.errors) >= FEWEST and np.all(each.sigma > 0.0)}
    return Chart(
        "calibration",
        "Is sigma the size of the error?",
        "Left: errors of energies over sigma (those beyond 4 at the edges), against the normal distribution "
        "(dashed). Middle: each structure, and root mean squares of groups of similar sigma; dashed, error = sigma. "
        f"Right: how many of the largest {LARGE:.0%} of errors are among the structures of highest sigma. test: the "
        f"present model on {tested}; new: structures found in the loops, by the model that chose them. Only "
        "structures of 3 and more atoms.",
        [[z_panel(parts), error_panel(parts), roc_panel(parts)]] if parts else [],
        row_height=330,
    )


def z_panel(parts: Mapping[str, Predictions]) -> Panel:
    """The distribution of z-scores."""
    normal = np.exp(-0.5 * EDGES**2) / math.sqrt(2.0 * math.pi)
    series, words = [Series(EDGES, normal, INK, style="dashed", width=1.3)], []
    for part, found in parts.items():
        z = z_scores(found)
        counts, _ = np.histogram(np.clip(z, EDGES[0], EDGES[-1]), EDGES)
        density = counts / len(z) / (EDGES[1] - EDGES[0])
        x, y = np.repeat(EDGES, 2)[1:-1], np.repeat(density, 2)
        series.append(Series(x, y, PARTS[part], part, "line", filled=True))
        words.append(f"{part}: std {z.std():.2f}")
    return Panel("z-scores", "error / sigma", "density", series, x_range=(-4.0, 4.0), note="\n".join(words))


def error_panel(parts: Mapping[str, Predictions]) -> Panel:
    """Sigma against error, both logarithmic, eV a structure."""
    sigmas = np.concatenate([each.sigma for each in parts.values()])
    limits = (float(sigmas.min()) * 0.8, float(sigmas.max()) * 1.25)
    series = [Series(limits, limits, INK, style="dashed", width=1.3)]
    for part, found in parts.items():
        size = np.maximum(np.abs(found.errors), 1e-6)
        series.append(Series(found.sigma, size, PARTS[part], part, "points", size=4.0, opacity=0.35))
    for part, found in parts.items():
        series.append(Series(*typical_errors(found.sigma, found.errors), PARTS[part], part, size=8.0, width=2.2))
    errors = np.abs(np.concatenate([each.errors for each in parts.values()]))
    heights = (float(max(np.quantile(errors, 0.01), 1e-5)), float(errors.max()) * 1.5)
    return Panel("sigma against error", "sigma, eV a structure", "|error|, eV a structure", series, "log", "log",
                 x_range=limits, y_range=heights)  # fmt: skip


def roc_panel(parts: Mapping[str, Predictions]) -> Panel:
    """How well sigma finds large errors."""
    series, words = [Series([0.0, 1.0], [0.0, 1.0], MUTED, style="dashed", width=1.0)], []
    for part, found in parts.items():
        others, large, area = roc_curve(found.sigma, found.errors)
        series.append(Series(others, large, PARTS[part], part, "line", width=2.2))
        words.append(f"{part}: area {area:.2f}")
    return Panel("large errors found by sigma", "share of the other structures", "share of the large errors", series,
                 x_range=(0.0, 1.0), y_range=(0.0, 1.02), note="\n".join(words), note_below=True)  # fmt: skip
