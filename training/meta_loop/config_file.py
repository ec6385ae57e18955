"""The TOML file of a meta loop, checked whole before anything starts; loads no torch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hea_training.architecture import Architecture
from hea_training.meta_loop.config import Compositions, Labels, LoopConfig, Searches, Start
from hea_training.meta_loop.impossible import impossible
from hea_training.meta_loop.mode_settings import GofeeSettings, LeaSettings
from hea_training.meta_loop.refresh_settings import RefreshSettings
from hea_training.meta_loop.selection import SelectionSettings
from hea_training.ranges import above, below, not_positive
from hea_training.toml_tables import document_of, section, table

from hea_potential.errors import HEAError, InputError
from hea_potential.labels import start_dataset
from hea_potential.model_file import read_model_file
from hea_potential.reference import check_elements
from hea_potential.search.starts import STARTS

__all__ = ["config_of", "read_config"]

MODES = ("plain", "gofee", "lea")
METHODS = ("ga", "bh")  # of searches
MOST_THREADS = 1024  # more than a machine has

TABLES: Mapping[str, type] = {
    "compositions": Compositions,
    "start": Start,
    "search": Searches,
    "select": SelectionSettings,
    "label": Labels,
    "architecture": Architecture,
    "refresh": RefreshSettings,
    "gofee": GofeeSettings,
    "lea": LeaSettings,
}


def read_config(path: Path) -> LoopConfig:
    """Read and check a configuration; relative paths in it count from its folder, but those of a reference from the
    current one, as on the command line.

    Raises InputError that lists everything that is wrong: unknown keys, wrong types, values out of range, impossible
    compositions, elements that the model or the reference does not have, missing files.
    """
    return config_of(document_of(path), f"configuration {path}", Path(path).parent)


def config_of(document: dict[str, Any], what: str, folder: Path) -> LoopConfig:
    """A configuration from its tables; errors begin with `what`. Raises InputError."""
    wrong: list[str] = []
    top = table(LoopConfig, document, "", wrong, skip=(*TABLES, "folder"), extra=tuple(TABLES))
    values = {
        name: table(kind, section(document, name, wrong), f"{name}.", wrong, skip=("elements",))
        for name, kind in TABLES.items()
    }
    stop_if(what, wrong)
    values["architecture"]["elements"] = tuple(top["elements"])
    made = {}
    for name, kind in TABLES.items():
        try:
            made[name] = kind(**values[name])
        except InputError as error:  # classes that check themselves
            wrong.append(str(error))
    stop_if(what, wrong)
    config = LoopConfig(**top, **made, folder=folder)
    wrong += out_of_range(config)
    stop_if(what, wrong)
    wrong += [*impossible(config), *unknown_to_reference(config), *unfit_start(config)]
    stop_if(what, wrong)
    return config


def stop_if(what: str, wrong: Sequence[str]) -> None:
    """Raise InputError if anything is wrong."""
    if wrong:
        raise InputError(f"{what}: " + "; ".join(wrong))


def out_of_range(config: LoopConfig) -> list[str]:
    """Values that make no sense by themselves."""
    wrong = [*unknown_names(config), *config.architecture.out_of_range("architecture.")]
    wrong += below(config, {"seed": 0, "loops": 1, "threads": 1}, "") + above(config, {"threads": MOST_THREADS}, "")
    wrong += below(config.compositions, {"size": 0, "draw": 0, "step": 0}, "compositions.")
    wrong += below(config.start, {"structures": 0, "dimers": 4, "clusters": 0, "relax": 0}, "start.")
    wrong += not_positive(config.start, ["max_force"], "start.")
    wrong += below(config.search, {"minimisations": 1, "calls": 1, "kappa": 0, "minima": 0, "path": 0}, "search.")
    wrong += not_positive(config.search, ["fmax", "unknown"], "search.")
    if config.search.minima == config.search.path == 0:
        wrong.append("search.minima and search.path leave nothing to choose from")
    wrong += below(config.label, {"relax": 0, "processes": 0}, "label.")
    wrong += above(config.label, {"processes": MOST_THREADS}, "label.")
    wrong += config.refresh.out_of_range("refresh.")
    wrong += config.gofee.out_of_range("gofee.")
    wrong += config.lea.out_of_range("lea.")
    return wrong


def unknown_names(config: LoopConfig) -> list[str]:
    """Names of ways to do something that there are not, and names without those that belong to them."""
    wrong, starts = [], config.search.starts
    if Path(config.name).name != config.name or config.name in ("", ".."):
        wrong.append(f"name must be that of a folder, without a path, got {config.name!r}")
    if config.mode not in MODES:
        wrong.append(f"mode must be one of {', '.join(MODES)}, got {config.mode!r}")
    if config.search.method not in METHODS:
        wrong.append(f"search.method must be {' or '.join(METHODS)}, got {config.search.method!r}")
    allowed = ", ".join(STARTS)
    wrong += [f"search.starts: unknown start {name!r}; allowed: {allowed}" for name in starts if name not in STARTS]
    if not starts:
        wrong.append(f"search.starts must name at least one of {allowed}")
    if config.start.data and not config.start.model:
        wrong.append("start.data needs the start.model that was trained on it")
    if config.start.model and not config.start.data and config.mode != "gofee":
        wrong.append(
            "start.model needs the start.data that it was trained on; only the mode gofee learns from labels alone"
        )
    if config.start.borrow and (config.start.data or not config.start.model):
        wrong.append("start.borrow needs a start.model without start.data")
    return wrong


def unknown_to_reference(config: LoopConfig) -> list[str]:
    """What is wrong with the reference: its name, a missing package, elements that it is known not to have."""
    try:
        check_elements(config.reference, config.elements)
    except HEAError as error:
        return [f"reference: {error}"]
    return []


def unfit_start(config: LoopConfig) -> list[str]:
    """What is wrong with the model and the data set to begin with."""
    if config.from_nothing:
        return []
    wrong = []
    if config.start_data.is_file():
        try:
            given = start_dataset(config.start_data, config.reference, {})
            if not len(given.of_elements(config.elements)):
                wrong.append(f"start.data: {config.start.data} has no structure of {', '.join(config.elements)} alone")
        except HEAError as error:
            wrong.append(f"start.data: {error}")
    elif config.start.data:
        wrong.append(f"start.data: there is no file {config.start_data}")
    try:
        model = read_model_file(config.start_model)
    except HEAError as error:
        return [*wrong, f"start.model: {error}"]
    if config.mode != "gofee" and not model.has_sigma:
        wrong.append(f"start.model: {config.start.model} has no uncertainty, by which structures are chosen")
    if not config.start.data:
        absent = [symbol for symbol in config.elements if symbol not in model.elements]
        if absent and not config.start.borrow:
            lacking = f"{config.start.model} does not have {', '.join(absent)}"
            wrong.append(f"start.model: {lacking}; with start.borrow they take the part of others")
        elif len(config.elements) > len(model.elements):
            wrong.append(f"start.borrow: {len(model.elements)} elements lend to no more, got {len(config.elements)}")
    elif list(model.elements) != config.elements:
        wrong.append(f"start.model: {config.start.model} is of {list(model.elements)}; elements must be the same")
    return wrong
