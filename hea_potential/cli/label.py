"""`hea label`: reference energies, forces and stresses for structures, into an HDF5 data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def label(
    structures: Annotated[Path, typer.Argument(help="Structures: any file that ASE reads.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Data set to write, or to add to.")] = Path("labels.h5"),
    reference: Annotated[str, typer.Option(help="Reference method: emt, sevennet, or module:callable.")] = "sevennet",
    processes: Annotated[int, typer.Option(min=1, help="Labelling processes, of one thread each.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Seed of the structures, for the record.")] = None,
    recipe: Annotated[str, typer.Option(help="Where the structures come from, for the record.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data set, for the record.")] = "",
) -> None:
    """Label structures with a reference method: energies (eV), forces (eV/A), stresses (eV/A^3).

    The data set is saved every half minute. Killed and started again, the same command goes on where it was.

    Example:
      hea label structures.extxyz -o labels.h5 --reference sevennet --processes 2
    """
    import ase.io
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

    from hea_potential.errors import InputError
    from hea_potential.labels import label_structures

    if not structures.is_file():
        raise InputError(f"no file of structures {structures}")
    try:
        found = ase.io.read(structures, ":")
    except Exception as error:  # ASE's readers raise many kinds of errors for files that they cannot read
        raise InputError(f"ASE cannot read structures from {structures}: {error}") from error
    if not found:
        raise InputError(f"{structures} holds no structures")
    record = {"structures": structures.name, "seed": seed, "recipe": recipe, "licence": licence}
    columns = (TextColumn("labelling"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(), TimeRemainingColumn())
    with Progress(*columns, TextColumn("{task.fields[refused]} refused"), console=Console(stderr=True)) as progress:
        task = progress.add_task("labelling", total=len(found), refused=0)

        def show(finished: int, total: int, refused: int) -> None:
            progress.update(task, completed=finished, total=total, refused=refused)

        dataset = label_structures(found, output, reference, processes, record, show)
    typer.echo(f"{output}: {len(dataset)} structures, {int(dataset.offsets[-1])} atoms, {len(dataset.failures)} without label")
    typer.echo(f"sha256 {dataset.sha256()}")
