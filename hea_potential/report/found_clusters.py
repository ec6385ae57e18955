"""The clusters that a meta loop has found and labelled: their paths, their grid, where their elements lie, and those
that are shown in three dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import cached_property

import numpy as np
from ase import Atoms
from ase.data import atomic_numbers, covalent_radii

from hea_potential.report.chart import Chart, Panel, Series
from hea_potential.report.ladders import Gallery, Ranked, energy_grid, path_chart
from hea_potential.report.loop_folder import LoopRun
from hea_potential.report.page import View
from hea_potential.report.predictions import Predictions
from hea_potential.report.radial import mean_depths, radial_chart
from hea_potential.report.table import Column, Table, written
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.shells import onion
from hea_potential.search.view import Shown

LOWEST = 5  # clusters of a composition that its radial densities are of
MOST_SHOWN = 40  # compositions in the 3-D view
LINES = ("#2e6fa7", "#d2691e", "#4caf50", "#8e5ea2", "#c2344d", "#3aa6a0", "#a68a2c", "#7b8997", "#e377b2", "#1f2d3a")
WORST = 6  # clusters in the 3-D view for their errors


class FoundClusters:
    """Labelled clusters of the loops by composition, each list from low to high energy. `predicted` has energies of the
    present model by row of the data set.
    """

    def __init__(self, run: LoopRun, predictions: Mapping[str, Predictions]) -> None:
        assert run.dataset is not None
        self.run = run
        self.dataset = run.dataset
        self.energy = {
            int(row): float(energy)
            for found in predictions.values()
            for row, energy in zip(found.rows, found.energy, strict=True)
        }
        self.sigma = {
            int(row): float(sigma)
            for found in predictions.values()
            for row, sigma in zip(found.rows, found.sigma, strict=True)
        }

    @cached_property
    def rows(self) -> dict[str, list[int]]:
        """Rows of the data set by formula, those with few elements first."""
        found: dict[str, list[int]] = {}
        is_found = [kind.startswith("loop") for kind in self.dataset.kind.tolist()]
        for row in np.flatnonzero(is_found).tolist():
            found.setdefault(self.dataset.atoms(row).get_chemical_formula(), []).append(row)
        order = sorted(found, key=lambda formula: (len(Composition.parse(formula).symbols), formula))
        return {formula: sorted(found[formula], key=lambda row: self.dataset.energy[row]) for formula in order}

    @cached_property
    def minima(self) -> dict[str, list[int]]:
        """Those of `rows` that searches ended at, without what lies on the way to a minimum, which is a hundred times
        higher; all where there is no minimum.
        """
        ended = {row for row, kind in enumerate(self.dataset.kind.tolist()) if kind.endswith(".found")}
        return {formula: [row for row in rows if row in ended] or rows for formula, rows in self.rows.items()}

    @cached_property
    def by_elements(self) -> dict[int, list[str]]:
        """Formulas by their number of elements."""
        found: dict[int, list[str]] = {}
        for formula in self.rows:
            found.setdefault(len(Composition.parse(formula).symbols), []).append(formula)
        return found

    def atoms(self, row: int) -> Atoms:
        """A structure of the data set."""
        return self.dataset.atoms(row)

    def above_lowest(self, formula: str) -> list[float]:
        """Labelled energies of a composition's minima above its lowest, meV/atom."""
        rows = self.minima[formula]
        energies, size = self.dataset.energy[rows], len(self.atoms(rows[0]))
        return (1000.0 * (energies - energies[0]) / size).tolist()

    def paths(self) -> Chart:
        """For each number of elements the composition with most labelled minima."""
        paths = {}
        for n, formulas in self.by_elements.items():
            formula = max(formulas, key=lambda each: len(self.minima[each]))
            rows = self.minima[formula]
            zero, size = self.dataset.energy[rows[0]], len(self.atoms(rows[0]))
            paths[f"{formula}: {n} elements, {len(rows)} minima"] = [
                Ranked(
                    self.atoms(row),
                    gap,
                    f"{self.dataset.name[row]}: {gap:.1f} meV/atom",
                    1000.0 * (self.energy.get(row, math.nan) - zero) / size,
                )
                for row, gap in zip(rows, self.above_lowest(formula), strict=True)
            ]
        return path_chart(
            paths,
            "meV/atom",
            "Minima found in the loops, sorted by their labelled energy above the lowest of their composition; "
            "of each number of elements the composition with most of them. Points: the present model. Clusters are "
            "shown at their places.",
        )

    def grid(self) -> Gallery:
        """A hundred minima of all compositions over their normalised energy."""
        ranked = []
        for formula, rows in self.minima.items():
            gaps = self.above_lowest(formula)
            for row, gap in zip(rows, gaps, strict=True):
                words = f"{self.dataset.name[row]}, {formula}: {gap:.1f} meV/atom above the lowest"
                ranked.append(Ranked(self.atoms(row), gap / (gaps[-1] or 1.0), words))
        return energy_grid(
            ranked,
            "Minima found in the loops, evenly drawn in the order of their normalised energy: 0 is the lowest of "
            "its composition, 1 the highest.",
        )

    def radial(self) -> Chart:
        """Densities of the elements from the centre, by number of elements."""
        groups = {}
        for n, formulas in self.by_elements.items():
            words = f"{n} element{'s' * (n > 1)}: {len(formulas)} composition{'s' * (len(formulas) > 1)}"
            groups[words] = [self.atoms(row) for formula in formulas for row in self.rows[formula][:LOWEST]]
        return radial_chart(
            groups,
            f"Atoms of each element in a cluster over the distance from its centre, for the {LOWEST} lowest labelled "
            "structures of each composition. What lies left of the others prefers the core, what lies right the "
            "surface.",
        )

    def depths(self) -> Table:
        """Which elements prefer the surface, by composition."""
        elements = sorted({symbol for formula in self.rows for symbol in Composition.parse(formula).symbols})
        table = []
        for formula, rows in self.rows.items():
            depths = mean_depths(self.atoms(rows[0]))
            table.append(
                [formula, len(depths), *(depths.get(symbol) for symbol in elements), shells_of(self.atoms(rows[0]))]
            )
        return Table(
            "Core and surface in the lowest structure of each composition",
            [
                Column("composition"),
                Column("elements"),
                *(Column(each, digits=2) for each in elements),
                Column("shells"),
            ],
            table,
            "Mean distance of an element from the centre over that of all atoms: below 1 it lies inside, above 1 "
            "outside. Shells from the core to the surface.",
            open=False,
        )

    def view(self) -> View:
        """The lowest structure of each composition, and those with the largest errors and sigmas."""
        lowest = [(rows[0], "lowest") for rows in self.rows.values()][:MOST_SHOWN]
        known = [row for rows in self.rows.values() for row in rows if row in self.energy]
        worst = sorted(known, key=lambda row: -abs(self.error(row)))[:WORST]
        vaguest = sorted((row for row in known if self.sigma[row] > 0.0), key=lambda row: -self.sigma[row])[:WORST]
        reasons: dict[int, list[str]] = {}
        for row, why in [*lowest, *((row, "large error") for row in worst), *((row, "large sigma") for row in vaguest)]:
            reasons.setdefault(row, []).append(why)
        return View(
            "Chosen clusters",
            ("structure", "why", "energy, eV", "predicted, eV", "sigma, eV", "shells, core@surface"),
            [shown(self.atoms(row), self.words(row, ", ".join(why))) for row, why in reasons.items()],
            "The lowest labelled structure of each composition, and those on which the present model errs most or of "
            "which it knows least. Drag to turn.",
        )

    def discovery(self) -> Chart:
        """How the lowest labelled energy of each composition fell with the number of its labels."""
        most = sorted(self.rows, key=lambda formula: -len(self.rows[formula]))[: len(LINES)]
        series = []
        for formula, colour in zip(sorted(most), LINES, strict=False):
            energies = self.dataset.energy[sorted(self.rows[formula])]  # in the order in which they were labelled
            gaps = 1000.0 * (np.minimum.accumulate(energies) - energies.min()) / len(self.atoms(self.rows[formula][0]))
            series.append(Series(np.arange(1, len(gaps) + 1), gaps, colour, formula, size=4.0))
        longest = max(len(self.rows[formula]) for formula in most)
        label = "lowest so far, meV/atom"
        return Chart(
            "discovery",
            "How the lowest labelled energy fell",
            "Lowest labelled energy until then, above the lowest of all, over the number of labels of a composition: "
            f"{len(most)} of {len(self.rows)} compositions, those with most labels.",
            [[Panel("", "labels of the composition", label, series, "log", x_range=(0.9, 1.1 * longest))]],
            row_height=300,
        )

    def error(self, row: int) -> float:
        """Predicted less labelled energy of a structure, eV/atom."""
        return (self.energy[row] - float(self.dataset.energy[row])) / float(self.dataset.sizes[row])

    def words(self, row: int, why: str) -> tuple[str, ...]:
        """What the list beside the 3-D view says of a structure."""
        return (
            str(self.dataset.name[row]),
            why,
            f"{self.dataset.energy[row]:.3f}",
            written(self.energy.get(row), 3),
            written(self.sigma.get(row), 3),
            shells_of(self.atoms(row)),
        )


def plain(atoms: Atoms) -> tuple[Composition, Cluster, Floats]:
    """A cluster as searches have it, with sums of covalent radii for bond lengths (S, S)."""
    symbols = tuple(dict.fromkeys(sorted(atoms.get_chemical_symbols())))
    types = np.array([symbols.index(symbol) for symbol in atoms.get_chemical_symbols()])
    composition = Composition(symbols, tuple(np.bincount(types).tolist()))
    radii = np.array([covalent_radii[atomic_numbers[symbol]] for symbol in symbols])
    return composition, Cluster(types, atoms.positions), radii[:, None] + radii


def shells_of(atoms: Atoms) -> str:
    """The elements of a cluster's shells from the core to the surface."""
    composition, cluster, bonds = plain(atoms)
    return onion(cluster, bonds, composition)


def shown(atoms: Atoms, texts: tuple[str, ...]) -> Shown:
    """A cluster of the 3-D view."""
    return Shown(texts, *plain(atoms))
