"""TOML files as dataclasses: a table's keys are a class's fields, and all that does not fit is gathered."""

import tomllib
from dataclasses import MISSING, Field, fields
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

from hea_potential.errors import InputError

__all__ = ["document_of", "section", "table"]


def document_of(path: Path) -> dict[str, Any]:
    """What a TOML file holds. Raises InputError for a file that cannot be read or is not TOML."""
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        found = "there is no such file" if isinstance(error, FileNotFoundError) else f"{error.strerror}"
        raise InputError(f"configuration {path}: {found}") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputError(f"configuration {path} is not TOML: {error}") from error


def section(table: dict[str, Any], key: str, wrong: list[str], prefix: str = "") -> dict[str, Any]:
    """The table under a key, empty where there is none; what is no table is added to `wrong`."""
    value = table.get(key, {})
    if isinstance(value, dict):
        return value
    wrong.append(f"{prefix}{key} must be a table, got {value!r}")
    return {}


def table(
    cls: type,
    given: dict[str, Any],
    prefix: str,
    wrong: list[str],
    skip: tuple[str, ...] = (),
    extra: tuple[str, ...] = (),
) -> dict[str, Any]:
    """The values of a dataclass found in a TOML table; what does not fit is added to `wrong`."""
    hints = get_type_hints(cls)
    known = {f.name: f for f in fields(cls) if f.name not in skip}
    values = {}
    for key, value in given.items():
        if key in extra and key not in known:
            continue
        if key not in known:
            wrong.append(f"unknown key {prefix}{key}; allowed are {', '.join(sorted([*known, *extra]))}")
            continue
        kind = hints[key]
        checked = _typed(value, kind)
        if checked is None:
            wrong.append(f"{prefix}{key} must be {_words(kind)}, got {value!r}")
        else:
            values[key] = checked
    wrong.extend(f"{prefix}{name} is missing" for name, f in known.items() if name not in given and _required(f))
    return values


def _required(f: Field) -> bool:  # type: ignore[type-arg]
    return f.default is MISSING and f.default_factory is MISSING


def _typed(value: Any, kind: Any) -> Any:
    """The value as the type asked for, or None when it is of another."""
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if kind is Path:
        return Path(value) if isinstance(value, str) else None
    if get_origin(kind) is list:
        return value if isinstance(value, list) and all(type(v) is get_args(kind)[0] for v in value) else None
    return value if type(value) is kind else None


def _words(kind: Any) -> str:
    names = {float: "a number", int: "a whole number", str: "a text", bool: "true or false", Path: "a path (a text)"}
    return names.get(kind, "a list of whole numbers" if kind == list[int] else "a list of texts")
