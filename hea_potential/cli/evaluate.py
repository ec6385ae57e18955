"""`hea eval`: energies, forces and uncertainties of structures."""

from __future__ import annotations

import json
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from ase import Atoms

MOST_ROWS = 60  # of the printed table; the output file holds all structures


def evaluate(
    file: Annotated[Path, typer.Argument(help="Structures, in any format that ASE reads.")],
    *,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Write structures and results here: .extxyz, .traj, .db or .json."),
    ] = None,
    model: Annotated[str, typer.Option("--model", "-m", help="Shipped model or model file.")] = "hea6",
    kappa: Annotated[float, typer.Option(help="Evaluate E - kappa sigma.")] = 0.0,
    precision: Annotated[Literal["double", "single"], typer.Option(help="Arithmetic.")] = "double",
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each structure instead.")] = False,
) -> None:
    """Compute energies, forces and uncertainties of the structures in a file.

    Prints a line per structure. With an output file the structures are written with their energies, forces and stresses
    (eV, Angstrom), and with the estimated error of the energy as `energy_std`, in their information or, in .db and
    .json, beside them. In JSON, energies are in eV, `largest_force` on an atom is in eV/Angstrom, and `largest_stress`,
    a component of structures that are periodic in three directions, in eV/Angstrom^3.

    Example:
        hea eval clusters.extxyz
        hea eval slabs.traj --output slabs_hea6.extxyz
        hea eval clusters.extxyz --json | jq .energy_per_atom
    """
    from rich.console import Console
    from rich.progress import track

    from hea_potential import HEACalculator
    from hea_potential.cli.structure_files import read_structures, results_of, structure_output, with_results
    from hea_potential.cli.tables import uncut_table
    from hea_potential.console import console
    from hea_potential.errors import InputError

    frames = read_structures(file)
    calculator = HEACalculator(model, kappa=kappa, precision=precision)
    titles = ("structure", "formula", "E, eV", "E/atom, eV", "largest\nforce, eV/A", "sigma/atom,\nmeV")
    table = uncut_table(*titles, folds="formula")
    nowhere: nullcontext[list[Atoms]] = nullcontext([])
    with structure_output(output, frames, results=True) if output else nowhere as written:
        messages = Console(stderr=True)
        shown = track(frames, "evaluating", console=messages, transient=True, disable=not messages.is_terminal)
        for number, atoms in enumerate(shown):
            try:
                written.append(with_results(atoms, calculator))
            except InputError as error:
                raise InputError(f"structure {number} of {file}: {error}") from error
            line = {"structure": number, **results_of(written[-1])}
            if as_json:
                typer.echo(json.dumps(line))
            elif number < MOST_ROWS:
                table.add_row(*row_of(line))
    if as_json:
        return
    page = console()
    page.print(table)
    if len(frames) > MOST_ROWS:
        page.print(f"and {len(frames) - MOST_ROWS} more structures")


def row_of(line: dict[str, Any]) -> list[str]:
    """A structure's results as a row of the table."""
    sigma = line["energy_std"]
    return [
        str(line["structure"]),
        line["formula"],
        f"{line['energy']:.6f}",
        f"{line['energy_per_atom']:.6f}",
        f"{line['largest_force']:.4f}",
        "-" if sigma is None else f"{1000 * sigma / line['atoms']:.2f}",
    ]
