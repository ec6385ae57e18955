"""Mistakes in the configuration of a meta loop are found before it starts, all of them at once."""

from __future__ import annotations

import sysconfig
from pathlib import Path

import pytest
from ase import Atoms
from hea_training.meta_loop import read_config
from hea_training.meta_loop.plan import steps_of
from small_loop import CONFIGURATION, hea_loop

from hea_potential.errors import InputError
from hea_potential.labels import label_structures
from hea_potential.model_file import ModelFile, read_model_file, write_model_file

MPIRUN = str(Path(sysconfig.get_path("scripts")) / "mpirun")


def written(folder: Path, text: str) -> Path:
    path = folder / "loop.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("loops", "lops"), "unknown key lops; allowed are architecture, .*loops"),
        (("quota", "quotta"), "unknown key select.quotta"),
        (("[search]", "[serch]"), "unknown key serch"),
        (("loops = 2", "loops = 1.5"), "loops must be a whole number, got 1.5"),
        (("loops = 2", "loops = true"), "loops must be a whole number, got True"),
        (("loops = 2", "loops = 0"), "loops must be at least 1, got 0"),
        (("[compositions]", "[[compositions]]"), "compositions must be a table"),
        (('reference = "emt"', ""), "reference is missing"),
        (('"emt"', '"emtt"'), "reference: unknown reference method 'emtt'"),
        (('"emt"', '"nowhere:calculator"'), "cannot import nowhere"),
        (('"Cu"]', '"Xx"]'), "'Xx' is no chemical symbol"),
        (('"Cu"]', '"Ni"]'), "elements must differ"),
        (('"Cu"]', '"Fe"]'), "reference method 'emt': does not know Fe"),
        (("size = 6", "size = 0"), "compositions.size must be 1 to 10000, got 0"),
        (("size = 6", "size = 20000"), "compositions.size must be 1 to 10000, got 20000"),
        (("size = 6\ndraw = 1", "size = 3000\nall = true\nstep = 1"), "at most 1000 can be searched in one call"),
        (("loops = 2", 'loops = 2\nname = "../other"'), "name must be that of a folder, without a path"),
        (("n_features = 8", "n_features = 100000"), "architecture.n_features must be 1 to 4096, got 100000"),
        (("n_features = 8", "cutoff = 1000.0"), "architecture.cutoff must be above 0, up to 100 A"),
        (("size = 6", "size = 1"), "1 atoms cannot be of 2 elements"),
        (("draw = 1", "draw = 6"), "compositions.draw must be at most the 5 compositions of 2 elements, got 6"),
        (("loops = 2", "loops = 1000000000"), "make 1000000000 searches; at most 100000 can be planned"),
        (("loops = 2", "loops = 2\nthreads = 100000"), "threads must be at most 1024, got 100000"),
        (("[search]", "[label]\nprocesses = 100000\n[search]"), "label.processes must be at most 1024, got 100000"),
        (("draw = 1", ""), "give one of listed, draw and all, got none"),
        (("draw = 1", "draw = 1\nall = true"), "got draw, all"),
        (("draw = 1", "draw = 1\nn_elements = [2, 3]"), "n_elements must be 1 to 2, got 3"),
        (("size = 6\ndraw = 1", 'listed = ["Ni3Pd3"]'), "Ni3Pd3 has Pd, which elements does not name"),
        (("size = 6\ndraw = 1", 'listed = ["Ni0Cu3"]'), "zero atoms of Ni"),
        (("size = 6\ndraw = 1", 'listed = ["Ni3Cu3", "Cu3Ni3"]'), "Cu3Ni3 is Ni3Cu3 once more"),
        (("draw = 1", 'listed = ["Ni3Cu3"]'), "size cannot be given with listed"),
        (("quota = 3", "quota = 0"), "quota is 0"),
        (("path = 2", "path = 0\nminima = 0"), "leave nothing to choose from"),
        (("path = 2", "fmax = nan"), "search.fmax must be"),
        (("dimers = 8", 'model = "hea6"'), "start.model needs the start.data that it was trained on"),
        (("dimers = 8", 'model = "hea6"\ndata = "no.h5"'), r"start.data: there is no file .*no.h5"),
        (("dimers = 8", 'model = "hea7"\ndata = "no.h5"'), "start.model: .*hea7"),
        (("n_angular = 2", "n_angular = 9"), "n_angular must be 0 to n_features, got 9"),
        (("epochs = 5\n", "epochs = 0\n"), "refresh.epochs must be at least 1"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    assert change[0] in CONFIGURATION
    with pytest.raises(InputError, match=message):
        read_config(written(tmp_path, CONFIGURATION.replace(*change)))


def test_a_model_that_a_loop_cannot_begin_with_is_named(tmp_path: Path) -> None:
    model = read_model_file("hea6")
    plain = {name: tensor for name, tensor in model.tensors.items() if name != "gram"}
    metadata = {name: value for name, value in model.metadata.items() if name != "sigma"}
    write_model_file(tmp_path / "plain.safetensors", ModelFile(plain, metadata))
    label_structures([Atoms("Fe")], tmp_path / "iron.h5", "ase.calculators.lj:LennardJones", processes=0)
    text = CONFIGURATION.replace('"emt"', '"ase.calculators.lj:LennardJones"')
    text = text.replace('"Ni", "Cu"', '"Ni", "Cu", "Pd", "Ag", "Pt", "Au"')
    text = text.replace("dimers = 8", 'model = "plain.safetensors"\ndata = "iron.h5"')
    with pytest.raises(InputError, match=r"iron.h5 has no structure of Ni, .*plain.safetensors has no uncertainty"):
        read_config(written(tmp_path, text))


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    text = CONFIGURATION.replace("loops = 2", "lops = 2").replace("size = 6", "size = 6.5")
    with pytest.raises(InputError, match=r"unknown key lops.*compositions.size must be a whole number"):
        read_config(written(tmp_path, text))


@pytest.mark.parametrize("launcher", [(), (MPIRUN, "-n", "2")])
def test_the_command_says_it_in_one_line_and_begins_nothing(tmp_path: Path, launcher: tuple[str, ...]) -> None:
    configuration = written(tmp_path, CONFIGURATION.replace("loops", "lops"))
    said = hea_loop(configuration, "--out", tmp_path / "run", launcher=launcher)
    assert said.returncode == 2
    assert said.stderr.startswith("hea: error: configuration ")
    assert said.stderr.count("\n") == 1
    assert not (tmp_path / "run").exists()


def test_a_list_and_all_ratios_are_the_same_in_every_loop(tmp_path: Path) -> None:
    listed = CONFIGURATION.replace("size = 6\ndraw = 1", 'listed = ["Ni3Cu3", "Cu13", "Ni1Cu5"]')
    steps = steps_of(read_config(written(tmp_path, listed)))
    searches = [(step.loop, step.n_elements, step.composition) for step in steps if step.kind == "search"]
    assert searches == [(loop, *each) for loop in (1, 2) for each in ((1, "Cu13"), (2, "Ni3Cu3"), (2, "Ni1Cu5"))]
    every = CONFIGURATION.replace("draw = 1", "all = true")
    searches = [step.composition for step in steps_of(read_config(written(tmp_path, every))) if step.kind == "search"]
    assert searches == ["Ni5Cu1", "Ni4Cu2", "Ni3Cu3", "Ni2Cu4", "Ni1Cu5"] * 2


def test_a_plan_needs_no_torch(tmp_path: Path) -> None:
    import subprocess
    import sys

    code = (
        "import sys\nfrom pathlib import Path\nfrom hea_training.meta_loop import read_config\n"
        "from hea_training.meta_loop.costs import costs_of\nfrom hea_training.meta_loop.plan import steps_of\n"
        "config = read_config(Path(sys.argv[1]))\ncosts_of(config, steps_of(config))\nprint('torch' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(written(tmp_path, CONFIGURATION))]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "False\n"
