"""What a run's folder must hold for its loop to go on: a loss is said in one line, never taken for a search that found
nothing; and what a number of threads decides is fixed.
"""

from __future__ import annotations

import json
import re
import shutil
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from hea_training.meta_loop import read_config, run_loop
from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.ledger import LoopFolderError
from hea_training.meta_loop.state import Watcher
from small_loop import CONFIGURATION, ledger_of
from threadpoolctl import threadpool_info, threadpool_limits

from hea_potential.dataset import read_dataset, write_dataset
from hea_potential.report import write_report
from hea_potential.search.journal import RunFolderError


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[LoopConfig, Path]:
    """A configuration of one loop, and its run."""
    folder = tmp_path_factory.mktemp("loop")
    (folder / "loop.toml").write_text(CONFIGURATION.replace("loops = 2", "loops = 1"))
    config = read_config(folder / "loop.toml")
    run_loop(config, folder / "run")
    return config, folder / "run"


@pytest.fixture
def config(finished: tuple[LoopConfig, Path]) -> LoopConfig:
    return finished[0]


@pytest.fixture
def run(finished: tuple[LoopConfig, Path], tmp_path: Path) -> Path:
    """A copy of the run that a test may change."""
    return Path(shutil.copytree(finished[1], tmp_path / "run"))


SEARCH, FILE = "L1/n2/Ni2Cu4/search", "L1/n2/Ni2Cu4/selected.extxyz"


@pytest.mark.parametrize(
    ("lost", "message"),
    [
        (["data.h5"], "data.h5 of step start is missing"),
        ([SEARCH], f"{SEARCH}/journal.jsonl of step L1-n2-Ni2Cu4-search is missing"),
        ([FILE], f"{FILE} of step L1-n2-Ni2Cu4-select is missing"),
        (["models"], "models/000.safetensors of step start-refresh is missing, models/001"),
        (["data.h5", "L1", "models"], r"journal.jsonl of step L1-n2-Ni2Cu4-search is missing, and 2 more; restore"),
    ],
)
def test_what_a_finished_step_left_is_missed(config: LoopConfig, run: Path, lost: list[str], message: str) -> None:
    before = (run / "ledger.jsonl").read_bytes()
    for path in (run / name for name in lost):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    with pytest.raises(LoopFolderError, match=rf"run folder .* is not whole: .*{message}"):
        run_loop(config, run)
    assert (run / "ledger.jsonl").read_bytes() == before
    assert not any((run / name).exists() for name in lost)


def test_another_model_in_the_place_of_the_loops_own_is_noticed(config: LoopConfig, run: Path) -> None:
    shutil.copyfile(run / "models/000.safetensors", run / "models/001.safetensors")
    with pytest.raises(LoopFolderError, match=r"models/001.safetensors of step L1-n2-refresh is another model"):
        run_loop(config, run)


def test_an_older_copy_of_the_data_is_noticed(config: LoopConfig, run: Path) -> None:
    dataset = read_dataset(run / "data.h5")
    write_dataset(run / "data.h5", dataset.select(range(len(dataset) - 1)))
    with pytest.raises(LoopFolderError, match=rf"data.h5 has {len(dataset) - 1} of {len(dataset)} structures"):
        run_loop(config, run)


def test_a_report_remarks_what_is_missing(run: Path) -> None:
    shutil.rmtree(run / SEARCH)
    (run / FILE).unlink()
    page = write_report(run).read_text()
    assert "The search of step L1-n2-Ni2Cu4-search is left out" in page
    assert "What step L1-n2-Ni2Cu4-select chose is not known" in page


def test_a_report_holds_the_configuration_to_begin_with_again(config: LoopConfig, run: Path, tmp_path: Path) -> None:
    page = write_report(run).read_text()
    content = b64decode(re.findall(r'download="loop.toml" href=".*?base64,(.*?)"', page)[0])
    (tmp_path / "again.toml").write_bytes(content)
    again = read_config(tmp_path / "again.toml")
    assert replace(again, folder=config.folder) == config


def values_of(line: dict[str, object]) -> Iterator[tuple[str, ...]]:
    """The places of all values in a line, tables as well."""
    for name, value in line.items():
        yield (name,)
        if isinstance(value, dict):
            yield from ((name, *rest) for rest in values_of(value))


# Null means that there is none, or nobody reads it.
MAY_BE_NULL = {"n_elements", "composition", "best_energy", "retried", "calibration"}


def test_no_value_that_was_changed_to_null_is_more_than_one_error(config: LoopConfig, run: Path) -> None:
    whole = (run / "ledger.jsonl").read_bytes()
    changed = 0
    for number, line in enumerate(ledger_lines(whole)):
        for place in values_of(line):
            if set(place[-2:]) & MAY_BE_NULL and place[-1] != "calibration":
                continue
            (run / "ledger.jsonl").write_bytes(with_null(whole, number, place))
            named = f"line {number + 1} cannot be read: .*{place[-1]}.* must be .*, got null"
            with pytest.raises(RunFolderError, match=named):
                write_report(run)
            with pytest.raises(LoopFolderError, match=named):
                run_loop(config, run)
            changed += 1
    assert changed > 100
    (run / "ledger.jsonl").write_bytes(b"null\n" + whole)
    with pytest.raises(RunFolderError, match="line 1 cannot be read: must be a table, got null"):
        write_report(run)


def ledger_lines(content: bytes) -> list[dict[str, object]]:
    return [json.loads(text) for text in content.splitlines()]


def with_null(content: bytes, number: int, place: tuple[str, ...]) -> bytes:
    """A ledger with null in a place of a line."""
    lines = ledger_lines(content)
    table: dict = lines[number]  # type: ignore[type-arg]
    for name in place[:-1]:
        table = table[name]
    table[place[-1]] = None
    return "".join(json.dumps(line) + "\n" for line in lines).encode()


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(1)], ids=["ours", "given"])
def test_linear_algebra_has_one_thread_in_a_loop_and_as_many_as_before_after_it(
    config: LoopConfig, tmp_path: Path, executor: ThreadPoolExecutor | None
) -> None:
    class Stop(Exception):  # noqa: N818 - ends the loop at its first step
        pass

    class Looks(Watcher):
        def begins(self, *_: object) -> None:
            self.threads = blas_threads()
            raise Stop

    watcher = Looks()
    with threadpool_limits(2, user_api="blas"):
        with pytest.raises(Stop):
            run_loop(config, tmp_path / "run", watcher, executor=executor, workers=1 if executor else 0)
        assert blas_threads() == {2}
    assert watcher.threads == {1}
    assert ledger_of(tmp_path / "run") == []


def blas_threads() -> set[int]:
    """Numbers of threads of the libraries for linear algebra."""
    return {library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"}
