"""What a reference method is."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import platform
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hea_potential.errors import MissingPackageError


def none_known(symbols: Sequence[str]) -> list[str]:
    """Of a method about whose elements nothing is known before it is asked for an energy."""
    return []


@dataclass(frozen=True)
class ReferenceMethod:
    """How to label structures.

    Attributes:
        provenance: JSON document of the method and its settings, and the versions of the packages.
        calculator: makes an ASE calculator of energies (eV), forces (eV/A) and, for structures that are periodic in
            three directions, stresses (eV/A^3).
        lacks: those of some chemical symbols that the method cannot do, as far as that is known without a calculation.
    """

    provenance: dict[str, Any]
    calculator: Callable[[], Any]
    lacks: Callable[[Sequence[str]], list[str]] = none_known


def demand(package: str, method: str, how: str) -> None:
    """Raise MissingPackageError, which says how to install it, unless a package is there."""
    if importlib.util.find_spec(package) is None:
        message = f"the reference method {method!r} needs the package {package}, which is not installed: {how}"
        raise MissingPackageError(message)


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, numpy and the given packages, those that are installed."""
    found = {"python": platform.python_version()}
    for package in ("numpy", *packages):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
