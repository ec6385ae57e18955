"""Labelling: failures, refusals, relaxations, dying workers, a full disk, kill and resume."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron
from ase.io import write

from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError, InputError, OutputError
from hea_potential.label_one import label, labelled_steps
from hea_potential.label_workers import Processes
from hea_potential.labels import label_structures

HERE = Path(__file__).parent


def structures(count: int) -> list[Atoms]:
    rng = np.random.default_rng(4)
    made = []
    for k in range(count):
        atoms = bulk("Cu", cubic=True) if k % 2 else Atoms("AuAg", positions=[[0, 0, 0], [0, 0, 2.6]])
        atoms.positions = np.round(atoms.positions + rng.normal(0.0, 0.03, atoms.positions.shape), 6)
        atoms.info = {"name": f"s{k}", "kind": "test", "group": f"g{k // 2}"}
        made.append(atoms)
    return made


class Unreliable(Calculator):
    """NaN forces for silver, an exception for palladium, an exception the first time for platinum, EMT for the rest."""

    implemented_properties = ("energy", "forces", "stress")
    failures = 0

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        if "Pd" in atoms.symbols:
            raise RuntimeError("did not converge")
        if "Pt" in atoms.symbols and Unreliable.failures == 0:
            Unreliable.failures += 1
            raise RuntimeError("the first time is the hardest")
        plain = atoms.copy()
        plain.calc = EMT()
        self.results = {"energy": plain.get_potential_energy(), "forces": plain.get_forces()}
        if "Ag" in atoms.symbols:
            self.results["forces"][0, 0] = np.nan


class Careless(Calculator):
    """EMT, but of five structures, told apart by the first atom's x, one raises and one gives NaN."""

    implemented_properties = ("energy", "forces")
    fatal = False

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        super().calculate(atoms, properties, system_changes)
        place = round(atoms.positions[0, 0]) % 5
        if place == 1:
            raise RuntimeError("did not converge")
        if place == 2 and self.fatal:
            os._exit(1)
        plain = atoms.copy()
        plain.calc = EMT()
        self.results = {"energy": plain.get_potential_energy(), "forces": plain.get_forces()}
        if place == 3:
            self.results["energy"] = np.nan


class Deadly(Careless):
    """Besides, one structure in five ends its process, as a crash of a compiled reference does."""

    fatal = True


