"""From the name of a reference method to the method."""

from __future__ import annotations

import hashlib
import importlib
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ase.data import chemical_symbols

from hea_potential.errors import InputError
from hea_potential.reference.gpaw import gpaw
from hea_potential.reference.learned import chgnet, sevennet
from hea_potential.reference.method import ReferenceMethod, versions
from hea_potential.reference.pair_style import lammps


def emt(argument: str = "") -> ReferenceMethod:
    """ASE's effective-medium theory."""
    from ase.calculators.emt import EMT

    if argument:
        raise InputError(f"reference method emt: got {argument!r} after the colon; allowed is emt alone")
    return ReferenceMethod({"method": "emt", "packages": versions("ase")}, EMT, beyond_emt)


def beyond_emt(symbols: Sequence[str]) -> list[str]:
    """Of chemical symbols those that EMT has no parameters for."""
    from ase.calculators.emt import parameters

    return [symbol for symbol in symbols if symbol not in parameters]


METHODS: dict[str, Callable[[str], ReferenceMethod]] = {
    "emt": emt,
    "sevennet": sevennet,
    "chgnet": chgnet,
    "lammps": lammps,
    "gpaw": gpaw,
}


def reference_method(name: str) -> ReferenceMethod:
    """The reference method of this name. Nothing heavy is loaded before its `calculator()` is called.

    `module:callable` is imported with the current folder on the search path; the callable takes no arguments.
    Raises InputError for an unknown name, listing those allowed, or for something wrong after the colon;
    MissingPackageError when an extra is not installed.
    """
    method, colon, argument = name.partition(":")
    if method in METHODS:
        return METHODS[method](argument)
    allowed = f"allowed are {', '.join(METHODS)} and module:callable"
    if not (colon and method and argument):
        raise InputError(f"unknown reference method {name!r}; {allowed}")
    calculator = imported(method, argument, allowed)
    return ReferenceMethod({"method": name, "packages": versions("ase")}, calculator)


def hash_of_file(name: str) -> str:
    """SHA-256 of the file after the colon of a reference method's name: the method is another one when that changes,
    though not in name. Empty where no file stands there.
    """
    path = Path(name.partition(":")[2])
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""


def check_elements(name: str, symbols: Sequence[str]) -> None:
    """Raise InputError if a reference method is known to lack one of some elements, or if one is not an element."""
    strange = [symbol for symbol in symbols if symbol not in chemical_symbols[1:]]
    if strange:
        raise InputError(f"elements: got {', '.join(strange)}; allowed are chemical symbols")
    lacking = reference_method(name).lacks(symbols)
    if lacking:
        raise InputError(f"reference method {name!r}: does not know {', '.join(lacking)}")


def imported(module_name: str, attribute: str, allowed: str) -> Callable[[], Any]:
    """The callable `attribute` of a module."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # last: what lies in the folder must not take the place of what is installed
    try:
        module = importlib.import_module(module_name)
    except (Exception, SystemExit) as error:  # whatever the module does when it is imported
        reason = f"{type(error).__name__}: {error}"
        message = f"reference method {module_name}:{attribute}: cannot import {module_name} ({reason}); {allowed}"
        raise InputError(message) from error
    found: Callable[[], Any] | None = getattr(module, attribute, None)
    if not callable(found):
        what = "has no callable" if found is None else "has something that cannot be called as"
        raise InputError(f"reference method {module_name}:{attribute}: {module_name} {what} {attribute}; {allowed}")
    return found
