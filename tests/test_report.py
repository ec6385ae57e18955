"""Reports of whole run folders: what they say, that it is right, and what becomes of unfinished and damaged ones.

tests/browser/check_report.py uses the pages in a browser.
"""

from __future__ import annotations

import csv
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from base64 import b64decode
from html import unescape
from io import StringIO
from pathlib import Path

import numpy as np
import plotly.graph_objects as go
import pytest
from made_loop import COMPOSITIONS, SEED, made_loop

from hea_potential.dataset import fixed_split, read_dataset
from hea_potential.described import describe
from hea_potential.errors import InputError, OutputError
from hea_potential.report import draw_report, report_of, write_report
from hea_potential.report.chart import Chart
from hea_potential.report.loop_folder import read_ledger, read_loop
from hea_potential.report.loop_predictions import present_predictions
from hea_potential.report.loop_report import never_trained_on
from hea_potential.report.page import Report, page_html
from hea_potential.report.search_folder import read_search
from hea_potential.report.table import Table
from hea_potential.search.journal import RunFolderError

SEARCH = "L1/n2/Cu6Ni7/search"
FIGURES = {"errors_by_elements", "parity", "error_histograms", "calibration", "data", "cost"}
FIGURES |= {"path", "grid", "radial", "discovery"}


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "loop"
    made_loop(folder)
    return folder


@pytest.fixture(scope="module")
def report(loop: Path) -> Report:
    before = {path: hashed(path) for path in loop.rglob("*") if path.is_file()}
    calls: list[tuple[str, int, int]] = []
    found = report_of(loop, lambda *call: calls.append(call))
    assert before == {path: hashed(path) for path in before}, "making a report changes nothing of a run"
    finished = {what for what, done, total in calls if done == total}
    assert finished == {"searches", "present model", "models that chose"}
    return found


@pytest.fixture(scope="module")
def page(loop: Path, report: Report) -> str:
    return draw_report(loop, report, quiet).read_text()


@pytest.fixture
def own(loop: Path, page: str, tmp_path: Path) -> Path:
    """A copy of the run, with its report, that a test may change."""
    return Path(shutil.copytree(loop, tmp_path / "loop"))


