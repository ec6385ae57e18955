"""Settings of a refresh of the model; loads no torch, so that a configuration is checked quickly."""

from __future__ import annotations

from dataclasses import dataclass

from hea_training.fit_settings import Settings
from hea_training.ranges import below, not_positive

__all__ = ["RefreshSettings"]

MODES = ("full", "strata")


@dataclass(frozen=True)
class RefreshSettings:
    """How a model is trained when new labels have come; see `refresh`.

    mode: full trains all weights together; strata only those of the strata that new data touch, all others and the
    predictions that depend on them alone stay what they were to the last bit.
    first_epochs, first_learning_rate: of a training from nothing; epochs, learning_rate: of one that begins with the
    present model. replay: how many of the structures that the loop began with each of those epochs has, beside all that
    the loop found.
    energy_weight, force_weight: of the loss, and of the errors by which a new model must be better than the old one.
    """

    mode: str = "full"
    first_epochs: int = 60
    epochs: int = 20
    batch_size: int = 32
    first_learning_rate: float = 3e-3
    learning_rate: float = 1e-3
    replay: int = 4000
    energy_weight: float = 10.0
    force_weight: float = 1.0

    def of_training(self, *, first: bool) -> Settings:
        """Settings of the training from nothing, or of a later one."""
        return Settings(
            epochs=self.first_epochs if first else self.epochs,
            batch_size=self.batch_size,
            learning_rate=self.first_learning_rate if first else self.learning_rate,
            energy_weight=self.energy_weight,
            force_weight=self.force_weight,
        )

    def out_of_range(self, prefix: str = "") -> list[str]:
        """What is wrong with the settings, each named with a prefix."""
        wrong = [] if self.mode in MODES else [f"{prefix}mode must be one of {', '.join(MODES)}, got {self.mode!r}"]
        least = {"first_epochs": 1, "epochs": 1, "batch_size": 1, "replay": 0, "energy_weight": 0, "force_weight": 0}
        wrong += below(self, least, prefix) + not_positive(self, ["first_learning_rate", "learning_rate"], prefix)
        if self.energy_weight == self.force_weight == 0.0:
            wrong.append(f"{prefix}energy_weight and {prefix}force_weight must not both be 0")
        return wrong
