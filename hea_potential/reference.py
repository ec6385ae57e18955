"""Reference methods by name: what labels are made with.

| name            | what it is                                                                              |
|-----------------|-----------------------------------------------------------------------------------------|
| `emt`           | ASE's effective-medium theory: for tests and tutorials                                  |
| `sevennet`      | 7net-mf-0, modal PBE, from the wheel `sevenn` (extra `reference`), on one CPU thread     |
| `module:callable` | anything importable that returns an ASE calculator when called without arguments      |

`reference_method` gives a way to make the calculator, and its provenance: a JSON document with the method, its settings
and the versions of the packages, kept with every data set.
"""

from __future__ import annotations

import importlib
import importlib.metadata
import importlib.util
import os
import platform
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hea_potential.errors import InputError, MissingPackageError

SEVENNET_MODEL = "7net-mf-0"
SEVENNET_MODAL = "PBE"


@dataclass(frozen=True)
class ReferenceMethod:
    """How to make an ASE calculator of energies (eV), forces (eV/A) and stresses (eV/A^3), and its provenance."""

    provenance: dict[str, Any]
    calculator: Callable[[], Any]


def emt() -> ReferenceMethod:
    """ASE's effective-medium theory."""
    from ase.calculators.emt import EMT

    return ReferenceMethod({"method": "emt", "packages": versions("ase")}, EMT)


def sevennet() -> ReferenceMethod:
    """7net-mf-0, modal PBE."""
    if importlib.util.find_spec("sevenn") is None:
        raise MissingPackageError(
            "the reference method 'sevennet' needs the package sevenn, which is not installed: "
            "pip install 'hea-potential[reference]'"
        )
    provenance = {
        "method": "sevennet",
        "model": SEVENNET_MODEL,
        "modal": SEVENNET_MODAL,
        "licence": "MIT (SevenNet, https://github.com/MDIL-SNU/SevenNet)",
        "packages": versions("sevenn", "torch", "e3nn", "ase"),
    }
    return ReferenceMethod(provenance, sevennet_calculator)


def sevennet_calculator() -> Any:
    """The calculator of 7net-mf-0, on as many threads as OMP_NUM_THREADS says (default 1)."""
    import torch

    with warnings.catch_warnings():
        # At import and construction: on type annotations inside torch, and on CUDA kernels that a CPU lacks.
        warnings.simplefilter("ignore")
        from sevenn.calculator import SevenNetCalculator

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        return SevenNetCalculator(SEVENNET_MODEL, modal=SEVENNET_MODAL, device="cpu")


METHODS: dict[str, Callable[[], ReferenceMethod]] = {"emt": emt, "sevennet": sevennet}


def reference_method(name: str) -> ReferenceMethod:
    """The reference method of this name. Nothing heavy is loaded before its `calculator()` is called.

    `module:callable` is imported with the current folder on the search path; the callable takes no arguments.
    Raises InputError for an unknown name, listing those allowed; MissingPackageError when an extra is not installed.
    """
    if name in METHODS:
        return METHODS[name]()
    allowed = f"allowed are {', '.join(sorted(METHODS))} and module:callable"
    module_name, colon, attribute = name.partition(":")
    if not (colon and module_name and attribute):
        raise InputError(f"unknown reference method {name!r}; {allowed}")
    calculator = imported(module_name, attribute, allowed)
    return ReferenceMethod({"method": name, "packages": versions("ase")}, calculator)


def imported(module_name: str, attribute: str, allowed: str) -> Callable[[], Any]:
    """The callable `attribute` of a module."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last: what lies in the folder must not take the place of what is installed
    try:
        module = importlib.import_module(module_name)
    except ImportError as error:
        message = f"reference method {module_name}:{attribute}: cannot import {module_name} ({error}); {allowed}"
        raise InputError(message) from error
    found: Callable[[], Any] | None = getattr(module, attribute, None)
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
