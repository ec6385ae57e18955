"""`hea search`: low-energy clusters of a composition, alone or under mpirun."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def search(
    composition: Annotated[str, typer.Argument(help="Elements and numbers of atoms, such as Cu10Ni10Pd5.")],
    *,
    budget: Annotated[
        int | None,
        typer.Option(
            "--budget",
            "-b",
            help="Minimisations in all, those of earlier calls included; 1000 without --time and --target.",
        ),
    ] = None,
    time: Annotated[float | None, typer.Option("--time", "-t", help="Seconds of this call.")] = None,
    target: Annotated[float | None, typer.Option(help="End at this energy.")] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of the run; random by default.")] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder of the run, continued if it holds one; runs/COMPOSITION by default."),
    ] = None,
    model: Annotated[
        str, typer.Option("--model", "-m", help="Shipped model or model file, for pair_style hea.")
    ] = "hea6",
    pair: Annotated[
        Path | None,
        typer.Option(help="LAMMPS lines of any other pair style; {elements} stands for the elements in order."),
    ] = None,
    method: Annotated[str, typer.Option(help="ga: genetic algorithm.")] = "ga",
    starts: Annotated[
        str, typer.Option(help="Comma-separated: random, close-packed, icosahedral, decahedral; or all.")
    ] = "random",
    fmax: Annotated[
        float, typer.Option(min=1e-9, help="Largest force of a minimum, in units of the pair style (eV/Angstrom).")
    ] = 0.01,
    calls: Annotated[int, typer.Option(min=1, help="Most force calls of a minimisation.")] = 4000,
    minimiser: Annotated[
        str, typer.Option(help="cg or lbfgs; auto: lbfgs for pair_style hea, cg for cheaper pair styles.")
    ] = "auto",
    window: Annotated[
        int | None,
        typer.Option(min=1, help="Tasks under way at once; what a seed finds depends on it. 16, or 4 a rank if more."),
    ] = None,
) -> None:
    """Search for the structures and orderings of lowest energy of a cluster; results go to an ASE database.

    Under mpirun all ranks minimise. Stopped or killed, the same command goes on where it was.

    Example:
        mpirun -n 4 hea search Cu10Ni10Pd10Ag10Pt10Au5 --budget 2000 --seed 1
        hea search Ar38 --pair lennard_jones.lmp --target -173.928 --fmax 0.001
    """
    from hea_potential.search.minimise import Limits
    from hea_potential.search.pictures import draw_best
    from hea_potential.search.progress import LiveProgress, console
    from hea_potential.search.run import search as run_search
    from hea_potential.search.starts import STARTS
    from hea_potential.search.state import Run
    from hea_potential.search.summary import report

    if budget is None and time is None and target is None:
        budget = 1000
    folder = out or Path("runs") / composition
    runs: list[Run] = []
    with LiveProgress() as progress:
        archive = run_search(
            composition,
            budget=budget,
            seconds=time,
            target=target,
            seed=seed,
            out=folder,
            model=model,
            pair=pair,
            method=method,
            starts=tuple(STARTS) if starts == "all" else tuple(filter(None, starts.split(","))),
            limits=Limits(fmax, calls, minimiser),
            window=window,
            observers=(lambda run: None if runs else runs.append(run), progress),
        )
    if archive is None:  # a rank of mpirun whose work is over
        return
    picture = folder / "best.png" if len(archive) else None
    if picture is not None:
        draw_best(picture, archive)
    report(runs[0], picture, console())
