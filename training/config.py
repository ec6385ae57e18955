"""The TOML file of a training run, checked whole before anything starts."""

import tomllib
from dataclasses import MISSING, Field, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from ase.data import chemical_symbols
from hea_training.fit import Settings
from hea_training.network import Architecture

from hea_potential.errors import InputError

__all__ = ["Config", "read_config"]

MODES = ("stratified", "full", "schnetpack")
STRATA = ("elements", "pair", "many", "full")


@dataclass(frozen=True)
class Config:
    """One training run: every key of the file.

    data: HDF5 data set; output: folder of checkpoints and the model; elements: symbols, in the model file's order;
    model: stratified, full (everything at once), or schnetpack (the stock SchNet as baseline);
    start_from: a model file of the same sizes whose weights the training begins with, instead of random ones;
    strata: settings of each stratum, the file's [training] with its [training.elements], [training.pair],
    [training.many], [training.full] on top.
    """

    data: Path
    output: Path
    elements: list[str]
    name: str = "hea"
    model: str = "stratified"
    seed: int = 0
    split_seed: int = 0
    workers: int = 1
    threads: int = 1
    sigma: bool = True
    kinds: list[str] = field(default_factory=list)
    start_from: str = ""
    licence: str = "MIT"
    architecture: Architecture = field(default_factory=lambda: Architecture(()))
    strata: dict[str, Settings] = field(default_factory=dict)
    folder: Path = Path()

    @property
    def start_from_path(self) -> Path:
        """The file `start_from`, from the configuration's folder."""
        return self.folder / self.start_from


def read_config(path: Path) -> Config:
    """Reads and checks a configuration; relative paths in it count from its folder.

    Raises InputError that lists everything that is wrong: unknown keys, wrong types, values out of range, missing
    files.
    """
    try:
        document = tomllib.loads(Path(path).read_text())
    except FileNotFoundError as error:
        raise InputError(f"configuration {path}: there is no such file") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"configuration {path} is not TOML: {error}") from error
    wrong: list[str] = []
    top = _table(
        Config, document, "", wrong, skip=("strata", "architecture", "folder"), extra=("architecture", "training")
    )
    architecture = _table(
        Architecture, _section(document, "architecture", wrong), "architecture.", wrong, skip=("elements",)
    )
    training = _section(document, "training", wrong)
    common = _table(Settings, training, "training.", wrong, extra=STRATA)
    strata = {
        name: common | _table(Settings, _section(training, name, wrong, "training."), f"training.{name}.", wrong)
        for name in STRATA
    }
    if wrong:
        raise InputError(f"configuration {path}: " + "; ".join(wrong))
    for key in ("data", "output"):
        top[key] = Path(path).parent / top[key]
    arch = Architecture(tuple(top["elements"]), **architecture)
    config = replace(
        Config(**top, folder=Path(path).parent),
        architecture=arch,
        strata={name: Settings(**values) for name, values in strata.items()},
    )
    wrong = list(_out_of_range(config))
    if wrong:
        raise InputError(f"configuration {path}: " + "; ".join(wrong))
    return config


def _section(table: dict[str, Any], key: str, wrong: list[str], prefix: str = "") -> dict[str, Any]:
    value = table.get(key, {})
    if isinstance(value, dict):
        return value
    wrong.append(f"{prefix}{key} must be a table, got {value!r}")
    return {}


def _table(
    cls: type,
    given: dict[str, Any],
    prefix: str,
    wrong: list[str],
    skip: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The values of a dataclass found in a TOML table; what does not fit is added to `wrong`."""
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cls) if f.name not in skip}
    values = {}
    for key, value in given.items():
        if key in extra and key not in known:
            continue
        if key not in known:
            wrong.append(f"unknown key {prefix}{key}; allowed are {', '.join(sorted([*known, *extra]))}")
            continue
        kind = hints[key]
        checked = _typed(value, kind)
        if checked is None:
            wrong.append(f"{prefix}{key} must be {_words(kind)}, got {value!r}")
        else:
            values[key] = checked
    wrong.extend(f"{prefix}{name} is missing" for name, f in known.items() if name not in given and _required(f))
    return values


def _required(f: Field) -> bool:  # type: ignore[type-arg]
    return f.default is MISSING and f.default_factory is MISSING


def _typed(value: Any, kind: Any) -> Any:
    """The value as the type asked for, or None when it is of another."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is Path:
        return Path(value) if isinstance(value, str) else None
    if get_origin(kind) is list:
        return value if isinstance(value, list) and all(isinstance(v, get_args(kind)[0]) for v in value) else None
    return value if type(value) is kind else None


def _words(kind: Any) -> str:
    names = {float: "a number", int: "a whole number", str: "a text", bool: "true or false", Path: "a path (a text)"}
    return names.get(kind, "a list of texts")


def _out_of_range(config: Config) -> list[str]:
    wrong = []
    arch = config.architecture

    def require(holds: bool, text: str) -> None:
        if not holds:
            wrong.append(text)

    require(config.data.is_file(), f"data: there is no file {config.data}")
    require(config.model in MODES, f"model must be one of {', '.join(MODES)}, got {config.model!r}")
    require(len(config.elements) > 0, "elements must name at least one element")
    require(len(set(config.elements)) == len(config.elements), f"elements must differ, got {config.elements}")
    if config.start_from:
        require(config.start_from_path.is_file(), f"start_from: there is no file {config.start_from_path}")
        require(config.model == "full", f"start_from belongs to the model 'full', got {config.model!r}")
    for symbol in config.elements:
        require(symbol in chemical_symbols[1:], f"elements: {symbol!r} is no chemical symbol")
    for name in ("workers", "threads"):
        require(getattr(config, name) >= 1, f"{name} must be at least 1, got {getattr(config, name)}")
    require(config.seed >= 0, f"seed must be at least 0, got {config.seed}")
    require(arch.cutoff > 0, f"architecture.cutoff must be positive, got {arch.cutoff}")
    for name in ("n_interactions", "n_features", "n_hidden"):
        require(getattr(arch, name) >= 1, f"architecture.{name} must be at least 1, got {getattr(arch, name)}")
    require(arch.n_intervals >= 8, f"architecture.n_intervals must be at least 8, got {arch.n_intervals}")
    for name in ("rank_pair", "rank_many"):
        require(getattr(arch, name) >= 0, f"architecture.{name} must be at least 0, got {getattr(arch, name)}")
    require(
        0 <= arch.n_angular <= arch.n_features, f"architecture.n_angular must be 0 to n_features, got {arch.n_angular}"
    )
    require(
        arch.head_activation in ("ssp", "silu"),
        f"architecture.head_activation must be ssp or silu, got {arch.head_activation!r}",
    )
    for stratum, settings in config.strata.items():
        for f in fields(Settings):
            value = getattr(settings, f.name)
            low = 1 if f.name in ("epochs", "batch_size") else 0
            require(value >= low, f"training.{stratum}.{f.name} must be at least {low}, got {value}")
        require(settings.learning_rate > 0, f"training.{stratum}.learning_rate must be positive")
        require(
            0 < settings.warm_up < 1, f"training.{stratum}.warm_up must lie between 0 and 1, got {settings.warm_up}"
        )
    return wrong
