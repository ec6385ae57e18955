"""What the files in the folder of a meta loop are called, for the loop, which writes them, and for its report."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DATA", "IDENTITY", "LEDGER", "MODELS", "model_path"]

IDENTITY = "loop.json"  # what decides what the run is
LEDGER = "ledger.jsonl"  # a line for each finished step
DATA = "data.h5"  # the labelled structures
MODELS = "models"  # the folder of all models, rejected ones as well


def model_path(folder: Path, number: int) -> Path:
    """The file of a model in the folder of a run; numbers are in the order of refreshes, 0 is the starting one."""
    return folder / MODELS / f"{number:03d}.safetensors"
