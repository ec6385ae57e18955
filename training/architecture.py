"""Sizes of a model."""

from dataclasses import asdict, dataclass
from typing import Any

from ase.data import chemical_symbols

from hea_potential.model_format import MAX_CUTOFF, SIZES

__all__ = ["Architecture"]

FEWEST_INTERVALS = 8  # that a filter network is fitted at


@dataclass(frozen=True)
class Architecture:
    """Sizes of a model, by the names of the model file's metadata; `cutoff` in A."""

    elements: tuple[str, ...]
    cutoff: float = 5.0
    n_interactions: int = 2
    n_features: int = 64
    n_angular: int = 16
    n_intervals: int = 64
    n_hidden: int = 32
    rank_pair: int = 8
    rank_many: int = 16
    head_activation: str = "ssp"

    @property
    def n_elements(self) -> int:
        """S."""
        return len(self.elements)

    @property
    def n_pairs(self) -> int:
        """Unordered pairs of elements, S (S+1)/2."""
        return self.n_elements * (self.n_elements + 1) // 2

    @property
    def n_channels(self) -> int:
        """C = F + 2A, channels of a filter."""
        return self.n_features + 2 * self.n_angular

    @property
    def n_rows(self) -> int:
        """P, rows of an adapter."""
        return self.n_elements * self.rank_pair + self.rank_many

    def as_dict(self) -> dict[str, Any]:
        """The sizes by name, as JSON holds them."""
        return asdict(self) | {"elements": list(self.elements)}

    def out_of_range(self, prefix: str = "") -> list[str]:
        """What is wrong with the elements, and with the sizes, which are named with a prefix."""
        symbols = list(self.elements)
        wrong = [
            f"elements: {symbol!r} is no chemical symbol" for symbol in symbols if symbol not in chemical_symbols[1:]
        ]
        if not symbols:
            wrong.append("elements must name at least one element")
        if len(set(symbols)) != len(symbols):
            wrong.append(f"elements must differ, got {symbols}")
        for name, (least, most) in {**SIZES, "n_intervals": (FEWEST_INTERVALS, SIZES["n_intervals"][1])}.items():
            if not least <= getattr(self, name) <= most:
                wrong.append(f"{prefix}{name} must be {least} to {most}, got {getattr(self, name)}")
        if not 0.0 < self.cutoff <= MAX_CUTOFF:
            wrong.append(f"{prefix}cutoff must be above 0, up to {MAX_CUTOFF:g} A, got {self.cutoff}")
        if self.n_angular > self.n_features:
            wrong.append(f"{prefix}n_angular must be 0 to n_features, got {self.n_angular}")
        if self.head_activation not in ("ssp", "silu"):
            wrong.append(f"{prefix}head_activation must be ssp or silu, got {self.head_activation!r}")
        return wrong
