"""Labelling: failures, refusals, relaxations, a full disk, kill and resume."""

import contextlib
import os
import resource
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import fcc111
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron
from ase.constraints import FixAtoms
from ase.io import write
from unreliable_references import dimers, structures

from hea_potential.dataset import read_dataset
from hea_potential.errors import InputError, OutputError
from hea_potential.label_one import label, labelled_steps
from hea_potential.labels import label_structures


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


def test_failures_are_kept_with_their_reason_and_tried_twice(tmp_path):
    made = [
        Atoms(symbols, positions=[[0, 0, 0], [0, 0, 2.5]], info={"name": symbols}) for symbols in ("Cu2", "Pd2", "Pt2")
    ]
    made += [Atoms("Ag2", positions=[[0, 0, 0], [0, 0, 2.6]], info={"name": "Ag2"})]
    dataset = label_structures(made, tmp_path / "set.h5", "unreliable_references:Unreliable")
    assert sorted(dataset.name) == ["Cu2", "Pt2"]
    assert dataset.failures["Pd2"] == "failed twice: RuntimeError: did not converge"
    assert "forces must be finite" in dataset.failures["Ag2"]
    again = label_structures(made, tmp_path / "set.h5", "unreliable_references:Unreliable")
    assert again.sha256() == dataset.sha256()
    assert again.failures == dataset.failures


def test_forces_above_the_limit_are_refused():
    close = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 1.2]], info={"max_force": 5.0})
    outcome = label(close, "close", EMT())
    assert outcome.frames == ()
    assert not outcome.again
    assert "above the allowed 5" in outcome.reason


@pytest.mark.parametrize("what", ["positions", "cell"])
def test_a_structure_that_is_nowhere_is_refused_without_a_calculation(what):
    atoms = Atoms("Cu2", positions=[[0, 0, 0], [0, 0, 2.5]], cell=[9, 9, 9])
    getattr(atoms, what)[1, 1] = np.nan
    outcome = label(atoms, "nowhere", EMT())
    assert outcome.frames == ()
    assert not outcome.again
    assert outcome.reason == "positions and cell must be finite, got NaN or infinity"


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


@pytest.mark.parametrize("relax", [0, 6])
def test_fixed_atoms_stay_and_are_labelled_with_their_forces(relax):
    slab = fcc111("Cu", (2, 2, 3), vacuum=5.0)
    slab.rattle(0.1, seed=1)
    slab.set_constraint(FixAtoms(mask=slab.get_tags() > 1))
    slab.info = {"relax": relax}
    outcome = label(slab, "slab", EMT())
    assert len(outcome.frames) > relax / 3
    for frame in outcome.frames:
        np.testing.assert_allclose(frame.positions[slab.get_tags() > 1], slab.positions[slab.get_tags() > 1], atol=1e-6)
        plain = Atoms(frame.numbers, positions=frame.positions, cell=frame.cell, pbc=frame.pbc, calculator=EMT())
        np.testing.assert_allclose(frame.forces, plain.get_forces(), atol=1e-5)
        assert np.abs(frame.forces[slab.get_tags() > 1]).max() > 0.1


@pytest.mark.parametrize("relax", [0, 3])
def test_a_second_file_without_names_does_not_pass_for_the_first(tmp_path, relax):
    first, second = (Atoms("Cu2", positions=[[0, 0, 0], [0, 0, r]], info={"relax": relax}) for r in (2.2, 2.4))
    before = label_structures([first], tmp_path / "set.h5", "emt", processes=0)
    for other in (second, Atoms("Ag2", positions=first.positions), Atoms("Cu")):
        with pytest.raises(InputError, match=r"structure '000000' is in .*set.h5 already"):
            label_structures([other], tmp_path / "set.h5", "emt", processes=0)
    assert label_structures([first], tmp_path / "set.h5", "emt", processes=0).sha256() == before.sha256()
    second.info["name"] = "second"
    assert len(label_structures([second], tmp_path / "set.h5", "emt", processes=0)) > len(before)


def test_names_must_differ_and_have_no_dot(tmp_path):
    same = [Atoms("Cu", info={"name": "a"}), Atoms("Cu", info={"name": "a"})]
    with pytest.raises(InputError, match="'a' twice"):
        label_structures(same, tmp_path / "set.h5", "emt")
    with pytest.raises(InputError, match="must not have a dot"):
        label_structures([Atoms("Cu", info={"name": "a.1"})], tmp_path / "set.h5", "emt")


@pytest.mark.parametrize("wish", [{"relax": "much"}, {"relax": -1}, {"relax": 2.5}, {"relax": np.nan}, {"max_force": 0},
                                  {"max_force": np.nan}, {"max_force": "large"}])  # fmt: skip
def test_wishes_that_cannot_be_are_refused_before_anything_is_calculated(tmp_path, wish):
    with pytest.raises(InputError, match=f"structure 'a': {next(iter(wish))} is "):
        label_structures([Atoms("Cu", info={"name": "a", **wish})], tmp_path / "set.h5", "emt")
    assert not (tmp_path / "set.h5").exists()


def test_references_are_not_mixed_in_one_file(tmp_path):
    label_structures(structures(2), tmp_path / "set.h5", "emt")
    with pytest.raises(InputError, match="cannot be mixed"):
        label_structures(structures(4), tmp_path / "set.h5", "ase.calculators.lj:LennardJones")


def test_one_structure_in_five_that_raises_and_one_that_gives_nan_cost_only_themselves(tmp_path):
    dataset = label_structures(dimers(20), tmp_path / "set.h5", "unreliable_references:Careless", processes=0)
    assert sorted(dataset.name, key=lambda name: int(name[1:])) == [f"d{k}" for k in range(20) if k % 5 not in (1, 3)]
    expected = {1: "failed twice: RuntimeError: did not converge", 3: "energy must be finite, got NaN or infinity"}
    assert set(dataset.failures) == {f"d{k}" for k in range(20) if k % 5 in expected}
    for name, reason in dataset.failures.items():
        assert reason.startswith("failed twice: ")
        assert expected[int(name[1:]) % 5] in reason


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
        label_structures(dimers(1), tmp_path / "absent" / "set.h5", "unreliable_references:Fatal")


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
        time.sleep(0.03)
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
