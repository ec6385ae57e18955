"""A line of a meta loop's ledger: a finished step, as JSON; what it must hold."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

__all__ = ["read_line"]

Type = tuple[tuple[type, ...], str]  # what a value may be, in Python and in words

NUMBER: Type = ((int, float), "a number")
NUMBER_OR_NULL: Type = ((int, float, type(None)), "a number or null")
WHOLE: Type = ((int,), "a whole number")
WHOLE_OR_NULL: Type = ((int, type(None)), "a whole number or null")
WORDS: Type = ((str,), "a string")
WORDS_OR_NULL: Type = ((str, type(None)), "a string or null")
FLAG: Type = ((bool,), "true or false")
TABLE: Type = ((dict,), "a table")
LIST: Type = ((list,), "a list")

LINE: Mapping[str, Type] = {
    "step": WORDS,
    "kind": WORDS,
    "loop": WHOLE,
    "n_elements": WHOLE_OR_NULL,
    "composition": WORDS_OR_NULL,
    "seconds": NUMBER,
    "facts": TABLE,
}
FACTS: Mapping[str, Mapping[str, Type]] = {
    "start": {"structures": WHOLE, "labelled": WHOLE, "failed": TABLE, "data_sha256": WORDS},
    "search": {
        "model": WHOLE,
        "folder": WORDS,
        "minimisations": WHOLE,
        "force_calls": WHOLE,
        "minima": WHOLE,
        "best_energy": NUMBER_OR_NULL,
        "outcomes": TABLE,
    },
    "select": {"candidates": WHOLE, "chosen": WHOLE, "reasons": TABLE, "file": WORDS},
    "label": {"labelled": WHOLE, "failed": TABLE, "data_sha256": WORDS, "errors": TABLE},
    "refresh": {
        "model": WORDS,
        "sha256": WORDS,
        "accepted": FLAG,
        "reason": WORDS,
        "strata": LIST,
        "structures": WHOLE,
        "epochs": WHOLE,
        "before": TABLE,
        "after": TABLE,
        "calibration": TABLE,
    },
}
# What the tables among the facts hold, by their names; NESTED are tables of tables.
HELD: Mapping[str, Type] = {
    "failed": WORDS,
    "outcomes": WHOLE,
    "reasons": WHOLE,
    "errors": NUMBER,
    "calibration": NUMBER_OR_NULL,
}
NESTED = ("before", "after")  # by part of the data and by group of structures: errors


def read_line(text: bytes) -> dict[str, Any]:
    """A line of a ledger. Raises ValueError that says what is wrong with it."""
    line = json.loads(text)
    if not isinstance(line, dict):
        raise ValueError(f"must be a table, got {shown(line)}")
    check(line, LINE, "")
    if line["kind"] not in FACTS:
        raise ValueError(f"kind must be one of {', '.join(FACTS)}, got {shown(line['kind'])}")
    check(line["facts"], FACTS[line["kind"]], "facts.")
    for name, value, kind in held(line["facts"]):
        check_type(value, kind, f"facts.{name}")
    return line


def check(table: Mapping[str, Any], types: Mapping[str, Type], prefix: str) -> None:
    """Raise ValueError unless a table has all of some names with values of their types."""
    for name, kind in types.items():
        if name not in table:
            raise ValueError(f"{prefix}{name} is missing")
        check_type(table[name], kind, prefix + name)


def check_type(value: Any, kind: Type, name: str) -> None:
    """Raise ValueError for a value of another type; true and false are no numbers."""
    allowed, words = kind
    if not isinstance(value, allowed) or (isinstance(value, bool) and bool not in allowed):
        raise ValueError(f"{name} must be {words}, got {shown(value)}")


def held(facts: Mapping[str, Any]) -> Iterator[tuple[str, Any, Type]]:
    """The values in the tables among the facts: name, value, type."""
    for name, kind in HELD.items():
        for key, value in facts.get(name, {}).items():
            yield f"{name}.{key}", value, kind
    for name in NESTED:
        for part, groups in facts.get(name, {}).items():
            yield f"{name}.{part}", groups, TABLE
            for group, errors in groups.items():
                yield f"{name}.{part}.{group}", errors, TABLE
                for key, value in errors.items():
                    yield f"{name}.{part}.{group}.{key}", value, NUMBER


def shown(value: Any) -> str:
    """A value as the ledger has it, not at length."""
    text = json.dumps(value)
    return text if len(text) <= 60 else text[:57] + "..."