class Fatal(Calculator):
    """Ends its process whatever the structure."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        os._exit(1)


def unusable():
    raise RuntimeError("no weights")


def test_labels_are_those_of_the_calculator(tmp_path):
    made = structures(6)
    dataset = label_structures(made, tmp_path / "set.h5", "emt", provenance={"seed": 4})
    assert dataset.provenance["seed"] == 4
    assert sorted(dataset.name) == [f"s{k}" for k in range(6)]
    for k in range(6):
        stored = dataset.atoms(k)
        stored.calc = EMT()
        assert dataset.energy[k] == pytest.approx(stored.get_potential_energy(), abs=1e-6)
        np.testing.assert_allclose(dataset.atoms(k).get_forces(), stored.get_forces(), atol=1e-5)
    assert read_dataset(tmp_path / "set.h5").sha256() == dataset.sha256()


def test_one_or_two_processes_give_the_same_data(tmp_path):
    one = label_structures(structures(10), tmp_path / "one.h5", "emt", processes=1)
    two = label_structures(structures(10), tmp_path / "two.h5", "emt", processes=2)
    assert one.sha256() == two.sha256()


def test_failures_are_kept_with_their_reason_and_tried_twice(tmp_path):
    made = [
        Atoms(symbols, positions=[[0, 0, 0], [0, 0, 2.5]], info={"name": symbols}) for symbols in ("Cu2", "Pd2", "Pt2")
    ]
    made += [Atoms("Ag2", positions=[[0, 0, 0], [0, 0, 2.6]], info={"name": "Ag2"})]
    dataset = label_structures(made, tmp_path / "set.h5", "test_labels:Unreliable")
    assert sorted(dataset.name) == ["Cu2", "Pt2"]
    assert dataset.failures["Pd2"] == "failed twice: RuntimeError: did not converge"
    assert "forces must be finite" in dataset.failures["Ag2"]
    again = label_structures(made, tmp_path / "set.h5", "test_labels:Unreliable")
    assert again.sha256() == dataset.sha256()
    assert again.failures == dataset.failures


def test_forces_above_the_limit_are_refused():
    close = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 1.2]], info={"max_force": 5.0})
    outcome = label(close, "close", EMT())
    assert outcome.frames == ()
    assert not outcome.again
    assert "above the allowed 5" in outcome.reason


def test_a_relaxation_is_labelled_along_its_path():
    assert labelled_steps(12) == [0, 1, 2, 4, 6, 9, 12]
    cluster = Icosahedron("Cu", 2)
    cluster.rattle(0.1, seed=1)
    cluster.info = {"relax": 12, "kind": "path", "group": "g"}
    outcome = label(cluster, "c", EMT())
    energies = [frame.energy for frame in outcome.frames]
    assert [frame.name for frame in outcome.frames][:3] == ["c.000", "c.001", "c.002"]
    assert energies[-1] < energies[0] - 0.1
    for frame in outcome.frames:
        np.testing.assert_array_equal(frame.positions, np.round(frame.positions, 6))


def test_names_must_differ_and_have_no_dot(tmp_path):
    same = [Atoms("Cu", info={"name": "a"}), Atoms("Cu", info={"name": "a"})]
    with pytest.raises(InputError, match="'a' twice"):
        label_structures(same, tmp_path / "set.h5", "emt")
    with pytest.raises(InputError, match="must not have a dot"):
        label_structures([Atoms("Cu", info={"name": "a.1"})], tmp_path / "set.h5", "emt")


def test_references_are_not_mixed_in_one_file(tmp_path):
    label_structures(structures(2), tmp_path / "set.h5", "emt")
    with pytest.raises(InputError, match="cannot be mixed"):
        label_structures(structures(4), tmp_path / "set.h5", "ase.calculators.lj:LennardJones")


def dimers(count: int) -> list[Atoms]:
    """Dimers d0, d1, ... whose places tell what Careless does with them."""
    return [Atoms("Cu2", positions=[[k, 0, 0], [k, 0, 2.2 + 0.01 * k]], info={"name": f"d{k}"}) for k in range(count)]


def test_one_structure_in_five_that_raises_and_one_that_gives_nan_cost_only_themselves(tmp_path):
    dataset = label_structures(dimers(20), tmp_path / "set.h5", "test_labels:Careless", processes=0)
    assert sorted(dataset.name, key=lambda name: int(name[1:])) == [f"d{k}" for k in range(20) if k % 5 not in (1, 3)]
    expected = {1: "failed twice: RuntimeError: did not converge", 3: "energy must be finite, got NaN or infinity"}
    assert set(dataset.failures) == {f"d{k}" for k in range(20) if k % 5 in expected}
    for name, reason in dataset.failures.items():
        assert reason.startswith("failed twice: ")
        assert expected[int(name[1:]) % 5] in reason


def test_a_structure_that_kills_its_process_is_given_up_and_the_others_are_labelled(tmp_path):
    """Two processes: a neighbour in the same pool loses its work too, and is labelled later."""
    dataset = label_structures(dimers(8), tmp_path / "set.h5", "test_labels:Deadly", processes=2)
    assert sorted(dataset.name) == ["d0", "d4", "d5"]
    assert dataset.failures["d2"] == dataset.failures["d7"] == "failed twice: its labelling process died"
    assert sorted(dataset.failures) == ["d1", "d2", "d3", "d6", "d7"]


def test_a_reference_that_kills_every_process_is_one_clear_error(tmp_path):
    with pytest.raises(HEAError, match="3 labelling processes died, and none gave a label"):
        label_structures(dimers(5), tmp_path / "set.h5", "test_labels:Fatal")


def test_a_reference_that_cannot_be_built_is_one_clear_error(tmp_path):
    with pytest.raises(HEAError, match="'test_labels:unusable' cannot be used: RuntimeError: no weights"):
        label_structures(dimers(3), tmp_path / "set.h5", "test_labels:unusable", processes=0)


def test_a_dead_worker_of_another_executor_is_one_clear_error(tmp_path):
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor,
        pytest.raises(HEAError, match="a labelling process died; what was labelled is kept"),
    ):
        label_structures(dimers(3), tmp_path / "set.h5", "test_labels:Deadly", executor=executor)


def test_any_executor_labels(tmp_path):
    """Threads, processes kept from call to call, the calling process: the same data."""
    hashes = set()
    with Processes(1) as kept, ThreadPoolExecutor(1) as threads:
        for number, executor in enumerate((kept, kept, threads)):
            file = tmp_path / f"{number}.h5"
            hashes.add(label_structures(structures(6), file, "emt", executor=executor).sha256())
    hashes.add(label_structures(structures(6), tmp_path / "here.h5", "emt", processes=0).sha256())
    assert len(hashes) == 1


LABEL_BY_MPI = """
from mpi4py.futures import MPICommExecutor
from mpi4py import MPI
from pathlib import Path
from test_labels import dimers
from hea_potential.labels import label_structures

with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
    if executor is not None:
        label_structures(dimers(8), Path("set.h5"), "test_labels:Careless", executor=executor, workers=2)
