"""Who labels: the same data whoever does it, and dying workers."""

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import replace
from multiprocessing import get_context
from pathlib import Path

import pytest
from ase import Atoms
from ase.calculators.emt import EMT
from unreliable_references import dimers, structures

from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError
from hea_potential.label_one import Outcome, label
from hea_potential.label_queue import Queue, Work
from hea_potential.label_workers import InProcess, Processes, label_task
from hea_potential.labels import label_structures
from hea_potential.reference import hash_of_file

HERE = Path(__file__).parent


def test_one_or_two_processes_give_the_same_data(tmp_path):
    one = label_structures(structures(10), tmp_path / "one.h5", "emt", processes=1)
    two = label_structures(structures(10), tmp_path / "two.h5", "emt", processes=2)
    assert one.sha256() == two.sha256()


def test_a_structure_that_kills_its_process_is_given_up_and_the_others_are_labelled(tmp_path):
    """Two processes: a neighbour in the same pool loses its work too, and is labelled later."""
    dataset = label_structures(dimers(8), tmp_path / "set.h5", "unreliable_references:Deadly", processes=2)
    assert sorted(dataset.name) == ["d0", "d4", "d5"]
    assert dataset.failures["d2"] == dataset.failures["d7"] == "failed twice: its labelling process died"
    assert sorted(dataset.failures) == ["d1", "d2", "d3", "d6", "d7"]


def test_structures_of_a_task_that_killed_its_process_are_labelled_but_for_the_one_that_did(tmp_path):
    """One process, so that a task has several structures."""
    dataset = label_structures(dimers(40), tmp_path / "set.h5", "unreliable_references:DeadlyAt32")
    assert dataset.failures == {"d32": "failed twice: its labelling process died"}
    assert set(dataset.name) == {f"d{k}" for k in range(40) if k != 32}


def test_a_reference_that_kills_every_process_is_one_clear_error(tmp_path):
    with pytest.raises(HEAError, match="3 labelling processes died, and none gave a label"):
        label_structures(dimers(5), tmp_path / "set.h5", "unreliable_references:Fatal")


def test_a_reference_that_cannot_be_built_is_one_clear_error(tmp_path):
    with pytest.raises(HEAError, match="'unreliable_references:unusable' cannot be used: RuntimeError: no weights"):
        label_structures(dimers(3), tmp_path / "set.h5", "unreliable_references:unusable", processes=0)


def test_a_dead_worker_of_another_executor_is_one_clear_error(tmp_path):
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as executor,
        pytest.raises(HEAError, match="a labelling process died; what was labelled is kept"),
    ):
        label_structures(dimers(3), tmp_path / "set.h5", "unreliable_references:Deadly", executor=executor)


def test_any_executor_labels(tmp_path):
    """Threads, processes kept from call to call, the calling process: the same data."""
    hashes = set()
    with Processes(1) as kept, ThreadPoolExecutor(1) as threads:
        for number, executor in enumerate((kept, kept, threads)):
            file = tmp_path / f"{number}.h5"
            hashes.add(label_structures(structures(6), file, "emt", executor=executor).sha256())
    hashes.add(label_structures(structures(6), tmp_path / "here.h5", "emt", processes=0).sha256())
    assert len(hashes) == 1


def test_a_pair_file_that_was_edited_is_read_again(tmp_path):
    """By the same executors: the calling process and a process that is kept."""
    file = tmp_path / "pair.lmp"
    with Processes(1) as kept:
        for name, executor in (("here", InProcess()), ("kept", kept)):
            energies = []
            for epsilon in (0.4, 0.8):
                file.write_text(f"pair_style lj/cut 8.0\npair_coeff * * {epsilon} 2.3\n")
                output = tmp_path / f"{name}{epsilon}.h5"
                energies.append(label_structures(dimers(1), output, f"lammps:{file}", executor=executor).energy[0])
            assert energies[1] == pytest.approx(2.0 * energies[0], rel=1e-6)


def test_a_reference_whose_file_changes_while_it_labels_is_one_clear_error(tmp_path):
    file = tmp_path / "pair.lmp"
    file.write_text("pair_style lj/cut 8.0\npair_coeff * * 0.4 2.3\n")
    before = hash_of_file(f"lammps:{file}")
    file.write_text("pair_style lj/cut 8.0\npair_coeff * * 0.8 2.3\n")
    with pytest.raises(HEAError, match="its file has changed since the labelling began"):
        label_task(f"lammps:{file}", before, [(dimers(1)[0], "d0")])


LABEL_BY_MPI = """
from mpi4py.futures import MPICommExecutor
from mpi4py import MPI
from pathlib import Path
from unreliable_references import dimers
from hea_potential.labels import label_structures

with MPICommExecutor(MPI.COMM_WORLD, root=0) as executor:
    if executor is not None:
        label_structures(
            dimers(40), Path("set.h5"), "unreliable_references:Careless", executor=executor, workers=2, helps=True
        )
"""


def test_the_ranks_of_mpirun_label(tmp_path):
    (tmp_path / "run.py").write_text(LABEL_BY_MPI)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), os.environ.get("PYTHONPATH", "")])}
    command = ["mpirun", "-n", "3", sys.executable, "run.py"]
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    alone = label_structures(dimers(40), tmp_path / "alone.h5", "unreliable_references:Careless", processes=0)
    together = read_dataset(tmp_path / "set.h5")
    assert together.sha256() == alone.sha256()
    assert together.failures == alone.failures


def queue_that_knows(seconds: float, works: list[Work], most: int) -> Queue:
    """A queue to which a label of a resting dimer of copper took so many seconds."""
    queue = Queue(works, most)
    dimer = dimers(1)[0]
    queue.learn((dimer, "d0"), replace(label(dimer, "d0", EMT()), seconds=seconds))
    return queue


def sizes(queue: Queue) -> list[int]:
    """Numbers of structures of the tasks, handed out one by one to the end."""
    return [len(queue.task()) for _ in iter(lambda: bool(queue), False)]


def works(count: int, relax: int = 0) -> list[Work]:
    return [(Atoms("Cu2", info={"relax": relax}), f"w{k}") for k in range(count)]


def test_structures_of_unknown_cost_are_handed_out_one_by_one():
    queue = Queue(works(100), most=6)
    assert [len(task) for task in queue.tasks(running=1)] == [1] * 5
    assert queue.task_of_manager() == []


def test_a_task_takes_a_tenth_of_a_second():
    assert queue_that_knows(0.011, works(100), most=3).task() == works(100)[:9]
    assert len(queue_that_knows(0.011, works(100, relax=1), most=3).task()) == 4
    assert len(queue_that_knows(0.2, works(100), most=3).task()) == 1


def test_tasks_become_smaller_so_that_all_workers_end_together():
    handed_out = sizes(queue_that_knows(1e-6, works(100), most=12))
    assert sum(handed_out) == 100
    assert handed_out[0] == 8  # of a hundred structures and twelve tasks at a time
    assert handed_out == sorted(handed_out, reverse=True)
    assert handed_out[-12:] == [1] * 12


def test_the_manager_labels_what_is_cheap_and_leaves_what_is_not_to_the_workers():
    assert len(queue_that_knows(0.011, works(100), most=3).task_of_manager()) == 9
    assert queue_that_knows(60.0, works(100), most=3).task_of_manager() == []


def test_failures_say_nothing_of_the_cost():
    queue = Queue(works(100), most=3)
    queue.learn(works(1)[0], Outcome("w0", reason="did not converge", again=True, seconds=1e-6))
    assert len(queue.task()) == 1
