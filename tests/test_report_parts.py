"""What the figures of a report are computed with."""

from __future__ import annotations

import logging
import math
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from ase import Atoms
from ase.cluster import Icosahedron
from hea_training.meta_loop.calibration import calibration
from matplotlib.figure import Figure

from hea_potential.report.calibration import roc_curve, typical_errors
from hea_potential.report.chart import Chart, Panel, Picture, Series, line_colour, scale_of_loops
from hea_potential.report.chart_png import draw_chart, draw_panel
from hea_potential.report.chart_web import plotly_figure
from hea_potential.report.clusters import picture_of, rgb
from hea_potential.report.error_charts import errors_of_new
from hea_potential.report.ladders import Ranked, energy_grid, path_chart
from hea_potential.report.loop_folder import Step
from hea_potential.report.radial import mean_depths, radial_densities
from hea_potential.report.table import Column, Table, sorted_by, table_html, written
from hea_potential.search.colours import colour_of


def icosahedron(core: str, shell: str) -> Atoms:
    atoms = Icosahedron(shell, 2)
    atoms.symbols[np.argmin(np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1))] = core
    return Atoms(atoms.symbols, atoms.positions)


def test_a_sigma_that_orders_errors_finds_all_of_them() -> None:
    errors = np.linspace(-1.0, 2.0, 50)
    assert roc_curve(np.abs(errors), errors)[2] == 1.0
    assert roc_curve(-np.abs(errors), errors)[2] == 0.0
    assert roc_curve(np.ones(50), errors)[2] == 0.5
    rng = np.random.default_rng(1)
    others, large, area = roc_curve(rng.random(20_000), rng.normal(size=20_000))
    assert (others[0], large[0], others[-1], large[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert area == pytest.approx(0.5, abs=0.02)  # four standard errors of the area
    sigma, errors = rng.random(57), rng.normal(size=57)
    assert roc_curve(sigma, errors)[2] == pytest.approx(calibration(errors, sigma)["auc"], abs=1e-4)  # as in the ledger


def test_typical_errors_of_a_calibrated_sigma_are_sigma() -> None:
    rng = np.random.default_rng(3)
    sigma = rng.uniform(0.1, 2.0, 16_000)
    said, real = typical_errors(sigma, rng.normal(scale=sigma))
    assert real == pytest.approx(said, rel=0.06)  # four standard errors of 2000 draws


def test_errors_of_clusters_of_several_sizes_are_means_over_structures_and_over_components_of_forces() -> None:
    def step(composition: str, **errors: float) -> Step:
        return Step(f"L1-n2-{composition}-label", "label", 1, 2, composition, 1.0, {"errors": errors})

    small = step("Ni1Cu1", structures=3, energy_mae=0.1, energy_mae_atom=50.0, force_mae=10.0)
    large = step("Ni4Cu2", structures=1, energy_mae=0.5, energy_mae_atom=90.0, force_mae=40.0)
    none = step("Ni2Cu2", structures=0)
    expected = {"structures": 4, "energy_mae": 0.2, "energy_mae_atom": 60.0, "force_mae": 25.0}
    assert errors_of_new([small, large, none]) == pytest.approx(expected)


def test_a_radial_density_counts_its_atoms() -> None:
    atoms = icosahedron("Ni", "Au")
    grid, densities = radial_densities([atoms, atoms], 0.2)
    counts = {symbol: np.trapezoid(density, grid) for symbol, density in densities.items()}
    assert counts == pytest.approx({"Ni": 1.0, "Au": 12.0}, rel=2e-3)
    assert grid[np.argmax(densities["Ni"])] == 0.0
    farthest = np.linalg.norm(atoms.positions - atoms.positions.mean(axis=0), axis=1).max()
    assert grid[np.argmax(densities["Au"])] == pytest.approx(farthest, abs=0.05)
    depths = mean_depths(atoms)
    assert depths["Ni"] == pytest.approx(0.0, abs=1e-6)
    assert depths["Au"] == pytest.approx(13 / 12)


def test_a_picture_shows_what_is_in_front() -> None:
    picture = picture_of(Atoms("Cu"), 40)
    assert picture[0, 0, 3] == 0.0
    assert picture[20, 20, 3] == 1.0
    copper, hue = rgb(colour_of("Cu")), picture[20, 20, :3]
    assert np.argsort(hue).tolist() == np.argsort(copper).tolist()
    whole = picture_of(icosahedron("Ni", "Au"), 60)
    seen = whole[whole[..., 3] == 1.0][:, :3]
    green = np.array([colour[1] > 1.05 * colour[0] for colour in seen])
    assert green.mean() < 0.05  # the nickel atom is inside
    assert np.isfinite(whole).all()
    assert whole.min() >= 0.0
    assert whole.max() <= 1.0


def test_one_atom_and_one_structure_are_enough(tmp_path: Path) -> None:
    ranked = [Ranked(Atoms("Cu"), 0.0, "it")]
    chart = path_chart({"Cu": ranked}, "eV", "")
    draw_chart(tmp_path / "path.png", chart)
    go.Figure(plotly_figure(chart))
    assert len(energy_grid(ranked, "").images) == 1


def test_the_grid_goes_from_the_lowest_to_the_highest() -> None:
    ranked = [Ranked(Atoms("Cu"), share, f"{share}") for share in np.random.default_rng(4).permutation(401) / 400]
    grid = energy_grid(ranked, "")
    assert len(grid.images) == 100
    assert (grid.shares[0], grid.shares[-1]) == (0.0, 1.0)
    assert grid.shares == sorted(grid.shares)
    assert grid.words[-1] == "1.0"


def test_a_chart_says_the_same_in_both_drawings(tmp_path: Path) -> None:
    picture = Picture(picture_of(Atoms("Au"), 20), 1.0, 30.0, 0.2)
    panels = [
        Panel("a", "x", "y", [Series([1, 2], [10.0, math.nan], "#112233", "line")], x_range=(0, 3), y_range=(0, 40),
              pictures=[picture], note="one\ntwo"),
        Panel("b", "x", "y", [Series([1e-3, 1.0], [1e-3, 1.0], "#112233", "dashed", "dashed")], "log", "log"),
        Panel("c", "", "n", [Series(["u", "v"], [1, 2], "#112233", k, "bars") for k in ("p", "q")]),
        Panel("d", "", "n", []),
    ]  # fmt: skip
    chart = Chart("name", "title", "caption", [panels[:2], panels[2:]], marks={"Au": "#f2c230"})
    draw_chart(tmp_path / "chart.png", chart)
    figure = go.Figure(plotly_figure(chart))
    assert [trace.name for trace in figure.data] == ["Au", "line", "dashed", "p", "q"]
    assert figure.data[1].y == (10.0, None)
    assert figure.layout.xaxis2.type == "log"
    assert figure.layout.yaxis1.range == (0, 40)
    assert len(figure.layout.images) == 1
    assert [each.text for each in figure.layout.annotations] == ["a", "one<br>two", "b", "c", "d"]


def test_colours_can_be_told_apart() -> None:
    assert len(set(scale_of_loops(6))) == 6
    assert scale_of_loops(0) == []
    assert line_colour("#2e6fa7") == "#2e6fa7"
    assert line_colour("#c8ccd2") < "#c8ccd2"


def test_tables_show_values_and_sort_by_them() -> None:
    columns = [Column("a", "eV", 2), Column("b")]
    html = table_html(Table("t", columns, [[1234.5678, "<i>"], [None, "x"], [math.nan, None]]))
    assert 'data-value="1234.5678">1234.57<' in html
    assert "&lt;i&gt;" in html
    assert html.count('data-value="">') == 3
    assert written(1234567, 0) == "1\u202f234\u202f567"
    assert written(True, 0) == "yes"
    assert (sorted_by(True), sorted_by(None), sorted_by(2.5)) == ("1", "", "2.5")


def test_words_that_look_like_numbers_are_drawn_as_words_without_a_complaint(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    bars = [Series(["2", "10", "3"], [1, 2, 4], "#2e6fa7", "start", "bars"), Series(["10"], [5], "#c2344d", "", "bars")]
    caplog.set_level(logging.INFO, "matplotlib")
    draw_chart(tmp_path / "bars.png", Chart("bars", "Bars", "", [[Panel("", "elements", "structures", bars)]]))
    assert caplog.messages == []
    axes = Figure().add_subplot()
    draw_panel(axes, Panel("", "elements", "structures", bars))
    assert [label.get_text() for label in axes.get_xticklabels()] == ["2", "10", "3"]
    middles = [(bar.get_center()[0], bar.get_y(), bar.get_height()) for bar in axes.patches]
    np.testing.assert_allclose(middles, [(0, 0, 1), (1, 0, 2), (2, 0, 4), (1, 2, 5)])
