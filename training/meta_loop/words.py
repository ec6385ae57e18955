"""Finished steps in words, for people who watch a loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

__all__ = ["said"]

Facts = dict[str, Any]


def said(line: dict[str, Any]) -> str:
    """What a line of the ledger says, in a few words."""
    return OF_A_KIND[line["kind"]](line["facts"])


def of_start(facts: Facts) -> str:
    """The data to begin with."""
    return f"{facts['structures']} structures, {len(facts['failed'])} without label"


def of_search(facts: Facts) -> str:
    """What a search found, or why it found nothing."""
    if facts["best_energy"] is None:
        return f"no minimum; {facts.get('error') or facts['outcomes']}"
    return f"{facts['minima']} minima of {facts['minimisations']} minimisations, best {facts['best_energy']:.4f} eV"


def of_select(facts: Facts) -> str:
    """How many were chosen."""
    return f"{facts['chosen']} of {facts['candidates']} candidates"


def of_label(facts: Facts) -> str:
    """What the labels say of the model that asked for them."""
    errors, done = facts["errors"], f"{facts['labelled']} labels, {len(facts['failed'])} failed"
    if not errors["structures"]:
        return done
    return f"{done}; the model was off by {errors['energy_mae']:.3f} eV and {errors['force_mae'] / 1e3:.3f} eV/A"


def of_refresh(facts: Facts) -> str:
    """Whether the new model is used, and how good it is on the validation set."""
    verdict = f"{'accepted' if facts['accepted'] else 'refused'}: {facts['reason']}"
    errors = facts["after"].get("valid", {}).get("all")
    if not errors:
        return verdict
    return f"{verdict}; {errors['energy_mae']:.3f} eV and {errors['force_mae'] / 1e3:.3f} eV/A on the validation set"


OF_A_KIND: Mapping[str, Callable[[Facts], str]] = {
    "start": of_start,
    "search": of_search,
    "select": of_select,
    "label": of_label,
    "refresh": of_refresh,
}
