"""What a search costs until it reaches a known energy: repeats from random starts, kept in a file as they finish."""

from __future__ import annotations

import json
import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.table import Table

from hea_potential.complete_file import complete_file
from hea_potential.errors import InputError, OutputError
from hea_potential.search.budget import Budget
from hea_potential.search.composition import Composition
from hea_potential.search.identity import check_same, identity_of
from hea_potential.search.minimise import Minimiser
from hea_potential.search.plan import LEAST_WINDOW, planned
from hea_potential.search.run import search
from hea_potential.search.settings import settings_of
from hea_potential.search.state import Run, Stop
from hea_potential.search.trials import Trial, mean_cost, median_cost, success_curve, success_rate
from hea_potential.search.workers import mpi_executor

FORMAT = "hea-bench-search"
VERSION = 1
RECORD = "bench.json"
PLOT = "bench.png"
TIGHTER = 0.01  # of the largest force in the search: so that lowest energies can be compared to the last digit
CROWD = 3  # with more curves than this their intervals would hide each other


@dataclass(frozen=True)
class Bench:
    """Finished repeats of one search, and what the search is; its seed is that of the first."""

    name: str
    target: float
    budget: int
    identity: dict[str, Any]
    trials: tuple[Trial, ...] = ()

    @property
    def lowest(self) -> float:
        """The lowest energy of all repeats, NaN if none found a minimum."""
        return min((trial.energy for trial in self.trials if not math.isnan(trial.energy)), default=math.nan)


Progress = Callable[[Bench, Run | None], None]


def bench_search(
    composition: str,
    *,
    target: float,
    repeats: int = 20,
    budget: int = 5000,
    seed: int = 1,
    method: str = "ga",
    window: int = LEAST_WINDOW,
    label: str | None = None,
    out: str | Path | None = None,
    progress: Progress = lambda bench, run: None,
    **settings: Any,
) -> Bench | None:
    """Repeat a search from its starts until each reaches `target` or has spent `budget` minimisations.

    Repeat k has the seed `seed` + k, so that `search` with this seed and window does the same again. Under mpirun all
    ranks work on one repeat after the other; the ranks other than 0 get None. label: the name in table and plot. out:
    the folder of bench.json, where finished repeats are kept and counted when the same call is made again, and of the
    plot. settings: as for `search` (model, pair, kappa, starts, moves, limits). progress: called with what is finished,
    and with the run in progress.

    Raises InputError, RunFolderError, OutputError and what `search` raises.
    """
    with mpi_executor() as ranks:
        if ranks is None:
            return None
        if repeats < 1:
            raise InputError(f"bench: {repeats} repeats; at least 1")
        if not math.isfinite(target):
            raise InputError(f"bench: target energy {target}; it must be a finite number")
        executor, workers = ranks
        folder = None if out is None else Path(out)
        asked = settings_of(Composition.parse(composition), method, **settings)
        (plan,) = planned([asked], Stop.of(Budget.parse(budget), target), seed, window, None, 1, own_folders=False)
        identity = identity_of(plan.setup, method, window)
        bench = opened(folder, Bench(label or f"{composition} {method}", target, budget, identity))
        for repeat in range(len(bench.trials), repeats):
            runs: deque[Run] = deque(maxlen=1)  # the one that observers see, again and again
            search(
                composition,
                target=target,
                budget=budget,
                seed=seed + repeat,
                method=method,
                window=window,
                executor=executor,
                workers=workers,
                observers=(runs.append, partial(progress, bench)),
                confirm=0,
                **settings,
            )
            bench = replace(bench, trials=(*bench.trials, trial_of(runs[-1])))
            if folder is not None:
                write_record(folder, bench)
            progress(bench, None)
        if folder is not None:
            draw(folder / PLOT, [bench])
    return bench


def trial_of(run: Run) -> Trial:
    """What a finished search has reached and spent; its lowest energy is that of the best minimum relaxed further."""
    best, setup, tally = run.archive.best, run.setup, run.tally
    energy = math.nan
    if best is not None:
        minimiser = Minimiser(setup.composition, setup.pair, setup.bond_lengths, setup.limits)
        minimiser.largest_force *= TIGHTER
        energy = min(best.energy, minimiser(best.cluster).energy)
        minimiser.close()
    return Trial(setup.seed, run.target_reached, tally.done, tally.calls, run.seconds, energy)


