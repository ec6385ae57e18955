"""Shells of clusters, and the web page and pictures made of a search; tests/browser looks at the page in a browser."""

from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from ase.cluster import Icosahedron, Octahedron
from rich.console import Console

from hea_potential.errors import OutputError
from hea_potential.search import search
from hea_potential.search.colours import COLOURS, colour_of
from hea_potential.search.composition import Composition
from hea_potential.search.description import headings
from hea_potential.search.geometry import Cluster
from hea_potential.search.pair import Pair
from hea_potential.search.progress import table_of
from hea_potential.search.result_table import result_table
from hea_potential.search.shells import onion, shells_of
from hea_potential.search.state import Run
from hea_potential.search.summary import illustrate
from hea_potential.search.view import Shown, write_view

BOND = np.array([[2.5]])
BONDS = np.full((2, 2), 2.5)


def icosahedron(shells: int) -> Cluster:
    positions = Icosahedron("Cu", shells, latticeconstant=2.5 * np.sqrt(2.0)).positions
    return Cluster(np.zeros(len(positions), int), positions)


@pytest.mark.parametrize(("shells", "sizes"), [(2, [12, 1]), (3, [42, 12, 1]), (4, [92, 42, 12, 1])])
def test_mackay_icosahedra_are_peeled_shell_by_shell(shells: int, sizes: list[int]) -> None:
    cluster = icosahedron(shells)
    found = shells_of(cluster, BOND)
    assert np.bincount(found).tolist() == sizes
    distance = np.linalg.norm(cluster.positions, axis=1)
    for inner, outer in zip(range(shells - 1, 0, -1), range(shells - 2, -1, -1), strict=True):
        assert distance[found == inner].max() < distance[found == outer].min()


def test_a_truncated_octahedron_has_a_core_of_six() -> None:
    positions = Octahedron("Cu", 4, cutoff=1, latticeconstant=2.5 * np.sqrt(2.0)).positions
    assert np.bincount(shells_of(Cluster(np.zeros(38, int), positions), BOND)).tolist() == [32, 6]


def test_single_atoms_and_lines_are_one_shell() -> None:
    for positions in (np.zeros((1, 3)), np.arange(3)[:, None] * [2.5, 0.0, 0.0]):
        assert shells_of(Cluster(np.zeros(len(positions), int), positions), BOND).tolist() == [0] * len(positions)


def test_an_onion_is_named_from_its_core() -> None:
    cluster = icosahedron(3)
    shells = shells_of(cluster, BOND)
    types = np.where(shells == 1, 0, 1)
    types[np.flatnonzero(shells == 0)[:2]] = 0
    composition = Composition(("Ni", "Pd"), (14, 41))
    assert onion(Cluster(types, cluster.positions), BONDS, composition) == "Pd1@Ni12@Ni2Pd40"


def test_elements_can_be_told_apart() -> None:
    assert len({*COLOURS.values()}) == len(COLOURS)
    assert all(re.fullmatch("#[0-9a-f]{6}", colour_of(symbol)) for symbol in ("Ni", "Ar", "Fe", "W"))


def page_data(page: Path) -> dict[str, Any]:
    data = re.findall(r'<script id="data" type="application/json">(.*?)</script>', page.read_text(), re.DOTALL)
    assert len(data) == 1
    return json.loads(data[0])


def test_a_page_holds_its_clusters_and_asks_for_nothing(tmp_path: Path) -> None:
    cluster = icosahedron(2)
    composition = Composition(("Cu",), (13,))
    mean = "</script><b>&\u2028"  # whatever a text holds, it stays a text
    write_view(tmp_path / "view.html", mean, ("first", "second"), [Shown(("1", mean), composition, cluster, BOND)])
    data = page_data(tmp_path / "view.html")
    assert data["title"] == mean
    (shown,) = data["clusters"]
    assert shown["texts"] == ["1", mean]
    assert sorted(shown["shells"]) == [0] * 12 + [1]
    assert len(shown["contacts"]) == 42  # 12 to the centre and 30 edges
    places = np.array(shown["places"])
    gaps = [np.linalg.norm(places[i] - places[j]) for i, j in shown["contacts"]]
    own = np.linalg.norm(cluster.positions[:, None] - cluster.positions, axis=2)
    assert min(gaps) == pytest.approx(own[own > 0].min(), abs=2e-3)
    assert not re.search(r"https?:|src=|@import", (tmp_path / "view.html").read_text())


