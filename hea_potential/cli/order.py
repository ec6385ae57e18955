"""`hea order`: which element sits where in clusters of given geometry."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def order(
    file: Annotated[Path, typer.Argument(help="Clusters of two elements or more, in any format that ASE reads.")],
    *,
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            help="Write the ordered clusters here; .extxyz, .traj, .db and .json hold energies and forces, too.",
        ),
    ],
    model: Annotated[str, typer.Option("--model", "-m", help="Shipped model or model file.")] = "hea6",
    descents: Annotated[int, typer.Option(min=1, help="Descents by swaps on every geometry; more find more.")] = 5,
    seed: Annotated[int, typer.Option(min=0, help="Of the random swaps: the same seed finds the same.")] = 0,
    fixed: Annotated[bool, typer.Option("--fixed", help="Relax nothing: all atoms stay where they are.")] = False,
    fmax: Annotated[float, typer.Option(min=1e-9, help="Largest force on a relaxed atom, eV/Angstrom.")] = 0.01,
    as_json: Annotated[bool, typer.Option("--json", help="Print a line of JSON for each structure instead.")] = False,
) -> None:
    """Exchange the elements of every cluster in a file for the ordering of lowest energy that is found.

    Prints what that gains over the given ordering, which is relaxed as well unless --fixed. In JSON, energies are in
    eV, `largest_force` on an atom is in eV/Angstrom, and `exchanged` is how many places have another element.

    Example:
        hea order cluster.xyz -o ordered.extxyz
        hea order shapes.extxyz -o ordered.extxyz --fixed --descents 20
    """
    from rich.console import Console

    from hea_potential import HEACalculator
    from hea_potential.cli.bars import progress_bars
    from hea_potential.cli.structure_files import read_structures, results_of, structure_output, with_results
    from hea_potential.cli.tables import uncut_table
    from hea_potential.console import console
    from hea_potential.errors import InputError
    from hea_potential.search.relaxed_ordering import best_ordering, check_cluster, relaxed

    frames = read_structures(file)
    calculator = HEACalculator(model)
    titles = ("structure", "formula", "E before,\neV", "E after,\neV", "gained,\neV", "exchanged")
    table = uncut_table(*titles, folds="formula")
    with (
        structure_output(output, frames, results=False) as written,
        progress_bars(Console(stderr=True), transient=True) as progress,
    ):
        given = []
        for number, atoms in enumerate(frames):  # a bad one is refused before much is done for others
            try:
                check_cluster(atoms)
                given.append(relaxed(atoms, calculator, None if fixed else fmax))
            except InputError as error:
                raise InputError(f"structure {number} of {file}: {error}") from error
        task = progress.add_task("ordering", total=len(frames))

        def show(energy: float) -> None:
            progress.update(task, description=f"ordering: {energy:.4f} eV")

        for number, atoms in enumerate(frames):
            found = best_ordering(atoms, model, descents=descents, relax=not fixed, fmax=fmax, seed=seed, progress=show)
            progress.advance(task)
            written.append(with_results(found, calculator))
            exchanged = int((found.numbers != atoms.numbers).sum())
            how = {"energy_before": given[number].get_potential_energy(), "exchanged": exchanged}
            line = {"structure": number, **results_of(written[-1]), **how}
            if as_json:
                typer.echo(json.dumps(line))
            else:
                table.add_row(*row_of(line))
    if not as_json:
        console().print(table)


def row_of(line: dict[str, Any]) -> list[str]:
    """What became of a cluster as a row of the table."""
    return [
        str(line["structure"]),
        line["formula"],
        f"{line['energy_before']:.4f}",
        f"{line['energy']:.4f}",
        f"{line['energy_before'] - line['energy']:.4f}",
        str(line["exchanged"]),
    ]
