"""Reference methods by name, and labelling: failures, refusals, relaxations, kill and resume."""

import importlib.util
import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from ase import Atoms
from ase.build import bulk
from ase.calculators.calculator import Calculator, all_changes
from ase.calculators.emt import EMT
from ase.cluster import Icosahedron
from ase.io import write

from hea_potential.dataset import read_dataset
from hea_potential.errors import HEAError, InputError, MissingPackageError
from hea_potential.labels import label, label_structures, labelled_steps
from hea_potential.reference import reference_method


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


class Fatal(Calculator):
    """Ends its process, as a crash of a compiled reference does."""

    implemented_properties = ("energy", "forces")

    def calculate(self, atoms=None, properties=("energy",), system_changes=all_changes):
        os._exit(1)


def test_emt_is_ase_s_emt_and_says_so():
    method = reference_method("emt")
    assert isinstance(method.calculator(), EMT)
    assert method.provenance["method"] == "emt"
    assert {"python", "numpy", "ase"} <= set(method.provenance["packages"])


def test_any_importable_calculator_is_a_reference():
    method = reference_method("ase.calculators.lj:LennardJones")
    assert type(method.calculator()).__name__ == "LennardJones"
    assert method.provenance["method"] == "ase.calculators.lj:LennardJones"


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("vasp", "unknown reference method 'vasp'; allowed are emt, sevennet and module:callable"),
        ("absent_module:calc", "cannot import absent_module"),
        ("ase.calculators.emt:absent", "has no callable absent"),
        ("ase.calculators.emt:parameters", "cannot be called"),
    ],
)
def test_unknown_references_are_refused_with_what_is_allowed(name: str, message: str):
    with pytest.raises(InputError, match=message):
        reference_method(name)


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
    dataset = label_structures(made, tmp_path / "set.h5", "test_reference:Unreliable")
    assert sorted(dataset.name) == ["Cu2", "Pt2"]
    assert dataset.failures["Pd2"] == "failed twice: RuntimeError: did not converge"
    assert "forces must be finite" in dataset.failures["Ag2"]
    again = label_structures(made, tmp_path / "set.h5", "test_reference:Unreliable")
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


def test_a_process_that_dies_is_one_clear_error(tmp_path):
    with pytest.raises(HEAError, match="a labelling process died"):
        label_structures(structures(2), tmp_path / "set.h5", "test_reference:Fatal")


SLOW_EMT = """
import time
from ase.calculators.emt import EMT

class SlowEMT(EMT):
    def calculate(self, *arguments, **named):
        time.sleep(0.02)
        super().calculate(*arguments, **named)
"""


def test_killed_and_started_again_it_goes_on_and_ends_with_the_same_data(tmp_path):
    """Kill the command after its first checkpoint; what was saved is not labelled again."""
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
    while not (tmp_path / "set.h5").exists() and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(running.pid, signal.SIGKILL)
    running.wait()
    part = read_dataset(tmp_path / "set.h5")
    assert 0 < len(part) < 60
    subprocess.run(command, cwd=tmp_path, env=environment, check=True, capture_output=True, timeout=120)
    whole = read_dataset(tmp_path / "set.h5")
    assert sorted(whole.name, key=lambda name: int(name[1:])) == [f"s{k}" for k in range(60)]
    np.testing.assert_array_equal(whole.name[: len(part)], part.name)
    uninterrupted = label_structures(structures(60), tmp_path / "other.h5", "emt")
    assert whole.sha256() == uninterrupted.sha256()


def test_a_reference_that_is_not_installed_says_what_to_install(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match=r"pip install 'hea-potential\[reference\]'"):
        reference_method("sevennet")
