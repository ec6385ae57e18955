"""Saddles among the lowest minima of a search: found by their curvature and where they lead, and left out."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import NamedTuple

import ase.io
import numpy as np
import pytest
from ase import Atoms
from ase.calculators.calculator import Calculator
from ase.calculators.lj import LennardJones
from rich.console import Console
from search_runs import MPIRUN, TIME_LIMIT, check_database, found, hea

from hea_potential import HEACalculator
from hea_potential.errors import InputError
from hea_potential.model_file import find_model
from hea_potential.report.search_folder import read_search
from hea_potential.report.search_report import search_report
from hea_potential.search import Archive, search
from hea_potential.search.composition import Composition
from hea_potential.search.geometry import Cluster, Floats
from hea_potential.search.journal import RunFolderError
from hea_potential.search.minimise import Limits, Minimiser
from hea_potential.search.moves import MOVES, Move
from hea_potential.search.pair import Pair
from hea_potential.search.saddles import MOST_ATOMS, Check, check_lowest, hessian, softest
from hea_potential.search.series import members_of, report_series
from hea_potential.search.starts import STARTS
from hea_potential.search.state import Run
from hea_potential.search.summary import illustrate, report

LJ = Pair(("pair_style lj/cut 30.0", "pair_coeff * * 1.0 1.0"), units="lj")
BOND = 2.0 ** (1.0 / 6.0)
DISTANCE = 1e-3  # of the oracles' displacements: sigma, or Angstrom
CLEARLY = 0.02  # eV/A^2, a thousandth of the stiffest curvature


class Finished(NamedTuple):
    """A search of Cu13 with hea6 whose minima were checked in a second call, and its files before that."""

    run: Run
    journal: bytes
    rows: list[str]
    lowest: bytes

    @property
    def archive(self) -> Archive:
        return self.run.archive


def decahedron(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    """Three atoms on an axis and two rings of five that face each other: D5h, a saddle of thirteen copper atoms."""
    angles = 0.4 * np.pi * np.arange(5)
    rings = [[0.85 * np.cos(angle), 0.85 * np.sin(angle), z] for z in (-0.5, 0.5) for angle in angles]
    places = np.array([*rings, *([0.0, 0.0, z] for z in (-1.0, 0.0, 1.0))])
    return Cluster(composition.types, bonds[0, 0] * rng.uniform(0.98, 1.02) * places)


@pytest.fixture(scope="module")
def copper(tmp_path_factory: pytest.TempPathFactory) -> Finished:
    folder, runs = tmp_path_factory.mktemp("Cu13"), list[Run]()
    plan = {"budget": 200, "seed": 1, "out": folder, "starts": {"random": STARTS["random"], "decahedron": decahedron}}
    search("Cu13", confirm=0, **plan)
    journal, lowest = ((folder / name).read_bytes() for name in ("journal.jsonl", "lowest.extxyz"))
    rows = rows_of(folder)
    search("Cu13", observers=[runs.append], **plan)
    return Finished(runs[-1], journal, rows, lowest)


def rows_of(folder: Path) -> list[str]:
    """All that a database holds."""
    with closing(sqlite3.connect(folder / "minima.db")) as connection:
        return list(connection.iterdump())


def curvatures_of_energies(atoms: Atoms) -> Floats:
    """Second derivatives of a calculator's energy, (3n, 3n), from energies alone."""

    def energy(*steps: tuple[int, float]) -> float:
        moved = atoms.positions.copy()
        for coordinate, step in steps:
            moved.flat[coordinate] += step
        displaced = Atoms(atoms.numbers, positions=moved, calculator=atoms.calc)
        return displaced.get_potential_energy()

    size, d = atoms.positions.size, 4 * DISTANCE
    found = np.zeros((size, size))
    for i in range(size):
        for j in range(i + 1):
            corners = [a * b * energy((i, a * d), (j, b * d)) for a in (1, -1) for b in (1, -1)]
            found[i, j] = found[j, i] = sum(corners) / (4 * d * d)
    return found


