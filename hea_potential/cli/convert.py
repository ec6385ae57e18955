"""`hea convert`: a SchNetPack checkpoint as a model file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def convert(
    checkpoint: Annotated[
        Path, typer.Argument(help="SchNetPack's `best_model`. It is a pickle: loading it runs code that it holds.")
    ],
    *,
    output: Annotated[Path, typer.Option("--output", "-o", help="Model file to write.")],
    elements: Annotated[str, typer.Option(help="Chemical symbols that the model was trained on, as Ni,Cu,Pt.")],
    energy_unit: Annotated[
        str, typer.Option(help="Energy unit of the checkpoint: eV, kcal/mol or Hartree. Lengths must be Angstrom.")
    ],
    intervals: Annotated[int, typer.Option(min=8, max=10000, help="Intervals of the splines over the cutoff.")] = 250,
) -> None:
    """Convert a plain SchNetPack 2.x SchNet with an Atomwise head; prints how well the splines fit its filters.

    Example:
      hea convert best_model -o converted.safetensors --elements Cu,Au --energy-unit eV
    """
    from hea_potential.cli.loading import loading_torch
    from hea_potential.errors import InputError

    if not checkpoint.is_file():
        raise InputError(f"checkpoint: there is no file {checkpoint}")
    with loading_torch("hea convert"):
        from hea_training.convert import convert as convert_model
        from hea_training.convert import load_checkpoint
    symbols = [symbol.strip() for symbol in elements.split(",")]
    done = convert_model(load_checkpoint(checkpoint), symbols, output, energy_unit=energy_unit, n_intervals=intervals)
    arch = done.architecture
    typer.echo(f"{done.path}: F={arch.n_features}, {arch.n_interactions} interactions, cutoff {arch.cutoff:g} A")
    typer.echo(
        f"filters against splines: largest difference {done.largest_error:.1e}, rms {done.rms_error:.1e} of the largest"
    )
