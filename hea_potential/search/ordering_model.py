"""What orderings of one geometry are worth after relaxation, learnt from some hundred of them: a cluster expansion.

The energy is taken to be a sum over sites and over pairs of neighbours: each element has an energy on each site, and
each pair of elements one for each class of bonds and one for second neighbours (Sanchez, Ducastelle and Gratias,
Physica A 128, 334 (1984)). It is fitted by ridge regression, low energies with more weight. On a six-element cluster of
38 atoms, 900 random orderings give others to 0.06 eV (median; they are up to 4 eV apart); where a search has added what
it found to be low, it gives further low ones to 0.03 eV.

The model is a table of sites and pairs, so a walk from ordering to ordering costs no force call. Each step takes the
best swap, even uphill, and what was swapped does not go back for some steps (`clusters.ordering_walk`).
"""

from __future__ import annotations

import numpy as np

from hea_potential import clusters
from hea_potential.search.geometry import Floats
from hea_potential.search.orderings import Types

NEAREST = 6  # neighbours whose mean distance is the length of a bond
BOND, SECOND = 1.25, 1.75  # longest distances of neighbours and of second neighbours, in bonds
BETWEEN, INNER = 8, 11  # contacts from which an atom counts as between the outermost and the inner ones, and as inner
CLASSES = 6  # of pairs: bonds by the sum of their ends (0 outermost, 1 between, 2 inner), and second neighbours
BOND_SCALE, SECOND_SCALE = 0.6, 0.3  # of what is counted by pairs; the smaller, the stiffer the fit
RIDGE = 0.05
RANGE, FARTHEST = 0.7, 3.0  # eV above the lowest in which weights fall by a factor of e, and beyond which no further
DISTANT = 0.1  # chance of a random swap of sites that differ by more than one contact, relative to others


class OrderingModel:
    """Energies of orderings, types (n,), of a geometry, positions (n, 3), with this number of elements."""

    def __init__(self, positions: Floats, kinds: int) -> None:
        distances = np.linalg.norm(positions[:, None] - positions[None, :], axis=2)
        apart = distances / np.sort(distances, axis=1)[:, 1 : NEAREST + 1].mean()
        contacts = (apart < BOND).sum(axis=1) - 1
        depth = np.searchsorted([BETWEEN, INNER], contacts, side="right")
        self.likelihood = np.where(abs(contacts[:, None] - contacts[None, :]) <= 1, 1.0, DISTANT)
        # Each pair from both of its ends, in the order of sites; the places of all elements on the site in `field`.
        site, self.near = np.nonzero((apart < SECOND) & ~np.eye(len(positions), dtype=bool))
        is_bond = apart[site, self.near] < BOND
        self.near_class = np.where(is_bond, depth[site] + depth[self.near], CLASSES - 1)
        self.places = (site[:, None] * kinds + np.arange(kinds)).ravel()
        once = site < self.near
        self.first, self.second, self.classes = site[once], self.near[once], self.near_class[once]
        self.size, self.kinds = len(positions), kinds
        one, other = np.triu_indices(kinds)
        self.pairs = len(one)
        self.pair_of = np.zeros((kinds, kinds), np.int64)
        self.pair_of[one, other] = self.pair_of[other, one] = np.arange(self.pairs)
        self.scales = np.repeat([*[BOND_SCALE] * (CLASSES - 1), SECOND_SCALE], self.pairs)
        self.offset = 0.0
        self.sites = np.zeros((self.size, kinds))
        self.by_class = np.zeros((CLASSES, kinds, kinds))

    def described(self, orderings: Types) -> Floats:
        """What the energy is linear in: elements on sites, and pairs of elements by class; (m, n) to (m, numbers)."""
        on_sites = np.eye(self.kinds)[orderings].reshape(len(orderings), -1)
        columns = len(self.scales)
        pairs = self.classes * self.pairs + self.pair_of[orderings[:, self.first], orderings[:, self.second]]
        pairs += columns * np.arange(len(orderings))[:, None]
        counts = np.bincount(pairs.ravel(), minlength=columns * len(orderings)).reshape(-1, columns)
        return np.hstack([on_sites, counts * self.scales])

    def learn(self, described: Floats, energies: Floats) -> None:
        """Fit the energies (m,), in eV, of orderings that are described by (m, numbers)."""
        weights = np.exp(-np.minimum(energies - energies.min(), FARTHEST) / RANGE)
        centre = weights @ described / weights.sum()
        self.offset = float(weights @ energies / weights.sum())
        centred = described - centre
        weighted = weights[:, None] * centred
        normal = weighted.T @ centred
        normal.flat[:: len(normal) + 1] += RIDGE
        fitted = np.linalg.solve(normal, weighted.T @ (energies - self.offset))
        self.offset -= float(centre @ fitted)
        self.sites = fitted[: self.sites.size].reshape(self.sites.shape)
        self.by_class = (fitted[self.sites.size :] * self.scales).reshape(CLASSES, self.pairs)[:, self.pair_of]

    def field(self, types: Types) -> Floats:
        """What each element would add to the energy on each site, the others being what they are; shape (n, S)."""
        by_near = self.by_class[self.near_class, types[self.near]].ravel()
        return np.asarray(self.sites + np.bincount(self.places, by_near, self.sites.size).reshape(self.sites.shape))

    def energy(self, types: Types) -> float:
        """The energy of an ordering, eV."""
        atoms = np.arange(self.size)
        return self.offset + float(0.5 * (self.sites[atoms, types] + self.field(types)[atoms, types]).sum())

    def walk(self, rng: np.random.Generator, types: Types, steps: int) -> tuple[Types, Floats]:
        """The orderings that some steps from one lead to, (m, n) one after the other, and their energies (m,) in eV."""
        stream, field = rng.bit_generator.capsule, self.field(types)
        pairs = self.first, self.second, self.classes, self.by_class
        return clusters.ordering_walk(stream, types, field, self.energy(types), *pairs, steps)

    def shuffled(self, rng: np.random.Generator, types: Types, swaps: int) -> Types:
        """An ordering some random swaps of unlike atoms away, most of them of sites with about as many contacts."""
        types = types.copy()
        for _ in range(swaps):
            first = int(rng.integers(self.size))
            chances = self.likelihood[first] * (types != types[first])
            second = int(rng.choice(self.size, p=chances / chances.sum()))
            types[[first, second]] = types[[second, first]]
        return types
