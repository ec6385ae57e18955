"""A meta loop so small that it runs in seconds, for tests: clusters of six atoms of two elements, labelled by EMT."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CONFIGURATION = """
elements = ["Ni", "Cu"]
reference = "emt"
loops = 2
[compositions]
size = 6
draw = 1
[start]
clusters = 6
dimers = 8
relax = 4
max_force = 100.0
[search]
minimisations = 20
path = 2
unknown = 5.0
[select]
quota = 3
max_force = 100.0
[architecture]
n_features = 8
n_angular = 2
n_hidden = 4
n_interactions = 1
[refresh]
first_epochs = 20
epochs = 5
"""
HEA = [sys.executable, "-c", "from hea_potential.cli import main; main()"]


def hea_loop(*words: object, launcher: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
    """The command as a user gives it, in processes of its own."""
    command = [*launcher, *HEA, "loop", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)


def ledger_of(folder: Path) -> list[dict[str, Any]]:
    """The finished steps of a run, without the seconds they took."""
    lines = [json.loads(line) for line in (folder / "ledger.jsonl").read_text().splitlines()]
    return [{key: value for key, value in line.items() if key != "seconds"} for line in lines]