def opened(folder: Path | None, bench: Bench) -> Bench:
    """A bench with the repeats that a folder holds; raises RunFolderError if they are of another search, or had another
    target or budget.
    """
    if folder is None:
        return bench
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not (folder / RECORD).exists():
            return bench
        content = json.loads((folder / RECORD).read_text(encoding="utf-8"))
        if (content["format"], content["version"]) != (FORMAT, VERSION):
            raise ValueError(
                f"format {content['format']!r} version {content['version']}; allowed: {FORMAT!r} {VERSION}"
            )
        kept = tuple(Trial(**{**trial, "energy": number_of(trial["energy"])}) for trial in content["trials"])
        held = {**content["search"], "target": content["target"], "budget": content["budget"]}
    except OSError as error:
        raise OutputError(f"bench folder {str(folder)!r}: cannot be used: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{folder / RECORD}: is not the record of a bench, or damaged: {error}") from error
    check_same(folder, held, {**bench.identity, "target": bench.target, "budget": bench.budget})
    return replace(bench, trials=kept)


def write_record(folder: Path, bench: Bench) -> None:
    """Write all finished repeats; JSON has no NaN: an energy that is none becomes null."""
    trials = [asdict(trial) | {"energy": None if math.isnan(trial.energy) else trial.energy} for trial in bench.trials]
    ended = {"target": bench.target, "budget": bench.budget}
    content = {"format": FORMAT, "version": VERSION, "search": bench.identity, **ended, "trials": trials}
    with complete_file(folder / RECORD) as path:
        path.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


def number_of(value: float | None) -> float:
    """A number as JSON holds it."""
    return math.nan if value is None else value


def table_of(benches: Sequence[Bench], title: str) -> Table:
    """Success and cost of several benches, each with at least one finished repeat: a line for each, or where there is
    only one a line for each fact, for which any terminal is wide enough.
    """
    table = Table(title=title, title_justify="left", show_header=len(benches) > 1)
    facts = [facts_of(bench) for bench in benches]
    if len(benches) == 1:
        for heading, fact in facts[0].items():
            table.add_row(heading, fact)
        return table
    for heading in facts[0]:
        table.add_column(heading, justify="left" if heading == "search" else "right")
    for each in facts:
        table.add_row(*each.values())
    return table


def facts_of(bench: Bench) -> dict[str, str]:
    """Success and cost of a bench in words, by their headings."""
    rate = success_rate(bench.trials)
    facts = {
        "search": bench.name,
        "target": f"{bench.target:.6f}",
        "lowest": f"{bench.lowest:.6f}",
        "hits": f"{sum(trial.reached for trial in bench.trials)}/{len(bench.trials)}",
        "success, 95 %": f"{100.0 * rate.value:.0f} % ({100.0 * rate.low:.0f}-{100.0 * rate.high:.0f})",
    }
    reached = np.array([trial.reached for trial in bench.trials])
    for name, what in (("quenches", "quenches"), ("force calls", "calls")):
        costs = np.array([getattr(trial, what) for trial in bench.trials], float)
        mean = mean_cost(costs, reached)
        facts[f"mean {name}, 95 %"] = f"{mean.value:.0f} ({mean.low:.0f}-{mean.high:.0f})"
        facts[f"median {name}"] = f"{median_cost(costs, reached):.0f}"
    return facts


def draw(path: Path, benches: Sequence[Bench]) -> None:
    """Write a PNG of the share of searches that have reached their target, against quenches and against force calls."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.0, 4.2), dpi=160, facecolor="white", layout="constrained")
    FigureCanvasAgg(figure)
    for axes, what in zip(figure.subplots(1, 2, sharey=True), ("quenches", "calls"), strict=True):
        for bench in benches:
            costs = np.array([getattr(trial, what) for trial in bench.trials], float)
            reached = np.array([trial.reached for trial in bench.trials])
            at, share, low, high = (np.concatenate([[first], rest]) for first, rest in zip(
                (0.8 * costs.min(), 0.0, 0.0, 0.0), success_curve(costs, reached), strict=True
            ))  # fmt: skip
            (line,) = axes.step(at, share, where="post", label=f"{bench.name}, {reached.sum()} of {len(reached)}")
            if len(benches) <= CROWD:
                axes.fill_between(at, low, high, step="post", alpha=0.15, color=line.get_color(), linewidth=0.0)
        axes.set(xscale="log", ylim=(0.0, 1.02), xlabel={"quenches": "quenches", "calls": "force calls"}[what])
        axes.grid(alpha=0.3)
    figure.axes[0].set_ylabel("searches that have reached the target")
    figure.axes[0].legend(loc="upper left", fontsize="small")
    with complete_file(path) as unfinished:
        figure.savefig(unfinished, format="png")
