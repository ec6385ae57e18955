"""Configurations are checked whole, before anything starts; the commands say what is wrong in one line."""

import math
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hea_training.config import read_config
from training_structures import write_small_dataset
from typer.testing import CliRunner

from hea_potential.cli import app
from hea_potential.cli.train import training_progress
from hea_potential.errors import HEAError, InputError
from hea_potential.model_file import read_model_file

GOOD = """
data = "small.h5"
output = "out"
elements = ["Ni", "Cu"]
model = "full"
[architecture]
n_features = 8
n_angular = 2
n_hidden = 4
[training]
epochs = 1
[training.pair]
epochs = 7
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_small_dataset(tmp_path / "small.h5", np.random.default_rng(5), per_set=5)
    return tmp_path


def write(folder: Path, text: str) -> Path:
    path = folder / "run.toml"
    path.write_text(text)
    return path


def test_strata_have_the_common_settings_and_their_own(folder: Path) -> None:
    config = read_config(write(folder, GOOD))
    assert (config.strata["pair"].epochs, config.strata["many"].epochs) == (7, 1)
    assert config.architecture.elements == ("Ni", "Cu")
    assert config.data == folder / "small.h5"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("elements", "element"), "unknown key element"),
        (("epochs = 1\n", "epochs = 1.5\n"), r"training.epochs must be a whole number, got 1.5"),
        (("epochs = 1\n", "epochs = 0\n"), r"epochs must be at least 1, got 0"),
        (("n_angular = 2", "n_angular = 9"), "n_angular must be 0 to n_features, got 9"),
        (("n_hidden", "hidden"), r"unknown key architecture.hidden; allowed are .*n_hidden"),
        (('"full"', '"half"'), "model must be one of stratified, full, schnetpack, got 'half'"),
        (('"Cu"]', '"Xx"]'), "'Xx' is no chemical symbol"),
        (('"Cu"]', '"Ni"]'), "elements must differ"),
        (("small.h5", "missing.h5"), "there is no file .*missing.h5"),
        (('data = "small.h5"', ""), "data is missing"),
        (("[training.pair]", "[training.pairs]"), "unknown key training.pairs"),
        (("epochs = 7", 'epochs = "7"'), r"training.pair.epochs must be a whole number, got '7'"),
        (("[architecture]", "[architecture"), "is not TOML"),
    ],
)
def test_wrong_configurations_are_named(folder: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in GOOD
    with pytest.raises(InputError, match=message):
        read_config(write(folder, GOOD.replace(*change)))


def test_all_mistakes_are_named_at_once(folder: Path) -> None:
    with pytest.raises(InputError, match="typo") as error:
        read_config(write(folder, "typo = 1\n" + GOOD.replace("epochs = 7", "epochs = true")))
    assert "training.pair.epochs" in str(error.value)


def test_missing_configuration(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such file"):
        read_config(tmp_path / "none.toml")


def test_full_training_goes_on_from_a_model_file(folder: Path) -> None:
    from hea_training.run import train

    first = train(read_config(write(folder, GOOD)))
    more = GOOD.replace('"out"', '"more"') + "[training.full]\nlearning_rate = 1e-9\nweight_decay = 0.0\n"
    going_on = 'start_from = "out/model.safetensors"\n' + more
    second = train(read_config(write(folder, going_on)))
    before, after = read_model_file(first).tensors, read_model_file(second).tensors
    np.testing.assert_allclose(after["head.out"], before["head.out"], atol=1e-6)
    np.testing.assert_allclose(after["filters"], before["filters"], atol=1e-6)
    with pytest.raises(InputError, match="the model's sizes are"):
        train(read_config(write(folder, going_on.replace("n_hidden = 4", "n_hidden = 5").replace('"more"', '"other"'))))
    with pytest.raises(InputError, match="start_from: there is no file"):
        read_config(write(folder, 'start_from = "none"\n' + GOOD))


def test_a_training_is_not_continued_on_another_number_of_threads(folder: Path) -> None:
    from hea_training.run import train

    train(read_config(write(folder, GOOD)))
    with pytest.raises(InputError, match=r"holds another run \(they differ in threads\)"):
        train(read_config(write(folder, "threads = 2\n" + GOOD)))


def test_a_training_that_goes_out_of_bounds_is_one_clear_error(folder: Path) -> None:
    from hea_training.run import train

    config = read_config(write(folder, GOOD.replace("epochs = 1\n", "epochs = 2\nlearning_rate = 1e8\n")))
    with pytest.raises(HEAError, match=r"not finite; a smaller learning rate than 1e\+08 may help"):
        train(config)


@pytest.mark.parametrize("file", ["run.json", "strata/full.npz", "strata/full.checkpoint"])
def test_a_damaged_file_of_a_training_is_named(folder: Path, file: str) -> None:
    from hea_training.run import train

    train(read_config(write(folder, GOOD)))
    (folder / "out" / file).write_bytes(b"")
    if file.endswith("checkpoint"):
        (folder / "out" / "strata" / "full.npz").unlink()
    with pytest.raises(InputError, match=f"{file} cannot be read"):
        train(read_config(write(folder, GOOD)))


def test_train_and_test_commands(folder: Path) -> None:
    runner = CliRunner()
    trained = runner.invoke(app, ["train", str(write(folder, GOOD))])
    assert trained.exit_code == 0, trained.output
    model = folder / "out" / "model.safetensors"
    assert model.is_file()
    said = [
        trained.stderr.find(what) for what in ("loading torch", "reading ", "full: epoch 1 of 1", "the model: errors")
    ]
    assert -1 < said[0] < said[1] < said[2] < said[3]
    table = runner.invoke(
        app, ["test", str(model), str(folder / "small.h5"), "--part", "all", "-o", str(folder / "table.json")]
    )
    assert table.exit_code == 0, table.output
    assert "clusters of 13" not in table.output  # there are none
    assert "kind: cluster.random" in table.output
    assert (folder / "table.json").is_file()
    (folder / "run").mkdir()
    (folder / "small.h5").rename(folder / "run" / "data.h5")  # as the folder of a loop has it
    both = runner.invoke(app, ["test", str(model), str(folder / "run"), "--part", "all", "--compare", str(model)])
    assert both.exit_code == 0, both.output
    assert "NiCu" in both.output


def test_a_folder_without_a_data_set_is_called_that(folder: Path) -> None:
    told = CliRunner().invoke(app, ["test", "hea6", str(folder)])
    assert str(told.exception) == f"data set: got the folder {folder}, which holds no data.h5; give the data set's file"


def test_mistakes_are_said_before_torch_is_loaded(folder: Path) -> None:
    data, out = folder / "small.h5", folder / "none" / "table.json"
    mistakes = [
        ["train", write(folder, GOOD.replace("elements", "element"))],
        ["test", "hea6", data, "--part", "some"],
        ["test", "hea6", folder / "none.h5"],
        ["test", "hea6", folder],
        ["test", "hea6", data, "--split-seed", "-1"],
        ["test", folder / "none.safetensors", data],
        ["test", "hea6", data, "--compare", "hea7"],
        ["test", "hea6", data, "--output", out],
        ["convert", folder / "none", "--output", out, "--elements", "Cu", "--energy-unit", "eV"],
    ]
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom hea_potential.cli import app\n"
        f"for words in {[[str(word) for word in words] for words in mistakes]!r}:\n"
        "    done = CliRunner().invoke(app, words)\n"
        "    print(words[0], type(done.exception).__name__, 'torch' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.splitlines()
    errors = [*["InputError"] * 4, "SystemExit", "ModelFileError", "ModelFileError", "OutputError", "InputError"]
    assert found == [f"{words[0]} {error} False" for words, error in zip(mistakes, errors, strict=True)]


@pytest.mark.parametrize("model", ["full", "schnetpack"])
def test_data_without_an_isolated_atom_are_refused(folder: Path, model: str) -> None:
    from hea_training.run import train

    from hea_potential.dataset import read_dataset, write_dataset

    dataset = read_dataset(folder / "small.h5")
    write_dataset(folder / "small.h5", dataset.select(dataset.name.astype(str) != "atom-Cu"))
    plain = GOOD.replace('"full"', f'"{model}"').replace("n_angular = 2", "n_angular = 0")
    with pytest.raises(InputError, match="no isolated atom of Cu"):
        train(read_config(write(folder, plain)))


def test_an_isolated_atom_need_not_be_trained_on(folder: Path) -> None:
    """Structures that a user labels have no kind that keeps them in training."""
    from hea_training.run import train

    from hea_potential.dataset import read_dataset, write_dataset

    dataset = read_dataset(folder / "small.h5")
    plain = replace(dataset, kind=np.array(["structure"] * len(dataset), dtype=object))
    write_dataset(folder / "small.h5", plain)
    mine = plain.of_elements(["Ni", "Cu"])
    copper = int(np.flatnonzero(mine.name == "atom-Cu")[0])
    seed = next(seed for seed in range(100) if copper in mine.split(seed).test)
    model = read_model_file(train(read_config(write(folder, f"split_seed = {seed}\n" + GOOD))))
    assert model.tensors["e0"][1] == mine.energy[copper]


def test_a_stratum_that_was_trained_before_is_told_without_a_loss(capsys: pytest.CaptureFixture[str]) -> None:
    with training_progress() as (show, _):
        show("elements", 3, 3, math.nan)
        show("Ni-Cu", 1, 2, 0.5)
        show("Ni-Cu", 2, 2, 0.25)
    assert capsys.readouterr().err.splitlines() == [
        "elements: epoch 3 of 3, trained before",
        "Ni-Cu: epoch 2 of 2, loss 0.2500",
    ]
