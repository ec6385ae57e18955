"""How much a search may spend, in the words of a user: `500`, `100000calls`, `10min`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from hea_potential.errors import InputError

SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}
AMOUNT = re.compile(r"([-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|nan|inf))\s*([a-z]*)", re.IGNORECASE)


@dataclass(frozen=True)
class Budget:
    """Minimisations, force calls and seconds of a run in all, and seconds of one call; None is no limit."""

    minimisations: int | None = None
    calls: int | None = None
    seconds: float | None = None
    seconds_of_call: float | None = None

    @staticmethod
    def parse(words: int | str | None, force_calls: int | None = None, time: float | str | None = None) -> Budget:
        """Read `words` (minimisations without a unit, force calls with `calls`, a time with `s`, `min` or `h`) beside
        force calls that are given apart and the `time` of this call, which is in seconds where it has no unit.

        Raises InputError for what cannot be read, is not positive and finite, or is given twice.
        """
        number, unit = amount("budget", words)
        minimisations = number if unit == "" else None
        calls = number if unit == "calls" else None
        seconds = number * SECONDS[unit] if number is not None and unit in SECONDS else None
        if force_calls is not None:
            if calls is not None:
                raise InputError(f"search: force calls are limited twice, by the budget {words!r} and to {force_calls}")
            calls = float(force_calls)
        number, unit = amount("time", time)
        if unit not in ("none", "", *SECONDS):
            raise InputError(f"search: time of {time!r}; give seconds, or a number with s, min or h, such as 10min")
        of_call = None if number is None else number * SECONDS.get(unit, 1.0)
        return Budget(
            count_of("minimisations", minimisations),
            count_of("force calls", calls),
            positive(seconds),
            positive(of_call),
        )


def amount(what: str, words: float | str | None) -> tuple[float | None, str]:
    """Number and unit of one limit; (None, "none") where it is not given."""
    if words is None:
        return None, "none"
    found = AMOUNT.fullmatch(str(words).strip())
    if not found or found[2].lower() not in ("", "calls", *SECONDS):
        raise InputError(
            f"search: {what} of {str(words)!r}; write a number of minimisations such as 500, of force calls such as "
            f"100000calls, or a time such as 30s, 10min or 2h"
        )
    return float(found[1]), found[2].lower()


def count_of(what: str, number: float | None) -> int | None:
    """A number of things, after checking that it is one."""
    if number is None:
        return None
    if not (math.isfinite(number) and number >= 1.0 and number == int(number)):
        raise InputError(f"search: budget of {number:g} {what}; it must be a whole number, at least 1")
    return int(number)


def positive(seconds: float | None) -> float | None:
    """A time, after checking that it is one."""
    if seconds is not None and not 0.0 < seconds < math.inf:
        raise InputError(f"search: time of {seconds} seconds; it must be positive and finite")
    return seconds
