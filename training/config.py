"""The TOML file of a training run, checked whole before anything starts."""

from dataclasses import dataclass, field, replace
from pathlib import Path

from hea_training.architecture import Architecture
from hea_training.fit_settings import Settings
from hea_training.ranges import below
from hea_training.toml_tables import document_of, section, table

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
    document = document_of(path)
    wrong: list[str] = []
    top = table(
        Config, document, "", wrong, skip=("strata", "architecture", "folder"), extra=("architecture", "training")
    )
    architecture = table(
        Architecture, section(document, "architecture", wrong), "architecture.", wrong, skip=("elements",)
    )
    training = section(document, "training", wrong)
    common = table(Settings, training, "training.", wrong, extra=STRATA)
    strata = {
        name: common | table(Settings, section(training, name, wrong, "training."), f"training.{name}.", wrong)
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
    wrong = _out_of_range(config)
    if wrong:
        raise InputError(f"configuration {path}: " + "; ".join(wrong))
    return config


def _out_of_range(config: Config) -> list[str]:
    """Values that make no sense, and files that are not there."""
    wrong = config.architecture.out_of_range("architecture.") + below(
        config, {"seed": 0, "workers": 1, "threads": 1}, ""
    )
    if not config.data.is_file():
        wrong.append(f"data: there is no file {config.data}")
    if config.model not in MODES:
        wrong.append(f"model must be one of {', '.join(MODES)}, got {config.model!r}")
    if config.start_from and not config.start_from_path.is_file():
        wrong.append(f"start_from: there is no file {config.start_from_path}")
    if config.start_from and config.model != "full":
        wrong.append(f"start_from belongs to the model 'full', got {config.model!r}")
    for stratum, settings in config.strata.items():
        wrong += settings.out_of_range(f"training.{stratum}.")
    return wrong