def hashed(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def quiet(what: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def tables_of(report: Report) -> dict[str, Table]:
    return {part.title: part for section in report.sections for part in section.parts if isinstance(part, Table)}


def column(table: Table, *headings: str) -> list[tuple[object, ...]]:
    places = [next(k for k, each in enumerate(table.columns) if each.heading == heading) for heading in headings]
    return [tuple(row[place] for place in places) for row in table.rows]


def test_every_figure_is_drawn_twice(loop: Path, page: str) -> None:
    pictures = sorted((loop / "figures").iterdir())
    assert {path.stem for path in pictures} == FIGURES
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in pictures)
    drawn = re.findall(r'<div class=chart id="chart-(\w+)".*?</div><script type=application/json>(.*?)</script>', page)
    assert {name for name, _ in drawn} == FIGURES - {"grid"}
    for _, document in drawn:
        go.Figure(json.loads(document))  # raises for whatever plotly does not know
    assert page.count("<div class=tile ") == 12 * sum(map(len, COMPOSITIONS.values()))  # minima: all, for below 100


def test_the_page_holds_all_that_it_needs(page: str) -> None:
    assert page.count("Plotly.newPlot(") >= 1
    assert len(re.findall(r"plotly\.js v\d", page)) == 1
    own_parts = "".join(re.split(r"<script>.*?</script>", page, flags=re.DOTALL))
    assert not re.search(r"""(src|href)\s*=\s*["']?\s*(https?:)?//""", own_parts)
    assert "@import" not in own_parts


def test_its_errors_are_those_of_the_models(loop: Path, report: Report) -> None:
    data = read_dataset(loop / "data.h5")
    test = data.select(fixed_split(data, SEED).test)
    said = describe([test.atoms(k) for k in range(len(test))], loop / "models/004.safetensors")
    error = np.abs(said.energies - test.energy).mean()
    assert dict(report.figures)["energy MAE on the test split"] == f"{error:.3f} eV"
    rows = column(tables_of(report)["Meta loops"], "loop", "elements", "labelled", "E MAE, test", "accepted")
    labelled = [sum(name.startswith(f"L{loop}-n{n}-") for name in data.name) for loop, n in COMPOSITIONS]
    assert [row[:3] for row in rows] == [(*place, count) for place, count in zip(COMPOSITIONS, labelled, strict=True)]
    assert [row[4] for row in rows] == [True, True, False, True]
    assert rows[-1][3] == pytest.approx(error, rel=1e-9)
    steps = read_ledger(loop / "ledger.jsonl")
    rejected = next(step for step in steps if step.step == "L2-n2-refresh")
    assert rows[2][3] == rejected.facts["before"]["test"]["all"]["energy_mae"]


def test_the_calibration_of_a_loop_from_nothing_is_that_of_the_test_split(report: Report) -> None:
    assert "the present model on the test split;" in calibration_caption(report)


def test_a_reader_can_rerun_its_numbers(loop: Path, page: str) -> None:
    commands = unescape(re.findall(r"<pre>(.*?)</pre>", page, re.DOTALL)[0])
    claimed = re.findall(r"# ([\d.]+), eV a structure", commands)
    done = subprocess.run(
        [sys.executable, "-c", commands], cwd=loop, capture_output=True, text=True, check=True, env={**os.environ}
    )
    assert f"{float(done.stdout):.6f}" == claimed[0]


def test_the_page_holds_data_splits_and_seeds(loop: Path, page: str, report: Report) -> None:
    files = {name: b64decode(content) for name, content in re.findall(r'download="(.*?)" href=".*?base64,(.*?)"', page)}
    for name in ("data.h5", "loop.json", "ledger.jsonl"):
        assert files[name] == (loop / name).read_bytes()
    assert files["004.safetensors"] == (loop / "models/004.safetensors").read_bytes()
    data = read_dataset(loop / "data.h5")
    assert data.sha256() in page
    rows = list(csv.DictReader(StringIO(files["structures.csv"].decode())))
    split = fixed_split(data, SEED)
    for part in ("train", "valid", "test"):
        assert [row["name"] for row in rows if row["part"] == part] == data.name[getattr(split, part)].tolist()
    seeds = dict(column(tables_of(report)["Seeds"], "of", "seed"))
    assert seeds["the whole loop, and all splits"] == SEED
    assert seeds["L1-n2-Cu6Ni7-search"] == read_search(loop / SEARCH).header["seed"] == 12
    assert seeds["training of model 003"] == 103


def test_what_was_searched_is_listed_with_its_result(loop: Path, report: Report) -> None:
    table = tables_of(report)["Searches"]
    found = column(table, "composition", "lowest, model", "motif", "labels")
    assert [row[0] for row in found] == [formula for formulas in COMPOSITIONS.values() for formula in formulas]
    best = read_search(loop / SEARCH).best
    assert best is not None
    labels = sum(name.startswith("L1-n2-Cu6Ni7-") for name in read_dataset(loop / "data.h5").name)
    assert found[0] == ("Cu6Ni7", best.energy, best.motif, labels)


def test_texts_stay_texts(loop: Path, page: str) -> None:
    assert "ValueError: NaN &lt;b&gt;" in page
    assert "NaN <b>" not in page


@pytest.mark.parametrize("finished", [0, 1, 2, 4])
def test_an_unfinished_run_is_reported_as_far_as_it_is(own: Path, finished: int) -> None:
    lines = (own / "ledger.jsonl").read_bytes().splitlines(keepends=True)
    (own / "ledger.jsonl").write_bytes(b"".join(lines[:finished]) + b'{"step": "L9')
    for path in sorted((own / "models").glob("*"))[max(0, finished - 1) :]:
        path.unlink()
    if finished == 0:
        (own / "ledger.jsonl").unlink()
        (own / "data.h5").unlink()
    report = report_of(own, quiet)
    assert "<section" in page_html(report)
    assert dict(report.figures)["steps finished"] == str(finished)
    words = " ".join(report.remarks)
    assert ("no labelled structure" in words) == (finished == 0)
    assert ("no model" in words) == (finished < 2)


def test_what_is_missing_is_remarked_and_the_rest_is_shown(own: Path) -> None:
    (own / "models/001.safetensors").unlink()
    path = own / SEARCH / "journal.jsonl"
    path.write_bytes(path.read_bytes().replace(b'"calls":', b'"galls":', 3))
    damaged = path.read_bytes()
    report = report_of(own, quiet)
    assert any("A model is left out" in remark and "001" in remark for remark in report.remarks)
    assert any("L1-n2-Cu6Ni7-search is left out" in remark and "line 1 cannot" in remark for remark in report.remarks)
    assert {section.title for section in report.sections} >= {"Loops", "Errors", "Clusters", "Searches", "Cost"}
    assert path.read_bytes() == damaged


def test_a_model_from_elsewhere_is_judged_by_what_the_loops_found(own: Path) -> None:
    identity = json.loads((own / "loop.json").read_text())
    (own / "loop.json").write_text(json.dumps(identity | {"start": {"model": "0" * 64}}))
    run, remarks = read_loop(own, quiet), []
    predictions = present_predictions(run, remarks, quiet)
    unseen = never_trained_on(run, predictions)["test"]
    assert run.dataset is not None
    kinds = run.dataset.kind[predictions["test"].rows].astype(str)
    assert 0 < len(unseen.rows) < len(kinds)
    assert unseen.rows.tolist() == predictions["test"].rows[np.char.startswith(kinds, "loop")].tolist()
    assert len(unseen.forces) == unseen.sizes.sum()
    report = report_of(own, quiet)
    assert any("trained elsewhere" in remark for remark in report.remarks)
    assert "the present model on what the loops found of the test split;" in calibration_caption(report)


def calibration_caption(report: Report) -> str:
    chart = next(section.parts[0] for section in report.sections if section.title == "Calibration")
    assert isinstance(chart, Chart)
    return chart.caption


def test_what_cannot_be_read_is_one_clear_error(own: Path, tmp_path: Path) -> None:
    ledger, data, identity = own / "ledger.jsonl", own / "data.h5", own / "loop.json"
    whole, before = ledger.read_text(), (own / "report.html").read_bytes()
    ledger.write_text(whole.replace('"kind": "search"', '"sort": "search"', 1))
    with pytest.raises(RunFolderError, match=r"ledger\.jsonl: line 3 cannot be read"):
        write_report(own)
    ledger.write_text(whole)
    content = data.read_bytes()
    data.write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match="truncated or damaged"):
        write_report(own)
    data.write_bytes(content)
    known = json.loads(identity.read_text())
    for changed in ([], *(known | {part: None} for part in known if part != "packages"), known | {"config": {}}):
        identity.write_text(json.dumps(changed))
        with pytest.raises(RunFolderError, match=r"not the identity of a meta loop: .* must be"):
            write_report(own)
    for folder in (tmp_path, tmp_path / "absent", ledger):
        with pytest.raises(RunFolderError, match="holds no run"):
            write_report(folder)
    assert (own / "report.html").read_bytes() == before


