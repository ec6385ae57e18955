"""What a meta loop is likely to cost, before it begins: force calls, reference calculations, atoms trained, seconds.

The rates below were measured on one core (AVX-512) with the sizes of hea6; with a smaller model searches take less, and
training in proportion to its channels. An epoch of a refresh has all that the loop has found so far, so the later
refreshes take longer: the data set is followed step by step.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.plan import Step, compositions_of

from hea_potential.dataset import read_dataset
from hea_potential.label_one import labelled_steps
from hea_potential.model_file import read_model_file
from hea_potential.search.composition import Composition
from hea_potential.split import TEST, VALID

__all__ = ["Cost", "Forecast", "costs_of"]

CALLS = 80  # force calls of a minimisation, about
SECONDS_A_CALL = 1e-5  # and atom
# Of a search of an alloy, for its orderings: a minimisation, each element beyond the first, the square of the atoms.
# With hea6 minimisations of 13 atoms of two, four and six elements took 8, 14 and 25 ms each with all around them, of
# 38 atoms 32, 84 and 98.
SECONDS_OF_ORDERINGS = 1.2e-5
ATOMS_A_SECOND = 8_000.0 * 192  # that training passes through, of a model with one channel in one interaction
JUDGED = 1.3  # passes of training through all data that its errors and its sigma take as long as
TAUGHT = 1.0 - VALID - TEST  # share of the data that is trained on
# Of a calculation of each reference: seconds, and seconds an atom.
SECONDS_A_LABEL: Mapping[str, tuple[float, float]] = {"emt": (2e-3, 1e-4), "sevennet": (0.03, 4e-3)}


@dataclass(frozen=True)
class Cost:
    """Of all steps of one kind: their number, how many of which unit they do, and seconds (None: not known)."""

    kind: str
    steps: int
    amount: float
    unit: str
    seconds: float | None


@dataclass
class Forecast:
    """The data set as it is likely to grow: structures and atoms that are trained on of what it begins with, atoms that
    are trained on of what is found, and atoms of all.
    """

    config: LoopConfig
    sizes: list[int]
    begun: float = 0.0
    begun_atoms: float = 0.0
    found_atoms: float = 0.0
    all_atoms: float = 0.0

    def of(self, step: Step) -> tuple[float, str, float | None]:
        """Amount, unit and seconds of a step, which the data set grows by."""
        composition = Composition.parse(step.composition) if step.composition else None
        size = composition.size if composition else max(self.sizes)
        if step.kind == "start":
            return self.start()
        if step.kind == "search":
            part = self.config.gofee if step.turn else self.config.search
            calls = float(part.minimisations * CALLS)
            others = len(composition.symbols) - 1 if composition else 0
            orderings = part.minimisations * others * size**2 * SECONDS_OF_ORDERINGS
            seconds = calls * size * SECONDS_A_CALL + orderings
            return calls, "force calls", seconds
        if step.kind == "select":
            return float(self.config.search.minima), "candidates", 0.5
        if step.kind == "label":
            quota, relax, path = self.config.select.quota, self.config.label.relax, self.config.search.path
            if step.turn:
                quota, relax, path = self.config.gofee.labels, 0, 0
            frames = quota * len(labelled_steps(relax)) + path
            self.found_atoms += TAUGHT * frames * size
            self.all_atoms += frames * size
            return self.labels(quota * (1 + relax) + path, size)
        if step.loop == 0 and not self.config.from_nothing:
            return 0.0, "atoms", 0.0
        return self.training(first=step.loop == 0)

    def training(self, first: bool) -> tuple[float, str, float]:
        """A refresh: epochs of the first pass through all that is taught, of later ones through all that the loop found
        and a part of what it began with. Errors and sigma are of all structures.
        """
        settings = self.config.refresh
        replayed = 1.0 if first else min(1.0, settings.replay / max(self.begun, 1.0))
        amount = settings.of_training(first=first).epochs * (replayed * self.begun_atoms + self.found_atoms)
        seconds = (amount + JUDGED * self.all_atoms) * channels_of(self.config) / ATOMS_A_SECOND
        return amount, "atoms", seconds

    def start(self) -> tuple[float, str, float | None]:
        """What the data set begins with. A model's own data are judged by what is trained on neither in its division
        nor in the loop's, see `start_data`.
        """
        config = self.config
        kinds = len(config.elements)
        if config.start.data:
            dataset = read_dataset(config.start_data).of_elements(config.elements)
            taught = TAUGHT * len(dataset)
            self.begins(min(taught, config.start.structures or taught), float(dataset.sizes.mean()))
            self.all_atoms += (1.0 - TAUGHT) ** 2 * float(dataset.sizes.sum())
            return 0.0, "calculations", 0.0
        if not config.from_nothing:
            return self.labels(kinds, 1)
        few = kinds + config.start.dimers * kinds * (kinds + 1) // 2
        relaxed, size = max(config.n_elements) * config.start.clusters, max(self.sizes)
        self.begins(TAUGHT * few, 2.0)
        self.begins(TAUGHT * relaxed * len(labelled_steps(config.start.relax)), size)
        return self.labels(few + relaxed * (1 + config.start.relax), size)

    def begins(self, structures: float, size: float) -> None:
        """So many structures of this size are there from the beginning, and trained on."""
        self.begun += structures
        self.begun_atoms += structures * size
        self.all_atoms += structures * size

    def labels(self, calculations: int, size: int) -> tuple[float, str, float | None]:
        """So many calculations of the reference."""
        rates = SECONDS_A_LABEL.get(self.config.reference)
        seconds = None if rates is None else calculations * (rates[0] + rates[1] * size)
        return float(calculations), "calculations", seconds


def channels_of(config: LoopConfig) -> int:
    """Channels of all interactions of the loop's models: L (F + 2A)."""
    sizes = asdict(config.architecture) if config.from_nothing else read_model_file(config.start_model).metadata
    return int(sizes["n_interactions"] * (sizes["n_features"] + 2 * sizes["n_angular"]))


def costs_of(config: LoopConfig, steps: Sequence[Step]) -> list[Cost]:
    """The costs of a plan by kind of step, in the order in which kinds first come."""
    forecast = Forecast(config, [whole.size for whole in compositions_of(list(steps))])
    found: dict[str, list[tuple[float, str, float | None]]] = defaultdict(list)
    for step in steps:
        found[step.kind].append(forecast.of(step))
    return [
        Cost(kind, len(each), sum(amount for amount, _, _ in each), each[0][1], in_all([s for _, _, s in each]))
        for kind, each in found.items()
    ]


def in_all(seconds: Sequence[float | None]) -> float | None:
    """The sum, None if any is not known."""
    known = [each for each in seconds if each is not None]
    return sum(known) if len(known) == len(seconds) else None