def curvatures_of_forces(positions: Floats, symbols: str, calculator: Calculator) -> Floats:
    """The vibrations' curvatures, lowest first, by a calculator's forces."""
    found = []
    for coordinate in range(positions.size):
        pushed = []
        for step in (DISTANCE, -DISTANCE):
            moved = positions.copy()
            moved.flat[coordinate] += step
            pushed.append(Atoms(symbols, positions=moved, calculator=calculator).get_forces().ravel())
        found.append((pushed[1] - pushed[0]) / (2 * DISTANCE))
    return vibrations(np.array(found), 6)


def vibrations(matrix: Floats, others: int) -> Floats:
    """Eigenvalues but those nearest to zero, which are translations and rotations."""
    values = np.linalg.eigvalsh(0.5 * (matrix + matrix.T))
    return np.sort(values[np.argsort(np.abs(values), kind="stable")[others:]])


@pytest.mark.parametrize(
    ("places", "others"),
    [
        (np.array([[k, 0, 0] for k in (-1, 0, 1)]), 5),  # a line: no rotation about it
        (np.array([[0, 0, 0], [1, 0, 0], [0.5, 0.866, 0], [1.5, 0.866, 0]]), 6),  # a rhombus: it folds to a tetrahedron
        (np.array([*[[0.85 * np.cos(a), 0.85 * np.sin(a), 0] for a in 0.4 * np.pi * np.arange(5)],
                   [0, 0, 0.5], [0, 0, -0.5]]), 6),  # a bipyramid, the lowest of seven
    ],
)  # fmt: skip
def test_the_softest_direction_is_that_of_an_independent_hessian(places: Floats, others: int) -> None:
    size = len(places)
    minimiser = Minimiser(Composition(("Ar",), (size,)), LJ, np.array([[BOND]]), Limits(1e-5))
    relaxed = minimiser(Cluster(np.zeros(size, np.int32), BOND * places)).cluster.positions
    curvature, stiffest, direction = softest(hessian(minimiser, relaxed), relaxed)
    minimiser.close()
    atoms = Atoms(f"Ar{size}", positions=relaxed, calculator=LennardJones(rc=30.0))
    oracle = curvatures_of_energies(atoms)
    values = vibrations(oracle, others)
    assert len(values) == 3 * size - others
    assert (values[0] < 0.0) == (size < 7)
    assert curvature == pytest.approx(values[0], rel=2e-3, abs=1e-3 * values[-1])
    assert stiffest == pytest.approx(values[-1], rel=2e-3)
    assert np.linalg.norm(direction) == pytest.approx(1.0)
    assert direction.ravel() @ oracle @ direction.ravel() == pytest.approx(values[0], rel=2e-3, abs=1e-3 * values[-1])
    assert direction.sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)
    assert np.cross(relaxed - relaxed.mean(axis=0), direction).sum(axis=0) == pytest.approx(np.zeros(3), abs=1e-6)


def test_the_lowest_of_copper_are_minima_and_what_is_left_out_are_saddles(copper: Finished) -> None:
    archive, check = copper.archive, copper.run.check
    calculator = HEACalculator("hea6", precision="double")
    lowest = [curvatures_of_forces(m.cluster.positions, "Cu13", calculator)[0] for m in archive.lowest(10)]
    saddles = {m.point_group: curvatures_of_forces(m.cluster.positions, "Cu13", calculator)[0] for m in archive.saddles}
    assert min(lowest) > -CLEARLY
    assert max(saddles.values()) < CLEARLY
    assert saddles["D5h"] == pytest.approx(-0.25, abs=0.02)
    assert archive.best is archive.lowest(1)[0]
    assert archive.best.point_group == "Ih"
    assert all(saddle.falls_to is not None and saddle.falls_to < saddle.energy for saddle in archive.saddles)
    assert all(minimum.falls_to is None for minimum in archive.lowest(10))
    assert len(archive.lowest(1000)) + len(archive.saddles) == len(archive) == len(archive.minima)
    assert check is not None
    assert (check.confirmed, check.kept, check.left_out, check.ended_by) == (10, [], archive.saddles, "")