def test_a_folder_that_cannot_be_written_is_one_clear_error(own: Path) -> None:
    (own / SEARCH / "figures").write_text("")  # a file in the place of a folder is unwritable for everyone
    with pytest.raises(OutputError, match="cannot be made"):
        write_report(own / SEARCH)


def test_a_search_is_reported(own: Path) -> None:
    page = write_report(own / SEARCH)
    run = read_search(own / SEARCH)
    names = {path.stem for path in (own / SEARCH / "figures").iterdir()}
    assert names == {"progress", "motifs", "path", "grid", "radial"}
    assert "Search of Cu6Ni7" in page.read_text()
    minima = tables_of(report_of(own / SEARCH, quiet))["Distinct minima"]
    assert column(minima, "rank", "energy") == [(k + 1, each.energy) for k, each in enumerate(run.minima)]
    assert sum(hits for (hits,) in column(minima, "hits")) == sum("minimum" in entry for entry in run.entries)


def test_a_search_that_found_nothing_yet_is_reported(own: Path) -> None:
    journal = own / SEARCH / "journal.jsonl"
    lines = journal.read_bytes().splitlines(keepends=True)
    journal.write_bytes(b"".join(lines[:6]) + lines[6][:40])  # a line that is being written
    assert dict(report_of(own / SEARCH, quiet).figures)["minimisations"] == "5"
    journal.write_bytes(journal.read_bytes().split(b"\n")[0] + b"\n")
    page = write_report(own / SEARCH)
    assert "No minimum is found yet" in page.read_text()
    journal.write_bytes(b"")
    with pytest.raises(RunFolderError, match="holds nothing yet"):
        write_report(own / SEARCH)


def test_searches_of_several_compositions_are_reported_together(own: Path) -> None:
    report = report_of(own / "L1/n2/Cu6Ni7", quiet)  # a folder above the one of a search
    assert column(tables_of(report)["Lowest minimum of each composition"], "composition") == [("Cu6Ni7",)]
    series = own / "series"
    for formula in ("Cu6Ni7", "Cu8Pd5"):
        shutil.copytree(own / f"L1/n2/{formula}/search", series / formula)
    (series / "Cu8Pd5/journal.jsonl").write_bytes(b"this is none\n")
    report = report_of(series, quiet)
    assert any("Cu8Pd5 is left out" in remark for remark in report.remarks)
    (series / "Cu6Ni7/journal.jsonl").write_bytes(b"this is none\n")
    with pytest.raises(RunFolderError, match="Cu6Ni7 is left out"):
        report_of(series, quiet)


def test_the_command_prints_where_the_page_is(own: Path) -> None:
    call = [sys.executable, "-c", "from hea_potential.cli import main; main()", "report"]
    done = subprocess.run([*call, str(own / SEARCH)], capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == own / SEARCH / "report.html"
    failed = subprocess.run([*call, str(own / "models")], capture_output=True, text=True, check=False)
    assert failed.returncode == 2
    assert failed.stderr.startswith("hea: error: ")
    assert failed.stderr.count("\n") == 1
