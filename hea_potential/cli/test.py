"""`hea test`: errors of a model on labelled structures, and two models side by side."""

# ruff: noqa: PT028 - a command of the name `test`, not a test

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer


def test(
    model: Annotated[str, typer.Argument(help="Model file, or the name of a shipped model.")],
    data: Annotated[Path, typer.Argument(help="HDF5 data set, or a folder that holds one as data.h5: a loop's.")],
    *,
    part: Annotated[str, typer.Option(help="train, valid, test, or all: which structures.")] = "test",
    split_seed: Annotated[
        int | None, typer.Option(min=0, help="Seed of the split; as in the model's provenance if not given.")
    ] = None,
    compare: Annotated[str | None, typer.Option(help="A second model, trained in full on the same data.")] = None,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="JSON file for the table.")] = None,
) -> None:
    """Print the errors of a model: by stratum, number and set of elements, and kind of structure (meV/atom, meV/A).

    With --compare: the table stratified against full, with numbers of data and of weights.

    Example:
      hea test hea6 hea6.h5 --part test
    """
    from contextlib import nullcontext

    from hea_potential.cli.loading import loading_torch, saying
    from hea_potential.complete_file import complete_file
    from hea_potential.errors import InputError
    from hea_potential.model_file import read_model_file

    if part not in ("train", "valid", "test", "all"):
        raise InputError(f"--part: got {part!r}; allowed are train, valid, test and all")
    data = data_set_of(data)
    for name in (model, compare):
        if name is not None:
            read_model_file(name)  # a mistake is said before torch is loaded, which takes seconds
    with complete_file(output) if output is not None else nullcontext() as unfinished:
        with loading_torch("hea test"):
            from hea_training.compare import compare_models, test_model
        with saying(f"evaluating structures of {data}"):
            table: Any = (
                test_model(model, data, part, split_seed)
                if compare is None
                else compare_models(model, compare, data, part, split_seed)
            )
        if unfinished is not None:
            unfinished.write_text(json.dumps(table, indent=1) + "\n")
    if compare is None:
        show_errors(table)
    else:
        show_comparison(table)


def data_set_of(path: Path) -> Path:
    """The file of a data set that is given by its path, or by that of a folder that holds it under the usual name.
    Raises InputError if there is none.
    """
    from hea_potential.errors import InputError
    from hea_potential.loop_files import DATA

    if path.is_dir():
        if not (path / DATA).is_file():
            raise InputError(f"data set: got the folder {path}, which holds no {DATA}; give the data set's file")
        return path / DATA
    if not path.is_file():
        raise InputError(f"data set: there is no file {path}")
    return path


def show_errors(table: dict[str, Any]) -> None:
    """Print an error table."""
    from rich.console import Console
    from rich.table import Table

    view = Table("structures", "n", "energy MAE (median)", "force MAE", title="meV/atom and meV/A")
    for name, entry in flattened(table):
        if entry["structures"]:
            view.add_row(
                name,
                str(entry["structures"]),
                f"{entry['energy_mae']:.1f} ({entry['energy_median']:.1f})",
                f"{entry['force_mae']:.0f}",
            )
    Console().print(view)


def flattened(table: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """The entries of an error table with their names, nested ones as `kind: slab`."""
    entries = []
    for key, value in table.items():
        if key == "units":
            continue
        if "structures" in value:
            entries.append((key, value))
        else:
            entries.extend((f"{key}: {name}", entry) for name, entry in value.items())
    return entries


def show_comparison(rows: list[dict[str, Any]]) -> None:
    """Print stratified against full."""
    from rich.console import Console
    from rich.table import Table

    view = Table(
        "set",
        "training data",
        "weights stratified",
        "weights full",
        "energy stratified",
        "energy full",
        "force stratified",
        "force full",
        title="stratified against full: mean absolute errors in meV/atom and meV/A",
    )
    for row in rows:
        view.add_row(
            row["set"],
            str(row["training"]),
            str(row["weights"][0]),
            str(row["weights"][1]),
            f"{row['energy'][0]:.1f}",
            f"{row['energy'][1]:.1f}",
            f"{row['force'][0]:.0f}",
            f"{row['force'][1]:.0f}",
        )
    Console().print(view)
