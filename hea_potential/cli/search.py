"""`hea search`: low-energy clusters of one composition or many, alone or under mpirun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

WHAT = "What is searched"
WHEN = "When it ends (each composition; the first limit that is reached counts)"
HOW = "How it is searched"


def search(
    compositions: Annotated[
        list[str] | None,
        typer.Argument(metavar="[COMPOSITION]...", help="Elements and numbers of atoms, such as Cu10Ni10Pd5."),
    ] = None,
    *,
    size: Annotated[int | None, typer.Option(help="Atoms of a range of compositions.", rich_help_panel=WHAT)] = None,
    elements: Annotated[
        str | None, typer.Option(help="Elements of a range, such as Ni,Cu,Pd.", rich_help_panel=WHAT)
    ] = None,
    all_ratios: Annotated[
        bool,
        typer.Option(
            "--all-ratios",
            help="All ratios of the elements, from pure to pure; without it only the equal one.",
            rich_help_panel=WHAT,
        ),
    ] = False,
    ratio_step: Annotated[
        int | None,
        typer.Option(
            help="Atoms between two compositions of a range; by default the least with at most 100 compositions.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model", "-m", help="Shipped model or model file, for pair_style hea; hea6.", rich_help_panel=WHAT
        ),
    ] = None,
    pair: Annotated[
        Path | None,
        typer.Option(
            help="File with the LAMMPS lines of any other pair style; {elements} stands for the elements in order.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    kappa: Annotated[
        float,
        typer.Option(
            help="Searches E - kappa sigma of the model, not E: above 0 for what is low or unknown.",
            rich_help_panel=WHAT,
        ),
    ] = 0.0,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            help="Folder of the run, continued if it holds one; runs/COMPOSITION by default. Several compositions have "
            "folders of their own below it.",
            rich_help_panel=WHAT,
        ),
    ] = None,
    budget: Annotated[
        str | None,
        typer.Option(
            "--budget",
            "-b",
            help="Minimisations, such as 500; or force calls, such as 100000calls; or time, such as 10min. Those of "
            "earlier calls count. 1000 minimisations if there is no other limit.",
            rich_help_panel=WHEN,
        ),
    ] = None,
    force_calls: Annotated[
        int | None, typer.Option(help="Force calls in all, as --budget 100000calls.", rich_help_panel=WHEN)
    ] = None,
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            "-t",
            help="Time of this call, whatever earlier ones took: seconds, 10min, 2h.",
            rich_help_panel=WHEN,
        ),
    ] = None,
    target: Annotated[
        float | None, typer.Option(help="Energy at which to end, or below.", rich_help_panel=WHEN)
    ] = None,
    method: Annotated[str, typer.Option(help="ga: genetic algorithm; bh: basin hopping.", rich_help_panel=HOW)] = "ga",
    seed: Annotated[
        int | None, typer.Option(help="The same seed finds the same; random by default.", rich_help_panel=HOW)
    ] = None,
    starts: Annotated[
        str,
        typer.Option(
            help="Comma-separated: random, symmetric, close-packed, icosahedral, decahedral; or all.",
            rich_help_panel=HOW,
        ),
    ] = "random,symmetric",
    moves: Annotated[
        str | None, typer.Option(help="Comma-separated, such as splice,rattle; all by default.", rich_help_panel=HOW)
    ] = None,
    fmax: Annotated[
        float | None,
        typer.Option(
            help="Largest force on an atom of a minimum, in units of the pair style: 0.01 (eV/Angstrom) by default, "
            "0.0002 in units electron, less where bonds are weak.",
            rich_help_panel=HOW,
        ),
    ] = None,
    calls: Annotated[int, typer.Option(help="Most force calls of one minimisation.", rich_help_panel=HOW)] = 4000,
    window: Annotated[
        int | None,
        typer.Option(
            help="Minimisations under way at once, besides slow ones; what a seed finds depends on it. 16, or 8 a rank "
            "of more than 4.",
            rich_help_panel=HOW,
        ),
    ] = None,
    task_seconds: Annotated[
        float,
        typer.Option(
            help="A task that takes longer hangs: its process is ended, and the task not done again. Time for which it "
            "is stopped, as by Ctrl-Z, counts.",
            rich_help_panel=HOW,
        ),
    ] = 3600.0,
) -> None:
    """Search for the structures and orderings of lowest energy of clusters, of one composition or a range.

    Minima go to an ASE database, the lowest to extxyz, a picture and a web page. Under mpirun all ranks minimise.
    Stopped or killed, the same command goes on where it was.

    Example:
        hea search Cu19Ni19 --budget 500 --seed 1
        mpirun -n 4 hea search Cu10Ni10Pd10Ag10Pt10Au5 --budget 2h
        hea search --size 38 --elements Ni,Cu --all-ratios --budget 300
        hea search Ar38 --pair lennard_jones.lmp --target -173.928 --fmax 0.001
    """
    from hea_potential.console import console
    from hea_potential.search.loop import SeriesError
    from hea_potential.search.minimise import Limits
    from hea_potential.search.progress import LiveProgress
    from hea_potential.search.ratios import asked_for, folder_name
    from hea_potential.search.run import search as run_search
    from hea_potential.search.series import members_of, report_series, write_series
    from hea_potential.search.state import Run
    from hea_potential.search.summary import illustrate, report
    from hea_potential.search.workers import mpi_executor

    runs: list[Run] = []
    failure: SeriesError | None = None

    def finish(run: Run) -> None:
        """Illustrate a run that has ended, while others of this call may still have to come."""
        if run.ended is not None:
            runs.append(run)
            illustrate(run)

    with mpi_executor() as rank_0:
        if rank_0 is None:  # the work of another rank is over
            return
        wanted = asked_for(compositions or [], size, elements, all_ratios, ratio_step)
        folder = out or Path("runs") / folder_name(wanted)
        if budget is None and force_calls is None and time is None and target is None:
            budget = "1000"
        try:
            with LiveProgress() as progress:
                run_search(
                    wanted if len(wanted) > 1 else wanted[0],
                    budget=budget,
                    force_calls=force_calls,
                    time=time,
                    target=target,
                    seed=seed,
                    out=folder,
                    model=model,
                    pair=pair,
                    kappa=kappa,
                    method=method,
                    starts=names_of_starts(starts),
                    moves=None if moves is None else names(moves),
                    limits=Limits(fmax, calls),
                    window=window,
                    task_seconds=task_seconds,
                    executor=rank_0[0],
                    workers=rank_0[1],
                    observers=(progress, finish),
                )
        except SeriesError as error:
            failure = error
        except KeyboardInterrupt:
            typer.echo(f"hea: interrupted; the same command goes on with what is in {folder}", err=True)
            raise typer.Exit(130) from None
        if len(wanted) == 1:
            report(runs[0], console())
        else:
            members = members_of(runs)
            write_series(folder, members)
            report_series(folder, members, console())
        if failure is not None:
            raise failure


def names_of_starts(words: str) -> tuple[str, ...]:
    """Names separated by commas, or those of all starts."""
    from hea_potential.search.starts import STARTS

    return tuple(STARTS) if words == "all" else names(words)


def names(words: str) -> tuple[str, ...]:
    """Names separated by commas."""
    return tuple(name.strip() for name in words.split(",") if name.strip())
