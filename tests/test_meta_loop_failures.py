"""What goes wrong around a meta loop: references that fail, a full disk, two runs in one folder."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
from ase.calculators.emt import EMT
from hea_training.meta_loop import read_config, run_loop
from hea_training.meta_loop.ledger import Ledger, LoopFolderError
from hea_training.meta_loop.plan import Step
from hea_training.meta_loop.state import Watcher
from small_disk import small_disk
from small_loop import CONFIGURATION, ledger_of

from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError

ONE_LOOP = CONFIGURATION.replace("loops = 2", "loops = 1")


class Moody(EMT):
    """EMT that fails for one structure of five, always the same ones; never for isolated atoms."""

    reason = "raises"

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):  # type: ignore[no-untyped-def]
        super().calculate(atoms, properties, system_changes)
        if len(atoms) > 1 and zlib.crc32(np.round(atoms.positions, 3).tobytes()) % 5 == 0:
            if self.reason == "raises":
                raise RuntimeError("did not converge")
            self.results = {name: np.nan * np.asarray(value) for name, value in self.results.items()}


class Nan(Moody):
    """The same with numbers that are none."""

    reason = "nan"


class NoAtom(EMT):
    """EMT that fails for an isolated atom of copper."""

    def calculate(self, atoms=None, properties=("energy",), system_changes=()):  # type: ignore[no-untyped-def]
        if str(atoms.symbols) == "Cu":
            raise RuntimeError("spin did not converge")
        super().calculate(atoms, properties, system_changes)


def written(folder: Path, text: str) -> Path:
    path = folder / "loop.toml"
    path.write_text(text)
    return path


@pytest.mark.parametrize(("reference", "reason"), [("Moody", "did not converge"), ("Nan", "must be finite")])
def test_what_the_reference_fails_for_is_recorded_and_the_loop_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reference: str, reason: str
) -> None:
    monkeypatch.chdir(Path(__file__).parent)  # where the reference is imported from
    text = ONE_LOOP.replace('"emt"', f'"test_meta_loop_failures:{reference}"')
    assert run_loop(read_config(written(tmp_path, text)), tmp_path / "run") is not None
    lines = ledger_of(tmp_path / "run")
    failed = lines[0]["facts"]["failed"]
    assert 1 <= len(failed) < 20
    assert all(why.startswith("failed twice") and reason in why for why in failed.values())
    dataset = read_dataset(tmp_path / "run" / "data.h5")
    assert failed.items() <= dataset.failures.items()
    assert not {name.split(".")[0] for name in dataset.name} & set(failed)


def test_a_missing_atom_ends_the_loop_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(Path(__file__).parent)
    config = read_config(written(tmp_path, ONE_LOOP.replace('"emt"', '"test_meta_loop_failures:NoAtom"')))
    for _ in range(2):  # and again, for it is tried again
        with pytest.raises(HEAError, match=r"isolated atom of Cu.*spin did not converge"):
            run_loop(config, tmp_path / "run")
    assert ledger_of(tmp_path / "run") == []


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a run with room enough."""
    folder = tmp_path_factory.mktemp("unbroken")
    run_loop(read_config(written(folder, ONE_LOOP)), folder / "run")
    return folder / "run"


@pytest.mark.parametrize("size", [500, 5_000, 20_000])  # loop.json, the ledger or data, data or models
def test_a_full_disk_ends_the_loop_with_a_message_and_it_goes_on(unbroken: Path, tmp_path: Path, size: int) -> None:
    config, run = read_config(written(tmp_path, ONE_LOOP)), tmp_path / "run"
    with small_disk(size), pytest.raises(HEAError, match="cannot"):
        run_loop(config, run)
    before = ledger_of(run)
    assert not [path for path in run.rglob(".*") if path.is_file()]  # nothing half-written
    run_loop(config, run)
    assert ledger_of(run)[: len(before)] == before
    assert ledger_of(run) == ledger_of(unbroken)


def test_a_reference_that_is_edited_while_the_loop_runs_ends_it(tmp_path: Path) -> None:
    pair = tmp_path / "pair.lmp"
    pair.write_text("pair_style lj/cut 8.0\npair_coeff * * 0.4 2.3\n")

    class Editor(Watcher):
        """Edits the pair file when the first step begins."""

        def begins(self, step: Step, number: int, total: int) -> None:
            pair.write_text(pair.read_text().replace("0.4", "0.8"))

    config = read_config(written(tmp_path, ONE_LOOP.replace('"emt"', f'"lammps:{pair}"')))
    with pytest.raises(LoopFolderError, match=r"has changed since the loop .* began \(it differs in reference.lines\)"):
        run_loop(config, tmp_path / "run", Editor())
    assert ledger_of(tmp_path / "run") == []


def test_a_folder_is_for_one_run_at_a_time(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "run")
    try:
        with pytest.raises(LoopFolderError, match="another loop is running in it"):
            run_loop(read_config(written(tmp_path, ONE_LOOP)), tmp_path / "run")
    finally:
        ledger.close()