def test_journal_and_database_are_left_as_they_were(copper: Finished) -> None:
    folder = copper.archive.folder
    assert folder is not None
    assert (folder / "journal.jsonl").read_bytes() == copper.journal
    assert rows_of(folder) == copper.rows
    check_database(folder)
    assert (folder / "lowest.extxyz").read_bytes() != copper.lowest
    for name, minima in (("lowest", copper.archive.lowest(10)), ("saddles", copper.archive.saddles)):
        frames = ase.io.read(folder / f"{name}.extxyz", ":")
        assert [atoms.info["minimum"] for atoms in frames] == [minimum.number for minimum in minima]
        assert [atoms.info.get("falls_to") for atoms in frames] == [minimum.falls_to for minimum in minima]


def printed(write: Callable[[Console], None]) -> str:
    console = Console(width=300, file=(text := StringIO()))
    write(console)
    return text.getvalue()


def test_all_that_show_the_lowest_agree(copper: Finished) -> None:
    run, archive, folder = copper.run, copper.archive, copper.archive.folder
    assert folder is not None
    number = len(archive.saddles)
    text = printed(lambda console: report(run, console))
    assert f"{number} of the {10 + number} lowest are saddles, from which the energy falls, and are left out" in text
    shown = [f"{minimum.energy:.6f}" for minimum in archive.lowest(10)]
    assert [energy in text for energy in shown] == [True] * 10
    assert not any(f"{saddle.energy:.6f}" in text for saddle in archive.saddles)
    held = read_search(folder)
    assert [found.number for found in held.minima[:10]] == [minimum.number for minimum in archive.lowest(10)]
    assert [found.number for found in held.left_out] == [saddle.number for saddle in archive.saddles]
    assert f"Left out are saddles, from which the energy falls: {number}." in search_report(folder).remarks
    illustrate(run)  # a page that an earlier call has made without a check is made again
    (folder / "view.html").write_text("of an earlier call")
    illustrate(run)
    page = (folder / "view.html").read_text()
    assert all(energy in page for energy in shown)
    assert f"saddles, from which the energy falls, that are left out: {number}" in printed(
        lambda console: report_series(folder, members_of([run]), console)
    )


def test_a_report_says_that_the_file_of_saddles_is_damaged(copper: Finished, tmp_path: Path) -> None:
    assert copper.archive.folder is not None
    shutil.copytree(copper.archive.folder, tmp_path / "run")
    (tmp_path / "run" / "saddles.extxyz").write_text("13\nno structure\n")
    with pytest.raises(RunFolderError, match=r"saddles\.extxyz: cannot be read"):
        read_search(tmp_path / "run")


def test_one_rank_alone_reads_a_search(copper: Finished) -> None:
    """As that of `hea loop` which writes the report: ASE's readers wait for all ranks unless told otherwise,
    once what they send to nobody fills their buffers.
    """
    script = """
import sys
from pathlib import Path
from mpi4py import MPI
from hea_potential.report.search_folder import read_search

if MPI.COMM_WORLD.Get_rank() == 0:
    print(*{len(read_search(Path(sys.argv[1])).left_out) for _ in range(50)})
"""
    command = [MPIRUN, "-n", "2", sys.executable, "-c", script, str(copper.archive.folder)]
    result = subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) == len(copper.archive.saddles) > 0


def test_ranks_agree_on_what_is_left_out(tmp_path: Path) -> None:
    files = []
    for ranks in (0, 2):
        folder = tmp_path / f"{ranks}"
        result = hea("Cu8", "--budget", 80, "--seed", 2, "--out", folder, ranks=ranks)
        assert result.returncode == 0, result.stderr
        assert "from which the energy falls, and " in result.stdout
        assert str(folder / "saddles.extxyz") in result.stdout
        files.append([(folder / name).read_bytes() for name in ("lowest.extxyz", "saddles.extxyz")])
    assert files[0] == files[1]


def test_the_icosahedron_stays_the_lowest_of_thirteen() -> None:
    archive = found(search("Ar13", pair=LJ, budget=150, seed=2))
    assert archive.best is not None
    assert archive.best.energy == pytest.approx(-44.326801, abs=1e-5)
    assert archive.best.falls_to is None


