"""Settings of the modes `gofee` and `lea` of a meta loop; loads no torch, so a configuration is checked quickly."""

from __future__ import annotations

from dataclasses import dataclass

from hea_training.ranges import below

__all__ = ["GofeeSettings", "LeaSettings"]


@dataclass(frozen=True)
class GofeeSettings:
    """How each composition is searched in the mode `gofee`; see `gofee`.

    steps: of each composition and loop; in each, `labels` structures are labelled. minimisations: of a step, in
    E - kappa sigma. features: random ones that widen the last layer of each element. carried: minima of lowest
    E - kappa sigma that the next step begins from, besides fresh starts. resolution: eV; a structure is not labelled
    when its energy is expected to differ by less from one that has a label.
    """

    steps: int = 20
    labels: int = 1
    minimisations: int = 60
    kappa: float = 2.0
    features: int = 192
    carried: int = 10
    resolution: float = 0.01

    def out_of_range(self, prefix: str = "") -> list[str]:
        """What is wrong with the settings, each named with a prefix."""
        least = {"steps": 1, "labels": 1, "minimisations": 1, "kappa": 0, "features": 0, "carried": 0, "resolution": 0}
        return below(self, least, prefix)


@dataclass(frozen=True)
class LeaSettings:
    """How a population is kept in the mode `lea`; see `lea`.

    population: minima of each composition that are kept from loop to loop. sigmas: a label disagrees that is farther
    from the model's energy than so many of its sigma. chance: the model is trained again when so many labels disagree
    that sigma, were it right, would let it happen with a smaller probability than this; 1 trains as soon as one does.
    waiting: it is also trained when more than this share of the data set has never been trained on.
    """

    population: int = 20
    sigmas: float = 2.0
    chance: float = 0.05
    waiting: float = 0.2

    def out_of_range(self, prefix: str = "") -> list[str]:
        """What is wrong with the settings, each named with a prefix."""
        return below(self, {"population": 1, "sigmas": 0, "chance": 0, "waiting": 0}, prefix)