def test_a_page_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    shown = Shown(("1",), Composition(("Cu",), (13,)), icosahedron(2), BOND)
    with pytest.raises(OutputError, match="cannot write"):
        write_view(tmp_path / "absent" / "view.html", "", ("",), [shown])


def test_the_page_of_a_search_lists_its_lowest_minima(tmp_path: Path) -> None:
    pair = Pair(("pair_style lj/cut 10.0", "pair_coeff * * 1.0 1.0"), units="lj")
    runs: list[Run] = []
    archive = search("Ar9Kr4", pair=pair, budget=60, seed=1, out=tmp_path, observers=[runs.append])
    assert archive is not None
    illustrate(runs[-1])
    data = page_data(tmp_path / "view.html")
    assert [element["symbol"] for element in data["elements"]] == ["Ar", "Kr"]
    assert [each["texts"][1] for each in data["clusters"]] == [f"{m.energy:.6f}" for m in archive.lowest(10)]
    assert all(np.bincount(each["kinds"]).tolist() == [9, 4] for each in data["clusters"])
    assert (tmp_path / "best.png").read_bytes().startswith(b"\x89PNG")
    illustrated = (tmp_path / "view.html").stat().st_mtime_ns
    illustrate(runs[-1])  # nothing is drawn again where nothing was found
    assert (tmp_path / "view.html").stat().st_mtime_ns == illustrated
    search("Ar9Kr4", pair=pair, budget=70, seed=1, out=tmp_path, observers=[runs.append])
    illustrate(runs[-1])
    assert (tmp_path / "view.html").stat().st_mtime_ns > illustrated


@pytest.mark.parametrize("method", ["ga", "bh"])
def test_the_live_table_says_how_a_run_is_going(method: str) -> None:
    pair = Pair(("pair_style lj/cut 10.0", "pair_coeff * * 1.0 1.0"), units="lj")
    runs: list[Run] = []
    search("Ar9Kr4", pair=pair, budget=40, force_calls=100_000, seed=1, method=method, observers=[runs.append])
    run = runs[-1]
    Console(width=300, file=(printed := StringIO())).print(table_of(run))
    rows = dict(re.findall(r"│ (.*?) +│ (.*?) +│", printed.getvalue()))
    assert rows["best energy"].startswith(f"{run.archive.lowest(1)[0].energy:.6f} epsilon, by ")
    assert rows["distinct minima"] == f"{len(run.archive)}"
    assert rows["minimisations"] == "40 of 40"
    assert rows["force calls"] == f"{run.tally.calls} of 100000"
    assert re.fullmatch(r"\d+\.\d minimisations, \d+ force calls", rows["a second"])
    assert rows["not a minimum"] == run.tally.failures
    assert sum(int(uses) for uses in re.findall(r"\d+/(\d+)", rows["successes of moves"])) == 40
    assert sum(run.tally.quenches.values()) == 40
    assert all(kind in rows["quenches"] for kind in run.tally.quenches)
    assert rows["time left"] == "0:00:00"


@pytest.mark.parametrize(("width", "folded"), [(150, ()), (80, (5,)), (60, (1, 3, 5, 6))])
def test_numbers_of_a_result_are_whole_on_any_usual_terminal(width: int, folded: tuple[int, ...]) -> None:
    row = ("10", "-1123.456789", "0.123456", "icosahedral", "C5v", "Ni2@Cu9Ni3@Cu28Ni12", "symmetric", "1234", "39")
    table = result_table("lowest", headings("eV"), [row], width)
    Console(width=width, file=(printed := StringIO())).print(table)
    text = printed.getvalue()
    assert max(map(len, text.splitlines())) <= width
    assert [number for number, cell in enumerate(row) if cell not in text] == list(folded)
    assert sorted(filter(str.isdigit, text)) == sorted(filter(str.isdigit, "".join(row)))  # folded is not cut