@pytest.mark.parametrize("formula", ["Ar1", "Ar2"])
def test_one_and_two_atoms_are_minima(formula: str) -> None:
    runs: list[Run] = []
    archive = found(search(formula, pair=LJ, budget=10, seed=1, observers=[runs.append]))
    assert runs[-1].check == Check(confirmed=1, calls=12 if formula == "Ar2" else 0)
    assert len(archive.lowest()) == 1


def rhombus(rng: np.random.Generator, composition: Composition, bonds: Floats) -> Cluster:
    corners = np.array([[0.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.5, 0.866, 0.0], [1.5, 0.866, 0.0]])
    return Cluster(composition.types, bonds[0, 0] * rng.uniform(0.98, 1.02) * corners)


def test_a_saddle_that_is_all_that_was_found_stays_and_is_called_one(tmp_path: Path) -> None:
    runs: list[Run] = []
    plan = {"pair": LJ, "budget": 8, "seed": 1, "starts": {"rhombus": rhombus}, "out": tmp_path}
    archive = found(search("Ar4", **plan, observers=[runs.append]))
    (minimum,) = archive.lowest()
    assert archive.saddles == []
    assert minimum.falls_to == pytest.approx(-6.0, abs=1e-4)
    text = printed(lambda console: report(runs[-1], console))
    assert "1 saddle" in text
    assert "off a saddle the energy falls to -6.0000" in text
    assert len(ase.io.read(tmp_path / "lowest.extxyz", ":")) == 1
    assert not (tmp_path / "saddles.extxyz").exists()
    assert [held.energy for held in read_search(tmp_path).kept] == [minimum.energy]


def test_a_model_that_is_gone_in_the_end_loses_nothing(tmp_path: Path) -> None:
    model, runs = tmp_path / "model.safetensors", list[Run]()
    shutil.copy(find_model("hea6"), model)

    def lose(run: Run) -> None:
        runs[:] = [run]
        if run.tally.done == 30:
            model.unlink(missing_ok=True)

    archive = found(search("Cu6", model=model, budget=30, seed=1, out=tmp_path / "run", observers=[lose]))
    check = runs[0].check
    assert check is not None
    assert (check.confirmed, archive.saddles) == (0, [])
    assert "model.safetensors" in check.ended_by
    shown = len(archive.lowest())
    assert len(ase.io.read(tmp_path / "run" / "lowest.extxyz", ":")) == shown > 1
    text = printed(lambda console: report(runs[0], console))
    assert f"{shown} of the {shown} are not checked for being saddles: " in text


def three_seconds(rng: np.random.Generator, parents: Sequence[Cluster], bonds: Floats) -> Cluster:
    """A rattle that takes so long."""
    time.sleep(3.0)
    return MOVES["rattle"].apply(rng, parents, bonds)


def test_a_long_last_task_leaves_time_for_the_check() -> None:
    runs: list[Run] = []
    search("Ar7", pair=LJ, time=0.3, seed=1, moves={"long": Move(three_seconds)}, observers=[runs.append])
    assert runs[-1].check is not None
    assert runs[-1].check.ended_by != "the time is up"


def test_time_force_calls_and_size_limit_the_check() -> None:
    runs: list[Run] = []
    archive = found(search("Ar7", pair=LJ, budget=40, seed=1, confirm=0, observers=[runs.append]))
    assert runs[-1].check is None
    setup = runs[-1].setup
    check_lowest(archive, setup, check := Check(), 10, 10_000, lambda: False)
    assert check == Check(ended_by="the time is up")
    check_lowest(archive, setup, check := Check(), 10, 41, lambda: True)
    assert check == Check(ended_by="it would take more force calls than the search")
    check_lowest(archive, setup, check := Check(), 1, 42, lambda: True)
    assert check == Check(confirmed=1, calls=42)
    large = replace(setup, composition=Composition(("Ar",), (MOST_ATOMS + 1,)))
    check_lowest(archive, large, check := Check(), 10, 10_000, lambda: True)
    assert check == Check(ended_by="they have more than 500 atoms")
    assert archive.saddles == []
    with pytest.raises(InputError, match="-1 minima to confirm"):
        search("Ar7", pair=LJ, budget=1, confirm=-1)
