"""`hea label`: reference energies, forces and stresses for structures, into an HDF5 data set."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

LOG_SECONDS = 60.0
MOST_FAILURES = 10  # of which the reasons are shown; all are in the data set


def label(
    structures: Annotated[Path, typer.Argument(help="Structures: any file that ASE reads.")],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Data set to write or add to.")] = Path("labels.h5"),
    reference: Annotated[
        str, typer.Option(help="Reference method: emt, sevennet, chgnet, lammps:FILE, gpaw, or module:callable.")
    ] = "sevennet",
    processes: Annotated[int, typer.Option(min=0, help="Labelling processes, of one thread each; 0: this one.")] = 1,
    seed: Annotated[int | None, typer.Option(help="Seed of the structures, for the record.")] = None,
    recipe: Annotated[str, typer.Option(help="Where the structures come from, for the record.")] = "",
    licence: Annotated[str, typer.Option(help="Licence of the data set, for the record.")] = "",
) -> None:
    """Label structures with a reference method: energies (eV), forces (eV/A), stresses (eV/A^3).

    The data set is saved every half minute. Killed and started again, the same command goes on where it was. Under
    mpirun the ranks label, one of them managing the others.

    Example:
      hea label structures.extxyz -o labels.h5 --reference sevennet --processes 2
      mpirun -n 5 hea label structures.extxyz -o labels.h5 --reference gpaw
    """
    from hea_potential.cli.structure_files import read_structures
    from hea_potential.label_workers import KEPT
    from hea_potential.labels import label_structures
    from hea_potential.reference import check_elements
    from hea_potential.search.workers import manager_should_help, mpi_executor

    record = {"structures": structures.name, "seed": seed, "recipe": recipe, "licence": licence}
    with mpi_executor("the labelling", KEPT) as rank_0:
        if rank_0 is None:
            return
        executor, workers = rank_0
        found = read_structures(structures)
        check_elements(reference, sorted({symbol for atoms in found for symbol in atoms.symbols}))
        with labelling_progress(len(found)) as show:
            dataset = label_structures(
                found,
                output,
                reference,
                processes=processes,
                executor=executor,
                workers=workers,
                helps=executor is not None and manager_should_help(workers),
                provenance=record,
                progress=show,
            )
    atoms, missing = int(dataset.offsets[-1]), len(dataset.failures)
    typer.echo(f"{output}: {len(dataset)} labels, {atoms} atoms, {missing} structures without label")
    for name, reason in list(dataset.failures.items())[:MOST_FAILURES]:
        typer.echo(f"without label {name}: {reason}")
    typer.echo(f"sha256 {dataset.sha256()}")
    if missing and not len(dataset):
        raise typer.Exit(1)


@contextmanager
def labelling_progress(total: int) -> Iterator[Callable[[int, int], None]]:
    """A function that shows the numbers of structures done and without label: a bar, or a line a minute in a log."""
    from rich.console import Console
    from rich.progress import TextColumn

    from hea_potential.cli.bars import progress_bars

    console = Console(stderr=True)
    missing = TextColumn("{task.fields[refused]} without label")
    with progress_bars(console, missing, time_left=True) as bar:
        task = bar.add_task("labelling", total=total, refused=0)
        began, said, first = time.monotonic(), time.monotonic(), -1

        def show(finished: int, refused: int) -> None:
            nonlocal said, first
            bar.update(task, completed=finished, refused=refused)
            first = finished if first < 0 else first
            now = time.monotonic()
            if not console.is_terminal and now - said > LOG_SECONDS and finished > first:
                left = (total - finished) * (now - began) / (finished - first)
                console.print(
                    f"labelling {finished}/{total}, {refused} without label, {left:.0f} s left", highlight=False
                )
                said = now

        yield show
