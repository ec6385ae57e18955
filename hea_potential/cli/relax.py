"""`hea relax`: structures to their nearest minima."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from ase import Atoms
    from rich.progress import Progress


def relax(
    file: Annotated[Path, typer.Argument(help="Structures, in any format that ASE reads.")],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Write the relaxed structures here; .extxyz, .traj, .db and .json hold energies and forces, too.",
        ),
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="Shipped model or model file.")] = "hea6",
    fmax: Annotated[
        float, typer.Option(min=1e-9, help="Largest force on an atom of a relaxed structure, eV/Angstrom.")
    ] = 0.01,
    steps: Annotated[int, typer.Option(min=1, help="Most steps for a structure.")] = 1000,
    cell: Annotated[
        bool,
        typer.Option(
            "--cell",
            help="Relax the cell too (periodic in three directions), until stress times volume is --fmax eV an atom.",
        ),
    ] = False,
    kappa: Annotated[float, typer.Option(help="Relax in E - kappa sigma.")] = 0.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each structure instead.")] = False,
) -> None:
    """Relax the atoms, and with --cell the cell, of every structure in a file (FIRE).

    Ends with exit code 1 if a structure is not relaxed after --steps; it is written all the same. In JSON, energies are
    in eV, `largest_force` on an atom is in eV/Angstrom, and `largest_stress`, a component of structures that are
    periodic in three directions, in eV/Angstrom^3.

    Example:
        hea relax cluster.xyz -o relaxed.extxyz
        hea relax alloy.cif -o alloy_relaxed.extxyz --cell --fmax 0.001
    """
    from rich.console import Console

    from hea_potential import HEACalculator
    from hea_potential.cli.bars import progress_bars
    from hea_potential.cli.structure_files import read_structures, results_of, structure_output, with_results
    from hea_potential.cli.tables import uncut_table
    from hea_potential.console import console
    from hea_potential.errors import InputError

    frames = read_structures(file)
    calculator = HEACalculator(model, kappa=kappa)
    titles = ("structure", "formula", "E before,\neV", "E after,\neV", "largest\nforce, eV/A")
    stress = ("largest\nstress, eV/A^3",) if cell else ()
    table = uncut_table(*titles, *stress, "steps", "relaxed", folds="formula")
    messages = Console(stderr=True)
    all_relaxed = True
    with (
        structure_output(output, frames, results=False) as written,
        progress_bars(messages, transient=True) as progress,
    ):
        for number, atoms in enumerate(frames):
            if cell and not atoms.pbc.all():
                raise InputError(
                    f"--cell: got pbc {atoms.pbc.tolist()} in structure {number}; allowed is periodic in three"
                )
            try:
                atoms.calc = calculator
                before = atoms.get_potential_energy()
                title = f"{number + 1} of {len(frames)}"
                relaxed, taken = relaxation(atoms, fmax=fmax, steps=steps, cell=cell, progress=progress, title=title)
            except InputError as error:
                raise InputError(f"structure {number} of {file}: {error}") from error
            written.append(with_results(atoms, calculator))
            how = {"energy_before": before, "steps": taken, "relaxed": relaxed}
            line = {"structure": number, **results_of(written[-1]), **how}
            if as_json:
                typer.echo(json.dumps(line))
            else:
                table.add_row(*row_of(line, cell=cell))
            all_relaxed &= relaxed
    if not as_json:
        console().print(table)
    if not all_relaxed:
        typer.echo(f"hea: not every structure was relaxed to {fmax} eV/A in {steps} steps", err=True)
        raise typer.Exit(1)


def row_of(line: dict[str, Any], *, cell: bool) -> list[str]:
    """What became of a structure, and of its cell, as a row of the table."""
    return [
        str(line["structure"]),
        line["formula"],
        f"{line['energy_before']:.4f}",
        f"{line['energy']:.4f}",
        f"{line['largest_force']:.4f}",
        *([f"{line['largest_stress']:.5f}"] if cell else []),
        str(line["steps"]),
        "yes" if line["relaxed"] else "no",
    ]


def relaxation(
    atoms: Atoms, *, fmax: float, steps: int, cell: bool, progress: Progress, title: str
) -> tuple[bool, int]:
    """Relax in place; return whether it converged, atoms and cell, and the steps taken."""
    from ase.filters import FrechetCellFilter
    from ase.optimize import FIRE
    from numpy.linalg import norm

    moving = FrechetCellFilter(atoms) if cell else atoms
    task = progress.add_task(title, total=steps)
    force = float(norm(moving.get_forces(), axis=1).max())
    optimiser = FIRE(moving, logfile=None, downhill_check=True)
    for _ in optimiser.irun(fmax=fmax, steps=steps):
        force = float(norm(moving.get_forces(), axis=1).max())
        energy = atoms.get_potential_energy()
        progress.update(task, completed=optimiser.nsteps, description=f"{title}: {energy:.4f} eV, {force:.4f} eV/A")
    progress.remove_task(task)
    return force <= fmax, optimiser.nsteps
