"""What benchmarks read of a finished meta loop: its configuration, its models, compositions that it has never seen."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from hea_training.meta_loop.config import LoopConfig
from hea_training.meta_loop.config_file import config_of
from hea_training.meta_loop.plan import steps_of


def config_of_run(run: Path) -> LoopConfig:
    """The configuration in a run's folder."""
    return config_of(json.loads((run / "loop.json").read_text())["config"], "loop.json", run)


def accepted_models(run: Path) -> dict[int, Path]:
    """The last model that was accepted in each loop, 0 being the beginning."""
    lines = [json.loads(line) for line in (run / "ledger.jsonl").read_text().splitlines()]
    accepted = [line for line in lines if line["kind"] == "refresh" and line["facts"]["accepted"]]
    return {line["loop"]: run / line["facts"]["model"] for line in accepted}


def unseen_compositions(config: LoopConfig, count: int) -> list[str]:
    """Compositions that the loop would draw next, in turn of each number of elements."""
    further = replace(config, loops=config.loops + 3)
    steps = [step for step in steps_of(further) if step.loop > config.loops and step.kind == "search"]
    by_number = [[step.composition for step in steps if step.n_elements == n] for n in config.n_elements]
    in_turn = [formula for row in zip(*by_number, strict=False) for formula in row if formula]
    return in_turn[:count]
