"""What a person sees when a search has ended: the lowest minima with their gaps, what the run cost, and where the
files are.
"""

from __future__ import annotations

from pathlib import Path

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from hea_potential.search.archive import Archive
from hea_potential.search.geometry import Cluster, Floats, coordination
from hea_potential.search.state import Run

FULL = 9  # an atom with fewer contacts than a close-packed plane offers is at an edge, a corner or alone


def report(run: Run, picture: Path | None, console: Console) -> None:
    """Print the end of a run."""
    archive, tally = run.archive, run.tally
    parts: list[Table | Text] = []
    if len(archive):
        parts.append(lowest_table(archive, run.setup.bond_lengths))
    share = 100.0 * tally.quench_seconds / tally.seconds if tally.seconds else 0.0
    failures = ", ".join(
        f"{count} {outcome}" for outcome, count in sorted(tally.outcomes.items()) if outcome != "minimum"
    )
    parts.append(
        Text(
            f"{tally.done} minimisations ({run.resumed} of them in earlier calls), {tally.calls} force calls, "
            f"{run.age:.1f} s on {run.ranks} {'rank' if run.ranks == 1 else 'ranks'}; {share:.0f} % of the work inside "
            f"LAMMPS; {len(archive)} distinct minima; not a minimum: {failures or 'none'}"
        )
    )
    if tally.last_message:
        parts.append(Text(f"last failure: {tally.last_message}"))
    if run.stop.target is not None:
        reached = "reached" if run.target_reached else "not reached"
        parts.append(Text(f"target {run.stop.target} {archive.energy_unit}: {reached}"))
    if archive.folder is not None:
        parts.append(files_table(archive.folder, picture))
    console.print(Group(*parts))


def lowest_table(archive: Archive, bonds: Floats) -> Table:
    """The ten lowest distinct minima."""
    best = archive.lowest(1)[0].energy
    unit = archive.energy_unit
    table = Table(title=f"{archive.composition.formula}: lowest distinct minima", title_justify="left")
    for heading in ("", f"energy, {unit}", f"above best, {unit}", f"{unit}/atom", "found by", "task", "hits"):
        table.add_column(heading, justify="left" if heading == "found by" else "right")
    if len(archive.composition.symbols) > 1:
        table.add_column("inner atoms")
    for rank, minimum in enumerate(archive.lowest(10), start=1):
        row = [
            f"{rank}",
            f"{minimum.energy:.6f}",
            f"{minimum.energy - best:.6f}",
            f"{minimum.energy / archive.composition.size:.6f}",
            minimum.operator,
            f"{minimum.task}",
            f"{minimum.hits}",
        ]
        if len(archive.composition.symbols) > 1:
            row.append(inner_formula(archive, minimum.cluster, bonds))
        table.add_row(*row)
    return table


def inner_formula(archive: Archive, cluster: Cluster, bonds: Floats) -> str:
    """How many atoms of each element have more contacts than an atom in a close-packed surface, which are those
    inside.
    """
    inside = cluster.types[coordination(cluster, bonds) > FULL]
    counts = [(symbol, int((inside == kind).sum())) for kind, symbol in enumerate(archive.composition.symbols)]
    return "".join(f"{symbol}{count}" for symbol, count in counts if count) or "none"


def files_table(folder: Path, picture: Path | None) -> Table:
    """Where the files of a run are."""
    table = Table(show_header=False, box=None, padding=(0, 2, 0, 0))
    if picture is not None:
        table.add_row("picture of the best", str(picture))
    table.add_row("ten lowest", str(folder / "lowest.extxyz"))
    table.add_row("all minima (ASE database)", str(folder / "minima.db"))
    table.add_row("journal, to continue from", str(folder / "journal.jsonl"))
    return table
