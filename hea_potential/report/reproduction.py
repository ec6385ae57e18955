"""What a reader needs to rerun any number of a meta loop's report: data, splits, seeds, models, versions, commands."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from hea_potential.errors import HEAError
from hea_potential.loop_files import DATA, IDENTITY, LEDGER
from hea_potential.model_file import read_model_file
from hea_potential.report.loop_folder import LoopRun
from hea_potential.report.page import Files, Part, Words
from hea_potential.report.predictions import Predictions
from hea_potential.report.table import Column, Table, Value

LARGEST = 16e6  # bytes of a file that the page holds; larger ones stay in the run's folder

SNIPPET = """\
from hea_potential.dataset import fixed_split, read_dataset
from hea_potential.described import describe

data = read_dataset("data.h5")
assert data.sha256() == "{sha256}"
split = fixed_split(data, seed={seed})        # {sizes}
test = data.select(split.test)
said = describe([test.atoms(k) for k in range(len(test))], "{model}")
print(abs(said.energies - test.energy).mean())    # {value}, eV a structure"""


def reproduction_parts(
    run: LoopRun, structures: Sequence[Sequence[Value]], predictions: Mapping[str, Predictions]
) -> list[Part]:
    """The parts of the section."""
    parts: list[Part] = [Words([how_to(run)], commands(run, predictions)), Files(list(files(run, structures)))]
    return [*parts, identity_table(run), seed_table(run)]


def how_to(run: LoopRun) -> str:
    """What decides what, in words."""
    words = (
        f"Everything follows from the configuration and the seed {run.seed}. A structure belongs to the test split if "
        "the number that its group and the seed are hashed to is below 0.1, to the validation split below 0.2, else "
        "to training; so new data change no split. "
    )
    if run.dataset is not None:
        words += f"The data set has {len(run.dataset):,} structures and the hash {run.dataset.sha256()}. "
    return words + (
        "Below: the commands for the errors on the test split, as for any other part or model; the files, held by "
        f"this page up to {LARGEST / 1e6:.0f} MB each (`hea loop loop.toml` runs all of it again; structures.csv lists "
        "every structure with its part, label and prediction); the configuration; and the seed of every step."
    )


def commands(run: LoopRun, predictions: Mapping[str, Predictions]) -> str:
    """Python that computes the energy error on the test split anew."""
    found, number = predictions.get("test"), run.present_model
    if run.dataset is None or found is None or number is None:
        return ""
    return SNIPPET.format(
        sha256=run.dataset.sha256(),
        seed=run.seed,
        sizes=", ".join(f"{len(rows)} {part}" for part, rows in run.parts()),
        model=run.model_path(number).relative_to(run.folder),
        value=f"{np.abs(found.errors).mean():.6f}",
    )


def files(run: LoopRun, structures: Sequence[Sequence[Value]]) -> Iterator[tuple[str, bytes]]:
    """Files that the page holds."""
    number = run.present_model
    paths = [run.folder / name for name in (IDENTITY, LEDGER, DATA)]
    for path in [*paths, *([] if number is None else [run.model_path(number)])]:
        if path.exists() and path.stat().st_size <= LARGEST:
            yield path.name, path.read_bytes()
    yield "loop.toml", toml_of(run.identity["config"]).encode()
    if len(structures) > 1:
        csv.writer(table := StringIO(newline="")).writerows(structures)
        yield "structures.csv", table.getvalue().encode()


def toml_of(config: Mapping[str, Any]) -> str:
    """A resolved configuration as `hea loop` reads it: values, and tables of values. Texts, numbers and lists of them
    are written alike in JSON and in TOML.
    """
    lines = [f"{name} = {json.dumps(value)}" for name, value in config.items() if not isinstance(value, Mapping)]
    for name, table in config.items():
        if isinstance(table, Mapping):
            lines += ["", f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in table.items())]
    return "\n".join(lines) + "\n"


def identity_table(run: LoopRun) -> Table:
    """All settings, one in a row."""
    rows: list[list[Value]] = [[name, json.dumps(value)] for name, value in flattened(run.identity)]
    caption = "The resolved configuration, the reference, the versions of all packages and what the loop began with."
    return Table("Settings", [Column("setting"), Column("value")], rows, caption, open=False)


def flattened(document: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Settings with the names of the tables that they are in."""
    for name, value in document.items():
        if isinstance(value, Mapping) and value:
            yield from flattened(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def seed_table(run: LoopRun) -> Table:
    """The seeds that searches and trainings say they had."""
    rows: list[list[Value]] = [["the whole loop, and all splits", run.seed]]
    rows += [[step, search.header["seed"]] for step, search in run.searches.items()]
    for number in run.models:
        seeds = seeds_of(run.model_path(number))
        rows += [[f"training of model {number:03d}", seed] for seed in seeds]
    return Table("Seeds", [Column("of"), Column("seed")], rows, open=False)


def seeds_of(model: Path) -> list[int]:
    """The seed in a model's provenance; none where it has none."""
    try:
        provenance = read_model_file(model).metadata.get("provenance")
    except HEAError:
        return []
    seed = provenance.get("seed") if isinstance(provenance, dict) else None
    return [seed] if isinstance(seed, int) else []
