"""`hea loop`: the meta loop of search, selection, labels and training, alone or under mpirun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def loop(
    configuration: Annotated[Path, typer.Argument(help="TOML file: elements, reference, compositions, ...")],
    *,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the run, continued if it holds one; runs/NAME by default."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the plan with its estimated costs, and end.")
    ] = False,
) -> None:
    """Search, select, label, train, again: a potential that improves itself while it explores compositions.

    The configuration is checked whole before anything starts. Every finished step is in the folder's ledger. Stopped or
    killed, the same command goes on where it was. Under mpirun all ranks minimise and label.

    Example:
      hea loop loop.toml --dry-run
      mpirun -n 2 hea loop loop.toml --out runs/loop
    """
    from hea_potential.errors import MissingPackageError

    try:
        from hea_training.meta_loop import read_config, run_loop
        from hea_training.meta_loop.plan import steps_of
    except ImportError as error:
        raise MissingPackageError(
            f"hea loop needs torch and schnetpack ({error}): pip install 'hea-potential[train]'"
        ) from error

    config = read_config(configuration)
    if dry_run:
        for step in steps_of(config):
            typer.echo(step.name)
        return
    model = run_loop(config, out or Path("runs") / config.name)
    if model is not None:
        typer.echo(f"model {model}")
