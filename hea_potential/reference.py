"""Reference methods by name: what labels are made with.

| name            | what it is                                                                              |
|-----------------|-----------------------------------------------------------------------------------------|
| `emt`           | ASE's effective-medium theory: for tests and tutorials                                  |
| `sevennet`      | 7net-mf-0, modal PBE, from the wheel `sevenn` (extra `reference`), on one CPU thread     |
| `module:callable` | anything importable that returns an ASE calculator when called without arguments      |

A method is built by `reference_method`, which gives the calculator and a provenance: a JSON document with the method, its
settings and the versions of the packages, kept with every data set.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hea_potential.errors import InputError, MissingPackageError

SEVENNET_MODEL = "7net-mf-0"
SEVENNET_MODAL = "PBE"


@dataclass(frozen=True)
class ReferenceMethod:
    """An ASE calculator that gives energies (eV), forces (eV/A) and stresses (eV/A^3), and where it comes from."""

    calculator: Any
    provenance: dict[str, Any]


def emt() -> ReferenceMethod:
    from ase.calculators.emt import EMT

    return ReferenceMethod(EMT(), {"method": "emt", "packages": versions("ase")})


def sevennet() -> ReferenceMethod:
    if importlib.util.find_spec("sevenn") is None:
        raise MissingPackageError(
            "the reference method 'sevennet' needs the package sevenn, which is not installed: "
            "pip install 'hea-potential[reference]'"
        )
    import torch
    from sevenn.calculator import SevenNetCalculator

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    calculator = SevenNetCalculator(SEVENNET_MODEL, modal=SEVENNET_MODAL, device="cpu")
    provenance = {
        "method": "sevennet",
        "model": SEVENNET_MODEL,
        "modal": SEVENNET_MODAL,
        "licence": "MIT (SevenNet, https://github.com/MDIL-SNU/SevenNet)",
        "packages": versions("sevenn", "torch", "e3nn", "ase"),
    }
    return ReferenceMethod(calculator, provenance)


METHODS: dict[str, Callable[[], ReferenceMethod]] = {"emt": emt, "sevennet": sevennet}


def reference_method(name: str) -> ReferenceMethod:
    """The reference method of this name.

    `module:callable` is imported with the current folder on the search path, and called without arguments.
    Raises InputError for an unknown name, listing those allowed; MissingPackageError when an extra is not installed.
    """
    if name in METHODS:
        return METHODS[name]()
    allowed = f"allowed are {', '.join(sorted(METHODS))} and module:callable"
    module_name, colon, attribute = name.partition(":")
    if not (colon and module_name and attribute):
        raise InputError(f"unknown reference method {name!r}; {allowed}")
    return ReferenceMethod(imported(module_name, attribute, allowed)(), {"method": name, "packages": versions("ase")})


def imported(module_name: str, attribute: str, allowed: str) -> Callable[[], Any]:
    """The callable `attribute` of a module."""
    here = os.getcwd()
    if here not in sys.path:
        sys.path.insert(0, here)
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        raise InputError(f"reference method {module_name}:{attribute}: cannot import {module_name} ({error}); {allowed}") from error
    found = getattr(module, attribute, None)
    if not callable(found):
        what = "has no callable" if found is None else "has something that cannot be called as"
        raise InputError(f"reference method {module_name}:{attribute}: {module_name} {what} {attribute}; {allowed}")
    return found


def versions(*packages: str) -> dict[str, str]:
    """Versions of Python, this package's dependencies and the given packages, those that are installed."""
    found = {"python": platform.python_version()}
    for package in ("numpy", *packages):
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found
