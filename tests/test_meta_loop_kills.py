"""A meta loop that is killed, in every kind of step, ends as one that never was: same data, same models, same facts."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sysconfig
import time
from pathlib import Path

import numpy as np
import pytest
from hea_training.meta_loop import read_config, run_loop
from small_loop import CONFIGURATION, HEA, ledger_of

from hea_potential.dataset import read_dataset

MPIRUN = str(Path(sysconfig.get_path("scripts")) / "mpirun")


OF_MODE = {
    "gofee": "[gofee]\nsteps = 2\nminimisations = 5\nfeatures = 4\n",
    "lea": "[lea]\nchance = 1.0\n",  # one label beyond sigma is enough to train
}


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run that nobody disturbed."""
    return undisturbed(tmp_path_factory.mktemp("unbroken"), CONFIGURATION)


def undisturbed(folder: Path, configuration: str) -> Path:
    """Run a configuration in a folder, and return the folder of the run."""
    (folder / "loop.toml").write_text(configuration)
    run_loop(read_config(folder / "loop.toml"), folder / "run")
    return folder / "run"


def models_of(folder: Path) -> dict[str, str]:
    """Hashes of all models of a run."""
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted((folder / "models").iterdir())}


def steps_of(folder: Path) -> list[tuple[str, str, float]]:
    """Name, kind and seconds of a run's steps."""
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    return [(line["step"], line["kind"], line["seconds"]) for line in lines]


def kill_within(
    configuration: Path, run: Path, before: str | None, delay: float, launcher: tuple[str, ...] = ()
) -> None:
    """Begin or continue a run and kill it, from outside, some seconds after the step `before` is done (None: after the
    run has begun).
    """
    command = [*launcher, *HEA, "loop", str(configuration), "--out", str(run)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True) as process:
        assert process.stderr is not None
        if before is None:
            while not (run / "loop.json").exists() and process.poll() is None:
                time.sleep(0.01)
        else:
            assert any(line.startswith(f"{before} ") for line in process.stderr)
        time.sleep(delay)
        process.kill()


def check_kills(unbroken: Path, folder: Path, kinds: list[str], rng: np.random.Generator) -> None:
    """Kill a run once in a step of each of the kinds, then let it end."""
    configuration, run = unbroken.parent / "loop.toml", folder / "run"
    steps = steps_of(unbroken)
    for kind in kinds:
        done = len((run / "ledger.jsonl").read_text().splitlines()) if (run / "ledger.jsonl").exists() else 0
        later = [k for k, step in enumerate(steps) if step[1] == kind and k >= done]
        if not later:  # the run has passed the last step of this kind: begin another
            run = folder / f"run{kinds.index(kind)}-{done}"
            later = [k for k, step in enumerate(steps) if step[1] == kind]
        place = later[0]
        kill_within(configuration, run, steps[place - 1][0] if place else None, rng.uniform() * steps[place][2])
    for each in folder.iterdir():
        run_loop(read_config(configuration), each)
        check_same(each, unbroken)


def check_same(run: Path, other: Path) -> None:
    """Two runs have the same data, the same models and the same facts in their ledgers."""
    assert read_dataset(run / "data.h5").sha256() == read_dataset(other / "data.h5").sha256()
    assert models_of(run) == models_of(other)
    assert ledger_of(run) == ledger_of(other)


def test_a_run_that_is_killed_ends_as_if_it_had_not_been(unbroken: Path, tmp_path: Path) -> None:
    check_kills(unbroken, tmp_path, ["start", "select", "refresh"], np.random.default_rng(1))


@pytest.mark.parametrize(("mode", "kinds"), [("gofee", ["select", "search"]), ("lea", ["label", "search"])])
def test_the_other_modes_go_on_as_well(mode: str, kinds: list[str], tmp_path: Path) -> None:
    for name in ("unbroken", "killed"):
        (tmp_path / name).mkdir()
    run = undisturbed(tmp_path / "unbroken", f'mode = "{mode}"\n{CONFIGURATION}{OF_MODE[mode]}')
    check_kills(run, tmp_path / "killed", kinds, np.random.default_rng(3))


def test_a_killed_mpirun_goes_on_alone(unbroken: Path, tmp_path: Path) -> None:
    steps = steps_of(unbroken)
    before = next(k for k, step in enumerate(steps) if step[1] == "search") - 1
    configuration = unbroken.parent / "loop.toml"
    kill_within(configuration, tmp_path / "run", steps[before][0], 0.5 * steps[before + 1][2], (MPIRUN, "-n", "2"))
    run_loop(read_config(configuration), tmp_path / "run")
    check_same(tmp_path / "run", unbroken)


@pytest.mark.slow
def test_twenty_kills_in_every_kind_of_step(unbroken: Path, tmp_path: Path) -> None:
    kinds = ["start", "refresh", "search", "select", "label"] * 4
    check_kills(unbroken, tmp_path, kinds, np.random.default_rng(2))
