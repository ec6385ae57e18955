"""Which structures are worth a reference calculation: of low energy, uncertain, unlike what is known.

Everything is judged by the present model. Of the candidates there are dropped, in this order,

1. force outliers: the largest force on an atom is above `force_floor` and above Q3 + 3 (Q3 - Q1) of the largest forces
   of all candidates, Q1 and Q3 their quartiles (Tukey's "far out", Exploratory Data Analysis, 1977);
2. what is too high: by more than `window` above the lowest candidate of its composition;
3. what is known: nearer to a known structure than `told_apart` times its sigma;
4. energetic duplicates: of two structures of one composition with energies within `same_energy`, the second.

Of the others up to `quota` of each composition are chosen, for one reason each, by their shares of the quota:

- `low energy`: the lowest first;
- `high sigma`: the largest sigma first, where each sigma supposes that those chosen before are labelled already;
- `far apart`: farthest-point sampling: the one whose nearest neighbour among known and chosen structures is farthest;
- `random`: any, evenly. Errors of these alone say how good the model is on what a search finds: the others are picked
  because they are unlike that.

Distances are between last-layer features in the metric of the model's uncertainty, in eV: the standard deviation of
what the model says of the difference of two energies (`hea_potential.described.in_units_of_sigma`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
from ase import Atoms
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from hea_potential.described import Described, describe, in_units_of_sigma
from hea_potential.errors import InputError

__all__ = ["REASONS", "SelectionSettings", "select"]

Floats = NDArray[np.float64]
Indices = NDArray[np.intp]

REASONS = ("low energy", "high sigma", "far apart", "random")


@dataclass(frozen=True)
class SelectionSettings:
    """How many structures are chosen, and by which rules; see the text of this module.

    Attributes:
        quota: structures chosen of each composition, at most.
        low_energy, high_sigma, far_apart, random: shares of the quota, 0 or more; they need not sum to 1.
        window: eV/atom above the lowest candidate of the composition.
        same_energy: eV/atom.
        told_apart: in units of sigma. Shaking a 38-atom cluster by 0.01 A moves it by 0.03 (hea6), distinct minima of
            one composition are 0.08 or more apart.
        force_floor: eV/A; no smaller force makes an outlier.
        max_force: eV/A; a structure on which the reference finds a larger force is refused when it is labelled.
    """

    quota: int = 8
    low_energy: float = 0.4
    high_sigma: float = 0.3
    far_apart: float = 0.2
    random: float = 0.1
    window: float = 0.15
    same_energy: float = 2e-4
    told_apart: float = 0.05
    force_floor: float = 5.0
    max_force: float = 20.0

    def __post_init__(self) -> None:
        if not (isinstance(self.quota, int) and self.quota >= 1):
            raise InputError(f"selection: quota is {self.quota!r}; allowed is a whole number of 1 or more")
        for each in fields(self)[1:]:
            value = getattr(self, each.name)
            if not (isinstance(value, int | float) and 0.0 <= value < np.inf):
                raise InputError(f"selection: {each.name} is {value!r}; allowed is a finite number of 0 or more")
        if not sum(self.shares) > 0.0:
            raise InputError("selection: the shares low_energy, high_sigma, far_apart, random are all 0")

    @property
    def shares(self) -> tuple[float, float, float, float]:
        """The shares in the order of REASONS."""
        return self.low_energy, self.high_sigma, self.far_apart, self.random


def select(
    candidates: Sequence[Atoms],
    model: str | Path,
    known_features: Floats | None,
    settings: SelectionSettings,
    rng: np.random.Generator,
) -> list[Atoms]:
    """Choose structures to label; copies, the compositions in the order of their first candidates.

    `known_features` (n, S * D) are the raw features, by the same model, of structures that have labels (None: there are
    none); `rng` draws what is chosen at random. The `info` of what is chosen has that of the candidate, and

    - `reason`: one of REASONS;
    - `predicted_energy`, `predicted_sigma`: eV, by the model;
    - `above_lowest`: eV/atom above the lowest candidate of the composition that is no outlier;
    - `nearest`: eV, distance to the nearest known or earlier chosen structure (absent if there was none);
    - `max_force`: as in the settings, for those who label.

    Raises InputError for a model without uncertainty or structures that it cannot describe.
    """
    if not candidates:
        return []
    described = describe(candidates, model)
    places = in_units_of_sigma(described.features, model)
    known = np.zeros((0, places.shape[1])) if known_features is None else in_units_of_sigma(known_features, model)
    kept = np.flatnonzero(~is_force_outlier(described.largest_forces, settings.force_floor))
    families: dict[str, list[int]] = {}
    for k in kept.tolist():
        families.setdefault(candidates[k].get_chemical_formula(), []).append(k)
    chosen: list[Atoms] = []
    for members in families.values():
        chosen += of_one_composition(candidates, np.array(members), described, places, known, settings, rng)
    return chosen


def of_one_composition(
    candidates: Sequence[Atoms],
    members: Indices,
    described: Described,
    places: Floats,
    known: Floats,
    settings: SelectionSettings,
    rng: np.random.Generator,
) -> list[Atoms]:
    """What is chosen of the candidates `members`, which have the same composition."""
    size = len(candidates[members[0]])
    energies = described.energies
    members = members[np.argsort(energies[members], kind="stable")]
    lowest = energies[members[0]]
    members = members[energies[members] <= lowest + settings.window * size]
    members = members[nearest_distance(places[members], known) > settings.told_apart * described.sigmas[members]]
    members = members[without_equals(energies[members], settings.same_energy * size)]
    choice = Choice(places[members], known, rng)
    chosen = []
    for reason, count in zip(REASONS, counts_by_share(settings.quota, settings.shares), strict=True):
        for _ in range(count):
            if not choice.is_open.any():
                break
            nearest = choice.nearest
            place = choice.take(reason)
            k = int(members[place])
            atoms = candidates[k].copy()
            atoms.info.update(
                reason=reason,
                predicted_energy=float(energies[k]),
                predicted_sigma=float(described.sigmas[k]),
                above_lowest=float((energies[k] - lowest) / size),
                max_force=settings.max_force,
            )
            if np.isfinite(nearest[place]):
                atoms.info["nearest"] = float(nearest[place])
            chosen.append(atoms)
    return chosen


class Choice:
    """The open candidates of one composition in order of energy, and what the choices so far say of them.

    Attributes:
        is_open: (m,), not chosen yet.
        nearest: (m,), eV, distance to the nearest known or chosen structure; infinite where there is none.
        left: (m, p), eV, the part of the features' `places` at right angles to all that is chosen: its length is the
            sigma that is left once the chosen structures have labels.
    """

    def __init__(self, places: Floats, known: Floats, rng: np.random.Generator) -> None:
        self.places, self.left, self.rng = places, places.copy(), rng
        self.is_open = np.ones(len(places), dtype=bool)
        self.nearest = nearest_distance(places, known)

    def take(self, reason: str) -> int:
        """Choose one for this reason (the first of equals) and return its place. There must be an open one."""
        if reason == "low energy":
            worth = -np.arange(len(self.places), dtype=np.float64)
        elif reason == "high sigma":
            worth = np.linalg.norm(self.left, axis=1)
        elif reason == "far apart":
            worth = self.nearest
        else:
            worth = self.rng.random(len(self.places))
        place = int(np.argmax(np.where(self.is_open, worth, -np.inf)))
        self.is_open[place] = False
        self.nearest = np.minimum(self.nearest, np.linalg.norm(self.places - self.places[place], axis=1))
        length = np.linalg.norm(self.left[place])
        if length > 0.0:
            direction = self.left[place] / length
            self.left = self.left - np.outer(self.left @ direction, direction)
        return place


def is_force_outlier(largest: Floats, floor: float) -> NDArray[np.bool_]:
    """(n,): whose largest force (n,), eV/A, is above the floor and above Q3 + 3 (Q3 - Q1) of all n."""
    first, third = np.quantile(largest, [0.25, 0.75])
    return (largest > floor) & (largest > third + 3.0 * (third - first))


def nearest_distance(places: Floats, known: Floats) -> Floats:
    """(n,): distance of each of the places (n, p) to the nearest of the known (m, p); infinite if there is none."""
    if len(known) == 0:
        return np.full(len(places), np.inf)
    return cKDTree(known).query(places)[0]


def without_equals(energies: Floats, same: float) -> Indices:
    """Places in ascending energies of those that are more than `same` above the last one that is kept."""
    kept: list[int] = []
    for k, energy in enumerate(energies.tolist()):
        if not kept or energy - energies[kept[-1]] > same:
            kept.append(k)
    return np.array(kept, dtype=np.intp)


def counts_by_share(quota: int, shares: Sequence[float]) -> list[int]:
    """Whole numbers with the sum `quota`, nearest to the shares: the largest remainders are rounded up."""
    exact = quota * np.array(shares) / sum(shares)
    counts = np.floor(exact).astype(int)
    for k in np.argsort(counts - exact, kind="stable")[: quota - counts.sum()]:
        counts[k] += 1
    return counts.tolist()
