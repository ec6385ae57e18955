"""JSON as files of ours hold it: valid UTF-8, numbers that a double holds, no repeated keys, bounded depth and length;
and words for what was got instead.

`engine/json.cpp` accepts and refuses the same.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any, TypeGuard

__all__ = ["is_finite", "is_whole", "kind", "parse_json"]


MAX_DEPTH = 64
MAX_VALUES = 1_000_000


def parse_json(text: bytes) -> Any:
    """Parse strict JSON. Raises ValueError that says what is wrong with it."""
    try:
        value = json.loads(
            text.decode(),
            object_pairs_hook=without_repeats,
            parse_float=number,
            parse_int=whole_number,
            parse_constant=number,
        )
        check_extent(value)
        json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates, which are no text
        return value
    except RecursionError as error:
        raise ValueError(str(error)) from error


def without_repeats(items: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object of JSON. Raises ValueError for a key that is there twice."""
    if len({key for key, _ in items}) < len(items):
        raise ValueError("a key is there twice")
    return dict(items)


def number(text: str) -> float:
    """A number of JSON. Raises ValueError if it is above all doubles, or too small for any but zero."""
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text[:40]} is not a finite number")
    if value == 0.0 and re.match("-?[0.]*[1-9]", text):
        raise ValueError(f"{text[:40]} is too close to zero")
    return value


def whole_number(text: str) -> int:
    """A number of JSON without point and exponent. Raises ValueError as `number`."""
    number(text)
    return int(text)


def check_extent(value: Any) -> None:
    """Refuse a value that is nested too deep or holds too many values. Raises ValueError."""
    level, count = [value], 1
    for _ in range(MAX_DEPTH):
        level = [inner for outer in level if isinstance(outer, dict | list) for inner in values_of(outer)]
        count += len(level)
        if count > MAX_VALUES:
            raise ValueError(f"more than {MAX_VALUES} values")
    if any(isinstance(outer, dict | list) and outer for outer in level):
        raise ValueError(f"nested more than {MAX_DEPTH} deep")


def values_of(outer: dict[str, Any] | list[Any]) -> Any:
    """The values in an object or an array."""
    return outer.values() if isinstance(outer, dict) else outer


def is_finite(x: Any) -> TypeGuard[int | float]:
    """Tell whether a JSON value is a finite number; true and false are none."""
    return type(x) in (int, float) and abs(x) < math.inf


def is_whole(x: Any) -> TypeGuard[int | float]:
    """Tell whether a JSON number is an integer; JSON does not distinguish 1 from 1.0."""
    return is_finite(x) and x == int(x)


def kind(x: Any) -> str:
    """Name a JSON value's type in the words of JSON."""
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return names.get(type(x), "null")
