"""Settings of one training run."""

from dataclasses import dataclass

from hea_training.ranges import below, not_positive

__all__ = ["Settings"]


@dataclass(frozen=True)
class Settings:
    """How to train: the loss is energy_weight <|dE|/N> + force_weight <|dF|/(1 + |F|/force_scale)>, both rounded off
    near zero.

    energy_softness (eV/atom) and force_softness (eV/A) are where |x| turns into x^2; force_scale (eV/A) keeps close
    contacts from dominating.
    """

    epochs: int = 100
    batch_size: int = 16
    learning_rate: float = 3e-3
    weight_decay: float = 1e-3
    energy_weight: float = 10.0
    force_weight: float = 1.0
    energy_softness: float = 0.005
    force_softness: float = 0.02
    force_scale: float = 10.0
    clip: float = 10.0
    warm_up: float = 0.1

    def out_of_range(self, prefix: str = "") -> list[str]:
        """What is wrong with the settings, each named with a prefix."""
        least = {"epochs": 1, "batch_size": 1, "weight_decay": 0, "energy_weight": 0, "force_weight": 0}
        positive = ["learning_rate", "energy_softness", "force_softness", "force_scale", "clip"]
        wrong = below(self, least, prefix) + not_positive(self, positive, prefix)
        if not 0.0 < self.warm_up < 1.0:
            wrong.append(f"{prefix}warm_up must lie between 0 and 1, got {self.warm_up}")
        if self.energy_weight == self.force_weight == 0.0:
            wrong.append(f"{prefix}energy_weight and {prefix}force_weight must not both be 0")
        return wrong
