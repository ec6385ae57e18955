"""Settings outside the range that they may have, in words."""

from collections.abc import Mapping
from math import inf
from typing import Any

__all__ = ["above", "below", "not_positive"]


def below(settings: Any, least: Mapping[str, float], prefix: str) -> list[str]:
    """The settings that are smaller than they may be, or not finite, each named with a prefix."""
    values = {name: getattr(settings, name) for name in least}
    return [
        f"{prefix}{name} must be at least {low}, got {values[name]}"
        for name, low in least.items()
        if not low <= values[name] < inf
    ]


def above(settings: Any, most: Mapping[str, float], prefix: str) -> list[str]:
    """The settings that are larger than they may be, each named with a prefix."""
    values = {name: getattr(settings, name) for name in most}
    return [
        f"{prefix}{name} must be at most {high}, got {values[name]}"
        for name, high in most.items()
        if values[name] > high
    ]


def not_positive(settings: Any, names: list[str], prefix: str) -> list[str]:
    """The settings that are not above zero, or not finite, each named with a prefix."""
    values = {name: getattr(settings, name) for name in names}
    return [f"{prefix}{name} must be positive, got {value}" for name, value in values.items() if not 0.0 < value < inf]