"""


def test_the_ranks_of_mpirun_label(tmp_path):
    (tmp_path / "run.py").write_text(LABEL_BY_MPI)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
    command = ["mpirun", "-n", "3", sys.executable, "run.py"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    alone = label_structures(dimers(8), tmp_path / "alone.h5", "test_labels:Careless", processes=0)
    together = read_dataset(tmp_path / "set.h5")
    assert together.sha256() == alone.sha256()
    assert together.failures == alone.failures


def test_a_full_disk_is_told_and_what_was_written_stays(tmp_path):
    """The kernel refuses files beyond a size, as a full disk does; with room again the same call goes on."""
    file = tmp_path / "set.h5"
    before = label_structures(structures(2), file, "emt", processes=0)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 64, hard))
    try:
        with pytest.raises(OutputError, match="cannot write"):
            label_structures(structures(300), file, "emt", processes=0)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert read_dataset(file).sha256() == before.sha256()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["set.h5"]
    assert len(label_structures(structures(300), file, "emt", processes=0)) == 300


def test_a_folder_that_is_not_there_is_found_out_before_anything_is_calculated(tmp_path):
    with pytest.raises(OutputError, match="cannot write"):
        label_structures(dimers(1), tmp_path / "absent" / "set.h5", "test_labels:Fatal")


def test_frames_on_the_way_may_have_a_kind_of_their_own():
    cluster = Icosahedron("Cu", 2)
    cluster.rattle(0.1, seed=1)
    cluster.info = {"relax": 4, "kind": "found", "path_kind": "path"}
    assert [frame.kind for frame in label(cluster, "c", EMT()).frames] == ["found", "path", "path", "path"]


def test_the_energy_is_the_one_whose_gradient_the_forces_are():
    """Of a calculator with smeared electrons: here EMT, whose `energy` is as if extrapolated to no smearing."""

    class Smeared(EMT):
        def calculate(self, *arguments, **named):
            super().calculate(*arguments, **named)
            self.results["energy"] = self.results["free_energy"] + 0.5

    dimer = dimers(1)[0]
    frame = label(dimer, "d0", Smeared()).frames[0]
    dimer.calc = EMT()
    assert frame.energy == pytest.approx(dimer.get_potential_energy(), abs=1e-6)


SLOW_EMT = """
import time
from ase.calculators.emt import EMT

class SlowEMT(EMT):
    def calculate(self, *arguments, **named):
        time.sleep(0.02)
        super().calculate(*arguments, **named)
"""


def wait_until_gone(group):
    """Wait until a group of processes has none left; an error after half a minute."""
    deadline = time.monotonic() + 30.0
    with contextlib.suppress(ProcessLookupError):
        while time.monotonic() < deadline:
            os.killpg(group, 0)
            time.sleep(0.05)
        os.killpg(group, signal.SIGKILL)
        raise AssertionError("the labelling processes outlive the one that was killed")


def test_killed_and_started_again_it_goes_on_and_ends_with_the_same_data(tmp_path):
    """Kill the command after its first checkpoint: its processes end, and what was saved is not labelled again."""
    (tmp_path / "slow.py").write_text(SLOW_EMT)
    write(tmp_path / "all.extxyz", structures(60), format="extxyz")
    script = (
        "import sys, hea_potential.labels as labels\n"
        "labels.CHECKPOINT_SECONDS = 0.2\n"
        "from hea_potential.cli import main\n"
        "sys.argv = ['hea', 'label', 'all.extxyz', '-o', 'set.h5', '--reference', 'slow:SlowEMT']\n"
        "if __name__ == '__main__':\n"
        "    main()\n"
    )
    (tmp_path / "run.py").write_text(script)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "run.py"]
    running = subprocess.Popen(
        command, cwd=tmp_path, env=environment, start_new_session=True, stderr=subprocess.DEVNULL
    )
    deadline = time.monotonic() + 60.0
    labelled = 0
    while labelled == 0 and time.monotonic() < deadline:
        time.sleep(0.02)
        labelled = len(read_dataset(tmp_path / "set.h5")) if (tmp_path / "set.h5").exists() else 0
    running.kill()
    running.wait()
    wait_until_gone(running.pid)
    part = read_dataset(tmp_path / "set.h5")
    assert 0 < len(part) < 60
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    whole = read_dataset(tmp_path / "set.h5")
    assert sorted(whole.name, key=lambda name: int(name[1:])) == [f"s{k}" for k in range(60)]
    np.testing.assert_array_equal(whole.name[: len(part)], part.name)
    uninterrupted = label_structures(structures(60), tmp_path / "other.h5", "emt")
    assert whole.sha256() == uninterrupted.sha256()
