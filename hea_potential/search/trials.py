"""What repeated searches say about the cost of reaching a target, when some of them were ended before they did.

A repeat that spends its budget without success is a censored observation: it says that the cost was larger. To leave it
out, or to take its budget for its cost, makes a search look better than it is.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import CensoredData, binomtest, chi2, ecdf

from hea_potential.search.geometry import Floats

Flags = NDArray[np.bool_]

LEVEL = 0.95  # of all intervals


@dataclass(frozen=True)
class Trial:
    """One repeat: whether it reached the target, what it spent, and its lowest energy (NaN if it found nothing)."""

    seed: int
    reached: bool
    quenches: int
    calls: int
    seconds: float
    energy: float


@dataclass(frozen=True)
class Estimate:
    """A value and the ends of its interval of 95 %."""

    value: float
    low: float
    high: float


def success_rate(trials: Sequence[Trial]) -> Estimate:
    """Share of trials that reached the target, with Wilson's interval; at least one trial."""
    hits = sum(trial.reached for trial in trials)
    interval = binomtest(hits, len(trials)).proportion_ci(LEVEL, method="wilson")
    return Estimate(hits / len(trials), float(interval.low), float(interval.high))


def mean_cost(costs: Floats, reached: Flags) -> Estimate:
    """Mean cost of a success: all that was spent, divided by the number of successes; infinite without any.

    costs and reached: shape (trials,), what each spent and whether it reached the target. Exact for a constant rate of
    success, where successes are a Poisson process: Garwood, Biometrika 28, 437 (1936).
    """
    spent, hits = float(costs.sum()), int(reached.sum())
    tail = 0.5 * (1.0 - LEVEL)
    low = 2.0 * spent / float(chi2.ppf(1.0 - tail, 2 * hits + 2))
    if hits == 0:
        return Estimate(np.inf, low, np.inf)
    return Estimate(spent / hits, low, 2.0 * spent / float(chi2.ppf(tail, 2 * hits)))


def success_curve(costs: Floats, reached: Flags) -> tuple[Floats, Floats, Floats, Floats]:
    """Share of searches that have reached the target by a cost, estimated by Kaplan and Meier, J. Am. Stat. Assoc. 53,
    457 (1958).

    Returns the costs at which it is known, the share from there on, and the lower and upper ends of its interval
    (Greenwood's on the scale log(-log), a point where it is undefined); shapes (different costs,).
    """
    outcomes = ecdf(CensoredData(uncensored=costs[reached], right=costs[~reached])).cdf
    with warnings.catch_warnings():  # the formula is undefined where nobody or everybody has succeeded
        warnings.simplefilter("ignore", RuntimeWarning)
        interval = outcomes.confidence_interval(LEVEL, method="log-log")
    share = np.asarray(outcomes.probabilities)
    low, high = (np.where(np.isnan(end.probabilities), share, end.probabilities) for end in interval)
    return np.asarray(outcomes.quantiles), share, low, high


def median_cost(costs: Floats, reached: Flags) -> float:
    """Least cost by which half of all searches succeed, by Kaplan and Meier; infinite if fewer than half do."""
    at, share, _, _ = success_curve(costs, reached)
    enough = at[share >= 0.5 - 1e-12]
    return float(enough[0]) if len(enough) else np.inf
