"""Settings of a refresh of the model; loads no torch, so that a configuration is checked quickly."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["RefreshSettings"]


@dataclass(frozen=True)
class RefreshSettings:
    """How a model is trained after new labels; see `refresh`.

    first_epochs: of the first training, from nothing; epochs: of each later one, from the present model.
    """

    first_epochs: int = 60
    epochs: int = 20
    batch_size: int = 16
    first_learning_rate: float = 3e-3
    learning_rate: float = 1.5e-3

    def out_of_range(self, prefix: str = "") -> list[str]:
        """What is wrong with the settings, each named with a prefix."""
        whole = ("first_epochs", "epochs", "batch_size")
        wrong = [
            f"{prefix}{name} must be at least 1, got {getattr(self, name)}" for name in whole if getattr(self, name) < 1
        ]
        rates = ("first_learning_rate", "learning_rate")
        return wrong + [
            f"{prefix}{name} must be positive, got {getattr(self, name)}"
            for name in rates
            if not 0.0 < getattr(self, name) < float("inf")
        ]
