"""A whole meta loop in small: from nothing, with EMT, to models, data and a ledger; the same under mpirun."""

from __future__ import annotations

import hashlib
import json
import shutil
import sysconfig
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import ase.io
import numpy as np
import pytest
from hea_training import hea6
from hea_training.meta_loop import read_config, run_loop
from hea_training.meta_loop.beginning import start
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.costs import Forecast, costs_of
from hea_training.meta_loop.ledger import Ledger, LoopFolderError
from hea_training.meta_loop.plan import compositions_of, steps_of
from hea_training.meta_loop.restricted import restricted
from hea_training.meta_loop.start_data import fair_part, of_earlier_loops
from hea_training.meta_loop.state import Loop, Watcher
from hea_training.meta_loop.steps import divided
from small_loop import CONFIGURATION, hea_loop, ledger_of

from hea_potential import HEACalculator
from hea_potential.dataset import fixed_split, read_dataset
from hea_potential.described import describe
from hea_potential.model_file import read_model_file, write_model_file

ALL_KINDS = {"atom", "start.dimer", "start.cluster", *(f"loop{k}.{what}" for k in (1, 2) for what in ("found", "path"))}
MPIRUN = str(Path(sysconfig.get_path("scripts")) / "mpirun")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a configuration, and the run that it describes."""
    folder = tmp_path_factory.mktemp("loop")
    (folder / "loop.toml").write_text(CONFIGURATION)
    assert run_loop(read_config(folder / "loop.toml"), folder / "run") is not None
    return folder


def test_every_step_of_the_plan_is_in_the_ledger(folder: Path) -> None:
    names = [line["step"] for line in ledger_of(folder / "run")]
    assert names == [step.name for step in steps_of(read_config(folder / "loop.toml"))]
    assert names[:4] == ["start", "start-refresh", "L1-n2-Ni2Cu4-search", "L1-n2-Ni2Cu4-select"]


def test_the_resolved_configuration_can_be_given_again(folder: Path) -> None:
    identity = json.loads((folder / "run" / "loop.json").read_text())
    assert config_of(identity["config"], "loop.json", folder) == read_config(folder / "loop.toml")


def test_the_data_are_what_the_ledger_says(folder: Path) -> None:
    dataset = read_dataset(folder / "run" / "data.h5")
    labels = [line["facts"] for line in ledger_of(folder / "run") if line["kind"] in ("start", "label")]
    assert labels[-1]["data_sha256"] == dataset.sha256()
    assert sum(facts["labelled"] for facts in labels) == len(dataset)
    kinds = set(dataset.kind)
    assert {"atom", "start.dimer", "start.cluster"} < kinds <= ALL_KINDS
    assert kinds & {"loop2.found", "loop2.path"}


def test_what_was_chosen_says_why_and_what_the_model_expected(folder: Path) -> None:
    run = folder / "run"
    facts = next(line["facts"] for line in ledger_of(run) if line["kind"] == "select")
    chosen = ase.io.read(run / facts["file"], ":")
    assert len(chosen) == facts["chosen"] == sum(facts["reasons"].values())
    first = chosen[0]
    assert first.info["name"] == "L1-n2-Ni2Cu4-0000"
    assert first.info["kind"] in ("loop1.found", "loop1.path")
    assert first.info["model"] == 0
    first.calc = HEACalculator(run / "models" / "000.safetensors")
    assert first.get_potential_energy() == pytest.approx(first.info["predicted_energy"], abs=1e-4)


def test_every_model_stays_and_is_the_one_that_the_ledger_names(folder: Path) -> None:
    run = folder / "run"
    facts = [line["facts"] for line in ledger_of(run) if line["kind"] == "refresh"]
    assert [each["model"] for each in facts] == [f"models/{k:03d}.safetensors" for k in range(3)]
    assert [hashlib.sha256((run / each["model"]).read_bytes()).hexdigest() for each in facts] == [
        each["sha256"] for each in facts
    ]


def test_a_finished_run_does_nothing_again(folder: Path) -> None:
    class Refuses(Watcher):
        def begins(self, *_: object) -> None:
            raise AssertionError("a step is done again")

    before = (folder / "run" / "ledger.jsonl").read_bytes()
    run_loop(read_config(folder / "loop.toml"), folder / "run", Refuses())
    assert (folder / "run" / "ledger.jsonl").read_bytes() == before


def test_two_ranks_find_the_same(folder: Path, tmp_path: Path) -> None:
    done = hea_loop(folder / "loop.toml", "--no-report", "--out", tmp_path / "run", launcher=(MPIRUN, "-n", "2"))
    assert done.returncode == 0, done.stderr
    assert "model " in done.stdout
    assert ledger_of(tmp_path / "run") == ledger_of(folder / "run")


@pytest.mark.parametrize(
    ("change", "setting"),
    [
        (("quota = 3", "quota = 4"), "select.quota"),
        (("loops = 2", "loops = 1"), "loops"),
        (('"emt"', '"sevennet"'), "reference"),
        (('"emt"', '"emt"\nthreads = 2'), "threads"),
        (("[search]", "seed = 4\n[search]"), None),
    ],
)
def test_a_folder_is_not_continued_with_another_configuration(
    folder: Path, tmp_path: Path, change: tuple[str, str], setting: str | None
) -> None:
    text = CONFIGURATION.replace(*change) if setting else "seed = 4\n" + CONFIGURATION
    (tmp_path / "other.toml").write_text(text)
    with pytest.raises(LoopFolderError, match=f"holds another loop .*{setting or 'seed'}"):
        run_loop(read_config(tmp_path / "other.toml"), folder / "run")


def test_a_finished_run_can_be_given_another_loop(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder / "run", tmp_path / "run")
    (folder / "longer.toml").write_text(CONFIGURATION.replace("loops = 2", "loops = 3"))
    longer = read_config(folder / "longer.toml")
    run_loop(longer, tmp_path / "run")
    lines = ledger_of(tmp_path / "run")
    assert lines[:10] == ledger_of(folder / "run")
    assert [line["loop"] for line in lines[10:]] == [3, 3, 3, 3]
    run_loop(longer, tmp_path / "other")
    assert ledger_of(tmp_path / "other") == lines


def test_more_ranks_than_minimisations_are_refused_before_the_start(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "few.toml").write_text(CONFIGURATION.replace("minimisations = 20", "minimisations = 2"))
    said = hea_loop(tmp_path / "few.toml", "--out", tmp_path / "run", launcher=(MPIRUN, "-n", "3"))
    assert said.returncode != 0
    assert "3 ranks for searches of 2 minimisations; use fewer ranks" in said.stderr
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"format": "hea-loop", "version": 2}'])
def test_an_identity_that_cannot_be_read_is_said(folder: Path, tmp_path: Path, content: str) -> None:
    (tmp_path / "loop.json").write_text(content)
    with pytest.raises(LoopFolderError, match=r"loop.json cannot be read"):
        run_loop(read_config(folder / "loop.toml"), tmp_path)


def test_a_folder_with_other_files_is_left_alone(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").write_text("")
    with pytest.raises(LoopFolderError, match=r"holds thesis.tex and no loop"):
        run_loop(read_config(folder / "loop.toml"), tmp_path)
    assert [each.name for each in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_ledger_that_was_changed_is_not_trusted(folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    run.mkdir()
    (run / "loop.json").write_bytes((folder / "run" / "loop.json").read_bytes())
    whole = (folder / "run" / "ledger.jsonl").read_bytes()
    (run / "ledger.jsonl").write_bytes(whole.replace(b'"facts"', b'"fcts"', 1))
    with pytest.raises(LoopFolderError, match="line 1 cannot be read"):
        run_loop(read_config(folder / "loop.toml"), run)
    assert (run / "ledger.jsonl").stat().st_size == len(whole) - 1


def test_every_pair_of_atoms_teaches_and_none_judges(folder: Path) -> None:
    dataset = read_dataset(folder / "run" / "data.h5")
    dimers = np.flatnonzero(dataset.kind.astype(str) == "start.dimer")
    assert len(dimers) > 20
    assert set(dimers) <= set(fixed_split(dataset, 0).train)


def test_drawn_compositions_come_once_before_any_comes_twice(folder: Path) -> None:
    text = CONFIGURATION.replace("draw = 1", "draw = 3").replace("loops = 2", "loops = 3")
    (folder / "more.toml").write_text(text)
    steps = steps_of(read_config(folder / "more.toml"))
    formulas = [step.composition for step in steps if step.kind == "search"]
    assert len(formulas) == 9
    assert len(set(formulas[:5])) == 5 == len(compositions_of(steps))  # five ways to share six atoms among two
    assert all(len(set(formulas[k : k + 3])) == 3 for k in (0, 3, 6))  # nor twice in one loop


def test_a_dry_run_shows_the_plan_with_costs_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    shown = hea_loop(folder / "loop.toml", "--out", tmp_path / "run", "--dry-run", launcher=(MPIRUN, "-n", "2"))
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.count("together") == 1  # not by every rank
    assert "loop 2, 2 elements: Ni4Cu2" in shown.stdout
    assert "0 of 10 steps are done" in shown.stdout
    assert not (tmp_path / "run").exists()
    rows = [line.replace("│", " ").split() for line in shown.stdout.splitlines() if "about" in line]
    seconds = {row[0]: float(row[-1]) for row in rows}
    assert len(seconds) == 6
    assert seconds.pop("together") == pytest.approx(sum(seconds.values()), rel=0.1)


def test_a_dry_run_knows_how_much_is_trained(folder: Path) -> None:
    config = read_config(folder / "loop.toml")
    forecast = {cost.kind: cost.amount for cost in costs_of(config, steps_of(config))}
    atoms = read_dataset(folder / "run" / "data.h5").sizes.mean()
    refreshes = [line["facts"] for line in ledger_of(folder / "run") if line["kind"] == "refresh"]
    assert forecast["refresh"] == pytest.approx(sum(f["epochs"] * f["structures"] * atoms for f in refreshes), rel=0.3)


def test_a_dry_run_counts_what_was_found_before_in_every_epoch() -> None:
    config = read_config(Path(__file__).parents[1] / "examples" / "16_loop_sevennet.toml")
    forecast = Forecast(config, [38])
    amounts = [(step, forecast.of(step)[0]) for step in steps_of(config)]
    each = [amount for step, amount in amounts if step.kind == "refresh" and step.loop > 0]
    labels = 2 * (config.select.quota + config.search.path) * config.refresh.epochs * 38
    assert np.diff(each) == pytest.approx(0.8 * labels)
    assert each[0] > 0.8 * labels


def test_what_a_model_was_taught_does_not_judge_it() -> None:
    dataset = read_dataset(Path(hea6.__file__).with_name("hea6.h5"))
    provenance = read_model_file("hea6").metadata["provenance"]
    part = fair_part(dataset, provenance, 3, 500, np.random.default_rng(1))
    own = dataset.split(provenance["split"]["seed"])
    taught = set(dataset.name[own.train])
    split = fixed_split(part, 3)
    assert set(part.name[split.train]) <= taught
    assert not (set(part.name[split.valid]) | set(part.name[split.test])) & taught
    assert 500 <= len(split.train) <= 506
    assert len(split.valid) + len(split.test) > 300


def test_a_loop_may_begin_with_what_another_one_found(folder: Path, tmp_path: Path) -> None:
    """With the model that is not the last, as after a refusal: the data have grown since it was trained."""
    begun = CONFIGURATION.replace("loops = 2", "loops = 1\nseed = 3").replace("path = 2", "path = 0")
    sizes = begun[begun.index("[architecture]") : begun.index("[refresh]")]
    given = f'[start]\nmodel = "{folder}/run/models/001.safetensors"\ndata = "{folder}/run/data.h5"\n[search]'
    text = begun.replace(sizes, "")
    text = text[: text.index("[start]")] + given + text[text.index("[search]") + len("[search]") :]
    (tmp_path / "loop.toml").write_text(text.replace("size = 6\ndraw = 1", 'listed = ["Ni2Cu4"]'))
    config = read_config(tmp_path / "loop.toml")
    run_loop(config, tmp_path / "run")
    start, _, _, _, label, _ = (line["facts"] for line in ledger_of(tmp_path / "run"))
    dataset, before = read_dataset(tmp_path / "run" / "data.h5"), read_dataset(folder / "run" / "data.h5")
    assert label["labelled"] > 0
    assert len(dataset) == start["structures"] + label["labelled"]
    found = dataset.kind.astype(str)[start["structures"] :]
    assert all(kind.startswith("loop1.") for kind in found)
    assert {"start.loop1.found", "start.cluster"} < set(dataset.kind[: start["structures"]])
    taught = set(before.name[fixed_split(before, 0).train])
    split = fixed_split(dataset, 3)
    judges = [k for k in (*split.valid, *split.test) if k < start["structures"]]
    assert not {dataset.name[k].replace("start-L", "L") for k in judges} & taught
    run_loop(config, tmp_path / "run")  # the folder is whole


def test_each_loop_that_begins_with_earlier_ones_tells_them_apart(folder: Path) -> None:
    first = read_dataset(folder / "run" / "data.h5")
    second = of_earlier_loops(replace(first, failures={"L1-n2-Ni2Cu4-0007": "did not converge"}))
    assert second.failures == {}  # a structure of this name may have a label now
    third = of_earlier_loops(second.append([first.frame(k) for k in range(len(first)) if first.name[k][0] == "L"]))
    assert len(set(third.name)) == len(third)
    assert {"start.loop1.found", "start.start.loop1.found", "start.cluster", "atom"} < set(third.kind)
    assert third.name[0] == first.name[0]


def test_a_loop_takes_of_its_data_what_its_elements_are(tmp_path: Path) -> None:
    """The data set of hea6 for a model of two of its elements."""
    write_model_file(tmp_path / "two.safetensors", restricted(read_model_file("hea6"), ["Cu", "Au"]))
    sevennet = CONFIGURATION.replace('"emt"', '"sevennet"').replace('"Ni", "Cu"', '"Cu", "Au"')
    given = '[start]\nmodel = "two.safetensors"\ndata = "hea6"\nstructures = 100\n[search]'
    text = sevennet[: sevennet.index("[start]")] + given + sevennet[sevennet.index("[search]") + len("[search]") :]
    (tmp_path / "loop.toml").write_text(text)
    config = read_config(tmp_path / "loop.toml")
    run = tmp_path / "run"
    run.mkdir()
    with closing(Ledger(run)) as ledger:
        loop = Loop(config, run, steps_of(config), ledger)
        start(loop, loop.steps[0])
    assert {z for found in read_dataset(run / "data.h5").element_sets for z in found} == {29, 79}


def test_a_model_that_is_refused_leaves_its_data_to_the_next(folder: Path, tmp_path: Path) -> None:
    config = read_config(folder / "loop.toml")
    with closing(Ledger(tmp_path)) as ledger:
        loop = Loop(config, tmp_path, steps_of(config), ledger)
        begin, first, second = (step for step in loop.steps if step.kind == "refresh")
        ledger.write(begin, 0.0, {"accepted": True, "model": "models/000.safetensors"})
        assert loop.refreshes_since_accepted(first) == [first]
        ledger.write(first, 0.0, {"accepted": False, "model": "models/001.safetensors"})
        assert loop.refreshes_since_accepted(second) == [first, second]
        assert loop.model == tmp_path / "models" / "000.safetensors"


def test_structures_are_divided_by_what_the_model_says_it_does_not_know(folder: Path) -> None:
    dataset = read_dataset(folder / "run" / "data.h5")
    structures = [dataset.atoms(k) for k in range(len(dataset)) if dataset.sizes[k] > 1]
    model = folder / "run" / "models" / "000.safetensors"
    sigmas = describe(structures, model).sigmas / [len(atoms) for atoms in structures]
    limit = float(np.median(sigmas))
    known, unknown = divided(structures, model, limit)
    assert len(known) + len(unknown) == len(structures)
    names = [structures[k].info["name"] for k in np.flatnonzero(sigmas > limit)]
    assert [atoms.info["name"] for atoms in unknown] == names
    assert divided([], model, limit) == ([], [])
