"""Whether what finished steps left in a run's folder is still there: a loop does not go on without it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from hea_training.meta_loop.ledger import LoopFolderError
from hea_training.meta_loop.refreshed import sha256_of

from hea_potential.dataset import read_dataset
from hea_potential.loop_files import DATA
from hea_potential.search.journal import NAME as JOURNAL

__all__ = ["check_outputs"]

SHOWN = 3  # that an error names


def check_outputs(folder: Path, lines: Sequence[Mapping[str, Any]]) -> None:
    """Raise LoopFolderError if a file that the ledger's lines name is gone, a model is another than it was, or labels
    are gone: steps to come would take a search without minima for one that found none. InputError for damaged data.
    """
    wrong = [f"{path} of step {line['step']} is {what}" for line in lines for path, what in troubles(folder, line)]
    wrong = wrong or lost_labels(folder, lines)
    if wrong:
        others = f", and {len(wrong) - SHOWN} more" if len(wrong) > SHOWN else ""
        raise LoopFolderError(
            f"run folder {str(folder)!r} is not whole: {', '.join(wrong[:SHOWN])}{others}; restore what was there, or "
            f"choose another folder"
        )


def troubles(folder: Path, line: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Files of a finished step that are not as it left them, and what they are instead."""
    facts = line["facts"]
    for path in files_of(line["kind"], facts):
        if not (folder / path).is_file():
            yield path, "missing"
        elif line["kind"] == "refresh" and sha256_of(folder / path) != facts["sha256"]:
            yield path, "another model than it was"


def lost_labels(folder: Path, lines: Sequence[Mapping[str, Any]]) -> list[str]:
    """What is wrong with the data set: it may have labels that no line tells of yet, but none may be gone. It is read
    whole, with its hash, so that damage is found here and not after the hours of a search.
    """
    begun = sum(line["facts"]["structures"] for line in lines if line["kind"] == "start")
    told = begun + sum(line["facts"]["labelled"] for line in lines if line["kind"] == "label")
    there_are = len(read_dataset(folder / DATA)) if told else 0
    return [f"{DATA} has {there_are} of {told} structures"] if there_are < told else []


def files_of(kind: str, facts: Mapping[str, Any]) -> Iterator[str]:
    """The files that a step of a kind leaves, by its facts."""
    if kind == "start":
        yield DATA
    elif kind == "search":
        if "error" not in facts:  # a search that could not begin leaves none
            yield f"{facts['folder']}/{JOURNAL}"
        if "surrogate" in facts:
            yield facts["surrogate"]
    elif kind == "select":
        yield facts["file"]
    elif kind == "refresh":
        yield facts["model"]
