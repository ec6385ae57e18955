"""The mode gofee: what it picks, and that labels count at once and a run goes on where it was."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from tomllib import loads

import numpy as np
import pytest
from ase import Atoms
from ase.cluster import Icosahedron
from hea_training.meta_loop import read_config, run_loop
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.gofee import pick
from hea_training.meta_loop.mode_settings import GofeeSettings
from hea_training.meta_loop.plan import steps_of
from small_loop import CONFIGURATION, ledger_of

from hea_potential.dataset import read_dataset
from hea_potential.described import describe
from hea_potential.errors import InputError
from hea_potential.model_file import find_model, read_model_file

SMALL = """
elements = ["Ni", "Cu"]
reference = "emt"
mode = "gofee"
loops = 1
seed = 13
[compositions]
listed = ["Cu4Ni2"]
[start]
model = "hea6"
[gofee]
steps = 3
minimisations = 10
features = 8
[refresh]
epochs = 1
"""


@pytest.fixture
def candidates() -> list[Atoms]:
    """Shaken icosahedra of one composition, the later the more."""
    rng = np.random.default_rng(5)
    found = []
    for k in range(8):
        atoms = Icosahedron("Cu", 2)
        atoms.symbols[rng.permutation(13)[:6]] = "Ni"
        atoms.positions += rng.normal(scale=0.02 * k, size=(13, 3))
        found.append(atoms)
    return found


def test_the_lowest_that_is_not_known_is_picked(candidates: list[Atoms]) -> None:
    said = describe(candidates, "hea6")
    goal = said.energies - 2.0 * said.sigmas
    lowest, next_one = np.argsort(goal)[:2]
    (chosen,) = pick(candidates, [], find_model("hea6"), GofeeSettings(kappa=2.0, labels=1))
    assert np.array_equal(chosen.positions, candidates[lowest].positions)
    assert chosen.info["predicted_energy"] == pytest.approx(said.energies[lowest])
    assert chosen.info["predicted_sigma"] == pytest.approx(said.sigmas[lowest])
    twin = candidates[lowest].copy()
    twin.rotate(40.0, (1, 2, 3))
    twin.positions += 0.001
    (chosen,) = pick(candidates, [twin], find_model("hea6"), GofeeSettings(kappa=2.0))
    assert np.array_equal(chosen.positions, candidates[next_one].positions)
    assert pick(candidates, candidates, find_model("hea6"), GofeeSettings(labels=5)) == []
    assert pick([], candidates, find_model("hea6"), GofeeSettings(labels=5)) == []


def test_several_labels_of_a_step_are_of_several_structures(candidates: list[Atoms]) -> None:
    twins = [atoms.copy() for atoms in candidates for _ in range(3)]
    for k, atoms in enumerate(twins):
        atoms.rotate(10.0 * k, (1, 0, 0))
    chosen = pick(twins, [], find_model("hea6"), GofeeSettings(labels=8, resolution=1e-4))
    energies = [atoms.info["predicted_energy"] for atoms in chosen]
    assert len(chosen) == len(set(np.round(energies, 3))) == 8


def test_a_run_labels_learns_and_goes_on_where_it_was(tmp_path: Path) -> None:
    file = tmp_path / "loop.toml"
    file.write_text(SMALL)
    config = read_config(file)
    run, again = tmp_path / "run", tmp_path / "again"
    run_loop(config, run)
    lines = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [step.name for step in steps_of(config)]
    assert lines[4]["step"] == "L1-n2-Cu4Ni2-t001-label"
    errors = [line["facts"]["errors"]["force_mae"] for line in lines if line["kind"] == "label"]
    assert errors[-1] < 0.7 * errors[0]
    dataset = read_dataset(run / "data.h5")
    assert sorted(dataset.name) == [*(f"L1-n2-Cu4Ni2-000{k}" for k in range(3)), "start-Cu", "start-Ni"]
    surrogates = [read_model_file(run / f"L1/n2/Cu4Ni2/t00{k}/surrogate.safetensors") for k in (1, 2, 3)]
    assert [model.metadata["n_hidden"] for model in surrogates] == [32, 40, 40]
    assert not np.array_equal(surrogates[1].tensors["head.out"], surrogates[2].tensors["head.out"])
    # As a kill leaves it in the middle of the third search: without its line, and without what the step was to write.
    shutil.copytree(run, again)
    (again / "ledger.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines[:8]))
    shutil.rmtree(again / "L1" / "n2" / "Cu4Ni2" / "t003")
    shutil.rmtree(again / "L1" / "n2" / "refresh")
    (again / "models" / "001.safetensors").unlink()
    run_loop(config, again)
    assert read_dataset(again / "data.h5").sha256() == dataset.sha256()
    for name in ("models/001.safetensors", "L1/n2/Cu4Ni2/t003/surrogate.safetensors"):
        assert (again / name).read_bytes() == (run / name).read_bytes()


def test_from_nothing_the_labels_of_the_start_count_as_well(tmp_path: Path) -> None:
    gofee = {"steps": 1, "minimisations": 5, "features": 4, "labels": 2}
    document = {**loads(CONFIGURATION), "loops": 1, "mode": "gofee", "gofee": gofee}
    run_loop(config_of(document, "test", tmp_path), tmp_path / "run")
    search, label = (line for line in ledger_of(tmp_path / "run") if line["kind"] in ("search", "label"))
    assert search["facts"]["minima"] > 0
    assert label["facts"]["labelled"] == 2
    surrogate = tmp_path / "run" / search["facts"]["surrogate"]
    assert read_model_file(surrogate).metadata["n_hidden"] == 4 + 4
    with np.load(surrogate.parents[1] / "sums.npz") as sums:
        dataset = read_dataset(tmp_path / "run" / "data.h5")
        start = {name for name, size in zip(dataset.name, dataset.sizes, strict=True) if name[0] == "s" and size > 2}
        assert set(sums["names"]) == start


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("steps = 3", "steps = 0"), "gofee.steps must be at least 1, got 0"),
        (("steps = 3", "kappa = -1.0"), "gofee.kappa must be at least 0, got -1.0"),
        (('mode = "gofee"', 'mode = "plain"'), "start.model needs the start.data"),
        (("Ni", "Al"), "start.model: hea6 does not have Al"),
    ],
)
def test_a_mistake_is_found_before_the_start(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    file = tmp_path / "loop.toml"
    file.write_text(SMALL.replace(*change))
    with pytest.raises(InputError, match=message):
        read_config(file)
