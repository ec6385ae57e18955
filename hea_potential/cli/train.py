"""`hea train`: a potential from labelled structures, as a configuration file says."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

LOG_SECONDS = 30.0


def train(
    configuration: Annotated[Path, typer.Argument(help="TOML file: data, elements, architecture, training.")],
) -> None:
    """Train a potential: stratified, full, or SchNetPack's stock SchNet as a baseline.

    The configuration is checked whole before anything starts. Killed and started again, the same command goes on where
    it was. The output folder holds the model, its errors, and the checkpoints of every stratum.

    Example:
      hea train hea6.toml
    """
    from hea_training.config import read_config

    from hea_potential.cli.loading import loading_torch

    config = read_config(configuration)
    with loading_torch("hea train"):
        from hea_training.parity import Parity
        from hea_training.run import train as train_model
    with training_progress() as (report, say):
        path = train_model(config, report, say)
    errors = path.with_name("errors.json")
    typer.echo(f"model {path}")
    typer.echo(f"errors {errors}")
    agreement = json.loads(errors.read_text()).get("parity")  # a stock SchNetPack model is not exported: it has none
    if agreement:
        typer.echo(f"parity {Parity(**agreement)}")


@contextmanager
def training_progress() -> Iterator[tuple[Callable[[str, int, int, float], None], Callable[[str], None]]]:
    """Two functions: one shows how far each stratum is, by bars with the time left or lines in a log, and one says what
    is done before and after them.
    """
    from rich.console import Console
    from rich.progress import TaskID, TextColumn

    from hea_potential.cli.bars import progress_bars

    console = Console(stderr=True)
    with progress_bars(console, TextColumn("{task.fields[loss]}"), time_left=True) as bars:
        tasks: dict[str, TaskID] = {}
        began: dict[str, float] = {}
        said: dict[str, float] = {}
        first: dict[str, int] = {}

        def show(stratum: str, done: int, total: int, loss: float) -> None:
            now = time.monotonic()
            # Of a stratum that an earlier call finished there is one report, whose loss is NaN.
            words = "trained before" if stratum not in tasks and math.isnan(loss) else f"loss {loss:.4f}"
            if stratum not in tasks:
                tasks[stratum] = bars.add_task(stratum, total=total, loss=words)
                began[stratum] = said[stratum] = now
                first[stratum] = done
            bars.update(tasks[stratum], completed=done, loss=words)
            if not console.is_terminal and (done == total or now - said[stratum] > LOG_SECONDS):
                fitted = done - first[stratum]
                left = (
                    f", {(total - done) * (now - began[stratum]) / fitted:.0f} s left"
                    if fitted and done < total
                    else ""
                )
                console.print(f"{stratum}: epoch {done} of {total}, {words}{left}", highlight=False)
                said[stratum] = now

        def say(what: str) -> None:
            console.print(what, highlight=False, soft_wrap=True)

        yield show, say
