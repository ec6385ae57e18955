"""Which folders a search goes on in, and which it refuses: of other searches, of running ones, of anything else."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from search_runs import ALLOY, LENNARD_JONES, found

from hea_potential.errors import HEAError, OutputError
from hea_potential.search import search
from hea_potential.search.journal import RunFolderError, sealed
from hea_potential.search.minimise import Limits
from hea_potential.search.state import Run


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    path = tmp_path / "pair.lmp"
    path.write_text(LENNARD_JONES)
    return path


@pytest.fixture
def alloy(tmp_path: Path) -> Path:
    path = tmp_path / "alloy.lmp"
    path.write_text(ALLOY)
    return path


def test_folders_that_cannot_be_used_are_refused(pair: Path, alloy: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OutputError, match=r"run folder .*file.* cannot be written"):
        search("Ar3", pair=pair, budget=5, out=tmp_path / "file" / "run")
    folder = tmp_path / "run"
    search("Ar3", pair=pair, budget=5, seed=1, out=folder)
    for changed, complaint in (
        ({"composition": "Ar4"}, "holds a search with composition Ar3, this one has Ar4"),
        ({"seed": 2}, "seed 1, this one has 2"),
        ({"pair": alloy, "composition": "Ar3"}, "pair"),
        ({"limits": Limits(fmax=0.5)}, "limits"),
        ({"window": 3}, "window 16, this one has 3"),
    ):
        arguments: dict[str, Any] = {"composition": "Ar3", "pair": pair, "budget": 5, "out": folder, **changed}
        with pytest.raises(HEAError, match=complaint):
            search(**arguments)
    (folder / "journal.jsonl").write_text('{"format": "something else"}\n')
    with pytest.raises(RunFolderError, match="journal"):
        search("Ar3", pair=pair, budget=5, out=folder)


def test_a_run_goes_on_with_the_largest_force_that_it_was_begun_with(pair: Path, tmp_path: Path) -> None:
    """As one that a version with another default has begun; what is asked for must still be what it was."""
    folder, plan = tmp_path / "run", {"pair": pair, "seed": 1}
    search("Ar7", budget=20, limits=Limits(0.05), out=folder, **plan)
    with pytest.raises(RunFolderError, match=r"limits .*0\.05.*, this one has .*0\.01"):
        search("Ar7", budget=40, limits=Limits(0.01), out=folder, **plan)
    gone_on = found(search("Ar7", budget=40, out=folder, **plan))
    unbroken = found(search("Ar7", budget=40, limits=Limits(0.05), **plan))
    usual = found(search("Ar7", budget=40, **plan))
    energies = [[minimum.energy for minimum in archive.minima] for archive in (gone_on, unbroken, usual)]
    assert energies[0] == energies[1] != energies[2]


def test_a_search_with_other_tables_is_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pair file stays the same, what it reads does not; in the same process, with the same seed."""
    monkeypatch.chdir(tmp_path)
    Path("pair.lmp").write_text("units lj\npair_style lj/cut 30.0\ninclude 'depth'  # of the well\n")
    energies = []
    for depth in (1.0, 2.0):
        Path("depth").write_text(f"pair_coeff * * {depth} 1.0\n")
        best = found(search("Ar4", pair="pair.lmp", budget=20, seed=1)).best
        assert best is not None
        energies.append(best.energy)
        if depth == 1.0:
            search("Ar4", pair="pair.lmp", budget=20, seed=1, out="run")
    assert energies == pytest.approx([-6.0, -12.0], abs=1e-4)
    with pytest.raises(RunFolderError, match=r"holds a search with files .*depth.* choose another folder"):
        search("Ar4", pair="pair.lmp", budget=40, out="run")
    Path("depth").write_text("pair_coeff * * 1.0 1.0\n")
    assert len(found(search("Ar4", pair="pair.lmp", budget=40, out="run"))) >= 1


def test_a_run_of_a_version_that_noted_no_files_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("pair.lmp").write_text("units lj\npair_style lj/cut 30.0\ninclude depth\n")
    Path("depth").write_text("pair_coeff * * 1.0 1.0\n")
    search("Ar4", pair="pair.lmp", budget=20, seed=1, out="run")
    path = Path("run", "journal.jsonl")
    first, rest = path.read_bytes().split(b"\n", 1)
    header = json.loads(first)
    del header["files"], header["check"]
    path.write_bytes(sealed(json.dumps(header, separators=(",", ":"))[:-1]) + rest)
    assert len(found(search("Ar4", pair="pair.lmp", budget=40, out="run"))) >= 1


def test_two_runs_do_not_share_a_folder(pair: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hea_potential.locked_file.HANDOVER", 0.1)

    def start_another(run: Run) -> None:
        with pytest.raises(RunFolderError, match="another search is running"):
            search("Ar3", pair=pair, budget=5, out=tmp_path / "run")

    search("Ar3", pair=pair, budget=2, out=tmp_path / "run", observers=[start_another])
