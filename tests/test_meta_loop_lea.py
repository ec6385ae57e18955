"""The mode lea: when the model is trained again, and that the population goes on."""

from __future__ import annotations

import json
from pathlib import Path
from tomllib import loads

import numpy as np
import pytest
from hea_training.meta_loop import run_loop
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.lea import disagrees, judged
from hea_training.meta_loop.mode_settings import LeaSettings
from small_loop import CONFIGURATION, ledger_of
from training_structures import cluster

from hea_potential.dataset import empty_dataset
from hea_potential.described import describe
from hea_potential.errors import InputError
from hea_potential.frame import Frame
from hea_potential.model_file import find_model


def test_the_model_is_trained_when_chance_would_hardly_do_it() -> None:
    # Two sigma: beyond with probability 0.0455. Of 20, four or more with 0.014, three or more with 0.061.
    settings = LeaSettings(sigmas=2.0, chance=0.05)
    assert [disagrees(20, beyond, settings) for beyond in (0, 1, 2, 3, 4, 20)] == [False] * 4 + [True] * 2
    assert not disagrees(0, 0, settings)
    assert disagrees(20, 1, LeaSettings(chance=1.0))
    assert not disagrees(20, 20, LeaSettings(chance=0.0))


def test_labels_are_judged_once_for_each_structure() -> None:
    rng = np.random.default_rng(2)
    structures = [cluster(rng, 8, ["Cu", "Ni"]) for _ in range(3)]
    said = describe(structures, find_model("hea6"))
    frames = []
    for name, place, off in [("a", 0, 1.9), ("b.000", 1, 2.1), ("b.001", 1, 9.0), ("c", 2, -5.0)]:
        results = {"energy": said.energies[place] + off * said.sigmas[place], "forces": said.forces[place]}
        frames.append(Frame.from_results(structures[place], name, "loop1.found", name[0], results))
    labels = empty_dataset({}).append(frames)
    assert judged(labels, find_model("hea6"), sigmas=2.0) == (3, 2)
    assert judged(empty_dataset({}), find_model("hea6"), sigmas=2.0) == (0, 0)


def test_a_population_goes_on_and_a_model_is_kept_until_many_labels_wait(tmp_path: Path) -> None:
    document = loads(CONFIGURATION)
    compositions = {"listed": ["Ni2Cu4"]}
    config = config_of(
        {**document, "mode": "lea", "loops": 2, "compositions": compositions, "lea": {"chance": 0.0, "waiting": 0.23}},
        "test",
        tmp_path,
    )
    run_loop(config, tmp_path / "run")
    refreshes = [line["facts"] for line in ledger_of(tmp_path / "run") if line["kind"] == "refresh"]
    labelled = [line["facts"]["labelled"] for line in ledger_of(tmp_path / "run") if line["kind"] in ("start", "label")]
    assert labelled[1] < 0.23 * sum(labelled[:2])
    assert sum(labelled[1:]) > 0.23 * sum(labelled)
    assert [facts["epochs"] > 0 for facts in refreshes] == [True, False, True]
    assert refreshes[1]["sha256"] == refreshes[0]["sha256"] != refreshes[2]["sha256"]
    kept = f"labels beyond 2 sigma, {labelled[1]} of {sum(labelled[:2])} structures not trained on: no reason to train"
    assert refreshes[1]["reason"].endswith(kept)
    searches = [line["facts"] for line in ledger_of(tmp_path / "run") if line["kind"] == "search"]
    assert searches[0]["carried"] == 0
    assert searches[1]["carried"] > 0
    journal = (tmp_path / "run" / searches[1]["folder"] / "journal.jsonl").read_text().splitlines()[1:]
    assert "carried" in {json.loads(line.split("\t")[-1] if "\t" in line else line).get("operator") for line in journal}


def test_impossible_settings_are_refused(tmp_path: Path) -> None:
    document = {**loads(CONFIGURATION), "mode": "lea", "lea": {"population": 0, "chance": -0.1}}
    with pytest.raises(InputError, match=r"lea\.population must be at least 1, got 0; lea\.chance must be at least 0"):
        config_of(document, "test", tmp_path)
