"""JSON as files of ours hold it: valid UTF-8, finite numbers, no repeated keys; and words for what was got instead."""

from __future__ import annotations

import json
import math
from typing import Any, TypeGuard

__all__ = ["is_finite", "is_whole", "kind", "parse_json"]


def parse_json(text: bytes) -> Any:
    """Parse strict JSON. Raises ValueError that says what is wrong with it."""

    def without_repeats(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) < len(items):
            raise ValueError("a key is there twice")
        return dict(items)

    def finite(number: str) -> float:
        if not math.isfinite(float(number)):
            raise ValueError(f"{number} is not a finite number")
        return float(number)

    try:
        value = json.loads(text.decode(), object_pairs_hook=without_repeats, parse_float=finite, parse_constant=finite)
        json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates, which are no text
        return value
    except RecursionError as error:
        raise ValueError(str(error)) from error


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
