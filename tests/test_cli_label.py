"""`hea label` with what it cannot use: one line that says what, and nothing that was done is lost."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ase.io
import numpy as np
import pytest
from ase import Atoms
from typer.testing import CliRunner
from unreliable_references import dimers

from hea_potential.cli import app
from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Files of structures, good and bad, in the current folder."""
    monkeypatch.chdir(tmp_path)
    ase.io.write("good.extxyz", dimers(8))
    ase.io.write("iron.extxyz", Atoms("Fe2", positions=[[0, 0, 0], [0, 0, 2]]))
    ase.io.write("dummy.extxyz", Atoms("XCu", positions=[[0, 0, 0], [0, 0, 2]]))
    ase.io.write("wish.extxyz", Atoms("Cu", info={"relax": "much"}))
    Path("empty.extxyz").touch()
    Path("noise.extxyz").write_bytes(np.random.default_rng(1).bytes(500))
    Path("noise.h5").write_bytes(np.random.default_rng(1).bytes(500))
    Path("folder").mkdir()
    return tmp_path


def run(*words: str) -> Any:
    return CliRunner().invoke(app, ["label", *words, "--processes", "0"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("folder",), "got folder .a folder."),
        (("none.extxyz",), "no such file"),
        (("empty.extxyz",), "ASE cannot read it .Empty file"),
        (("noise.extxyz",), "ASE cannot read it"),
        (("iron.extxyz",), "reference method 'emt': does not know Fe"),
        (("dummy.extxyz",), "got X; allowed are chemical symbols"),
        (("wish.extxyz",), "structure '000000': relax is 'much'; allowed is a number of steps"),
        (("good.extxyz", "-o", "folder"), "data set folder is a folder"),
        (("good.extxyz", "-o", "noise.h5"), "not a readable data set"),
        (("good.extxyz", "-o", "none/set.h5"), "cannot write"),
    ],
)
def test_what_cannot_be_used_is_said_before_anything_is_calculated(
    folder: Path, words: tuple[str, ...], message: str
) -> None:
    before = sorted(folder.rglob("*"))
    result = run(*words, "--reference", "emt")
    assert isinstance(result.exception, HEAError)
    with pytest.raises(HEAError, match=message):
        raise result.exception
    assert sorted(folder.rglob("*")) == before


def test_structures_without_label_are_shown_with_their_reasons(folder: Path) -> None:
    result = run("good.extxyz", "--reference", "unreliable_references:Careless")
    assert result.exit_code == 0, result.output
    assert "labels.h5: 5 labels, 10 atoms, 3 structures without label" in result.output
    assert "without label d1: failed twice: RuntimeError: did not converge" in result.output


def test_interrupted_it_says_so_and_keeps_what_is_done(folder: Path) -> None:
    result = run("good.extxyz", "--reference", "unreliable_references:Interrupted")
    assert result.exit_code == 130
    assert "hea: interrupted; the same command goes on" in result.output
    kept = read_dataset("labels.h5").name.tolist()  # what the task in work had labelled is lost
    assert kept == [f"d{k}" for k in range(len(kept))]
    assert 1 <= len(kept) <= 5
