"""Runs searches as a user does, in processes of their own, and reads what they leave in their folders."""

from __future__ import annotations

import json
import sqlite3
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

import ase.db

from hea_potential.search import Archive

LENNARD_JONES = "units lj\npair_style lj/cut 30.0\npair_coeff * * 1.0 1.0\n"
ALLOY = "units lj\npair_style lj/cut 10.0\npair_coeff 1 1 1.0 1.0\npair_coeff 2 2 0.8 1.2\n"
MPIRUN = str(Path(sysconfig.get_path("scripts")) / "mpirun")
HEA = [sys.executable, "-c", "from hea_potential.cli import main; main()"]
TIME_LIMIT = 600.0  # s; a run that takes longer hangs: most take a few, but machines may be busy


def found(archive: Archive | None) -> Archive:
    assert archive is not None
    return archive


def hea(*words: object, ranks: int = 0) -> subprocess.CompletedProcess[str]:
    launcher = [MPIRUN, "-n", str(ranks)] if ranks else []
    command = [*launcher, *HEA, "search", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, timeout=TIME_LIMIT, check=False)


def entries(folder: Path) -> list[dict[str, Any]]:
    """What a journal says, without the times and checksums."""
    lines = [json.loads(line) for line in (folder / "journal.jsonl").read_text().splitlines()]
    drop = ("seconds", "quench_seconds", "elapsed", "check")
    return [{k: v for k, v in line.items() if k not in drop} for line in lines]


def check_database(folder: Path) -> None:
    """SQLite finds it whole, and it holds each minimum of the journal once, with its energy."""
    with sqlite3.connect(folder / "minima.db") as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    connection.close()
    accepted = {line["minimum"]: line["energy"] for line in entries(folder) if "positions" in line}
    rows = {row.minimum: row.energy for row in ase.db.connect(folder / "minima.db", serial=True).select()}
    assert rows == accepted
    assert sorted(rows) == list(range(len(rows)))
