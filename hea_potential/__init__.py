"""Potentials, structures and training for high-entropy alloys.

    from hea_potential import HEACalculator
    atoms.calc = HEACalculator()

Importing this package is light: the calculator, and with it ASE and the engine, is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hea_potential.calculator import HEACalculator

__version__ = "0.1.0"
__all__ = ["HEACalculator", "__version__"]


def __getattr__(name: str) -> Any:
    if name == "HEACalculator":
        from hea_potential.calculator import HEACalculator

        return HEACalculator
    raise AttributeError(f"module 'hea_potential' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), "HEACalculator"])
