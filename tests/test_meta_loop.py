"""A whole meta loop in small: from nothing, with EMT, to models, data and a ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hea_training.meta_loop import read_config, run_loop
from hea_training.meta_loop.plan import steps_of

from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError

SMALL = """
elements = ["Ni", "Cu"]
reference = "emt"
loops = 1
[compositions]
size = 6
draw = 1
[start]
clusters = 4
dimers = 8
relax = 4
[search]
minimisations = 5
path = 4
[select]
quota = 3
[architecture]
n_features = 8
n_angular = 2
n_hidden = 4
n_interactions = 1
[refresh]
first_epochs = 3
epochs = 2
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "loop.toml"
    path.write_text(SMALL)
    return path


def test_a_loop_from_nothing_ends_with_data_and_models(file: Path, tmp_path: Path) -> None:
    config = read_config(file)
    model = run_loop(config, tmp_path / "run")
    assert model is not None
    lines = [json.loads(line) for line in (tmp_path / "run" / "ledger.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [step.name for step in steps_of(config)]
    labelled = next(line for line in lines if line["kind"] == "label")["facts"]
    assert labelled["labelled"] > 0
    assert read_dataset(tmp_path / "run" / "data.h5").sha256() == labelled["data_sha256"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("loops", "lops"), "unknown key lops"),
        (("loops = 1", "loops = 1.5"), "loops must be a whole number, got 1.5"),
        (("size = 6", "size = 1"), "1 atoms cannot be of 2 elements"),
        (('"Cu"]', '"Fe"]'), "emt does not have Fe"),
    ],
)
def test_a_mistake_is_found_before_the_start(file: Path, change: tuple[str, str], message: str) -> None:
    file.write_text(SMALL.replace(*change))
    with pytest.raises(HEAError, match=message):
        read_config(file)
