"""`hea info`: what a model is made of, how good it is and where it comes from."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console

    from hea_potential.model_file import ModelFile

# Keys of the metadata that describe the network; the rest is the card.
SIZES = ("n_features", "n_angular", "n_interactions", "n_hidden", "n_intervals", "rank_pair", "rank_many")
FORMAT_KEYS = ("format", "version", "elements", "units", "cutoff", "head_activation", "sigma", *SIZES)


def info(
    model: Annotated[str, typer.Argument(help="Shipped model or model file.")] = "hea6",
    *,
    as_json: Annotated[bool, typer.Option("--json", help="Print the metadata as JSON instead.")] = False,
) -> None:
    """Show a model: its elements and size, its errors, the distances that it was trained on, its provenance.

    Example:
        hea info
        hea info my_model.safetensors --json
    """
    from hea_potential.console import console
    from hea_potential.model_file import find_model, read_model_file

    path = find_model(model)
    found = read_model_file(path)
    if as_json:
        typer.echo(json.dumps(found.metadata, indent=2))
        return
    page = console()
    show_network(page, found, path)
    show_distances(page, found)
    for key, value in found.metadata.items():
        if key not in FORMAT_KEYS and key != "name":
            show_entry(page, key, value)


def show_network(console: Console, model: ModelFile, path: Path) -> None:
    """Print what the model is made of."""
    from rich.table import Table

    metadata = model.metadata
    content = path.read_bytes()
    table = Table(title=text(metadata.get("name", path.name)), show_header=False, title_justify="left")
    table.add_column()
    table.add_column(overflow="fold")  # a hash that is cut cannot be compared
    table.add_row("file", f"{path.name}, {len(content) / 1e6:.1f} MB")
    table.add_row("sha256", hashlib.sha256(content).hexdigest())
    table.add_row("elements", " ".join(model.elements))
    table.add_row("cutoff", f"{model.cutoff:g} Angstrom")
    table.add_row("weights", f"{model.n_weights:,}")
    table.add_row("sizes", ", ".join(f"{key} {metadata[key]}" for key in SIZES))
    table.add_row("uncertainty", "yes" if model.has_sigma else "no")
    console.print(table)


def show_distances(console: Console, model: ModelFile) -> None:
    """Print, for each pair, from which distance on the model was trained, and where ZBL takes over."""
    from rich.table import Table

    table = Table(
        "pair", "trained from", "ZBL alone below", "no ZBL above", title="distances, Angstrom", title_justify="left"
    )
    tensors = model.tensors
    for row, (a, b) in enumerate(model.pairs):
        distances = [float(tensors[name][row]) for name in ("distance.min", "zbl.inner", "zbl.outer")]
        table.add_row(f"{a}-{b}", *(f"{x:.2f}" for x in distances))
    console.print(table)


def show_entry(console: Console, title: str, value: Any) -> None:
    """Print one entry of the card: an object of objects as a table with a column for each of their keys."""
    from rich.table import Table

    if not isinstance(value, dict):
        console.print(f"[bold]{title}[/bold]  {text(value)}")
        return
    if value and all(isinstance(row, dict) and not any_object(row) for row in value.values()):
        columns = list(dict.fromkeys(key for row in value.values() for key in row))
        table = Table("", *columns, title=title, title_justify="left")
        for name, row in value.items():
            table.add_row(name, *(text(row.get(key, "")) for key in columns))
        console.print(table)
        return
    table = Table(title=title, show_header=False, title_justify="left")
    nested = {name: entry for name, entry in value.items() if isinstance(entry, dict)}
    for name, entry in value.items():
        if name not in nested:
            table.add_row(name, text(entry))
    if table.row_count:
        console.print(table)
    for name, entry in nested.items():
        show_entry(console, f"{title}: {name}", entry)


def any_object(row: dict[str, Any]) -> bool:
    """Tell whether a value of the object is an object itself."""
    return any(isinstance(value, dict) for value in row.values())


def text(value: Any) -> str:
    """Return a JSON value as a person reads it; brackets in it are not rich's markup."""
    from rich.markup import escape

    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, list):
        return ", ".join(text(entry) for entry in value)
    return escape(str(value))
