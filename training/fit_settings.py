"""Settings of one training run."""

from dataclasses import dataclass, fields

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
        wrong = []
        for f in fields(self):
            value, low = getattr(self, f.name), 1 if f.name in ("epochs", "batch_size") else 0
            if not value >= low:
                wrong.append(f"{prefix}{f.name} must be at least {low}, got {value}")
        if not self.learning_rate > 0:
            wrong.append(f"{prefix}learning_rate must be positive")
        if not 0 < self.warm_up < 1:
            wrong.append(f"{prefix}warm_up must lie between 0 and 1, got {self.warm_up}")
        return wrong
