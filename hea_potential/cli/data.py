"""`hea data`: structures that have energies and forces already, into an HDF5 data set."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def data(
    structures: Annotated[list[Path], typer.Argument(help="Labelled structures: any files that ASE reads.")],
    *,
    method: Annotated[str, typer.Option(help="How they were labelled, for the record: code, functional, cutoff.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Data set to write.")] = Path("data.h5"),
    energy: Annotated[
        str, typer.Option(help="Name of the energies (eV): those whose gradient the forces are.")
    ] = "energy",
    forces: Annotated[str, typer.Option(help="Name of the forces (eV/A).")] = "forces",
    stress: Annotated[
        str, typer.Option(help="Name of the stresses (eV/A^3), needed where all is periodic.")
    ] = "stress",
    licence: Annotated[str, typer.Option(help="Licence of the data set, for the record.")] = "",
) -> None:
    """Make a data set for `hea train`, `hea loop` and `hea test` of structures that come with energies and forces.

    All must be of one method. Frames that depend on each other, as those of one trajectory do, should have the same
    `group` in their information: they then all teach or all judge. The energies of single atoms, one of each element,
    alone or in a box wider than the cutoff, say what isolated atoms have.

    Example:
      hea data dft/*.extxyz -o dft.h5 --method "VASP 6.4, PBE, 400 eV"
      hea data run/OUTCAR -o dft.h5 --method "VASP 6.4, PBE, 400 eV" --energy free_energy
      hea data mace.extxyz -o dft.h5 --method PBE --energy REF_energy --forces REF_forces
    """
    from hashlib import sha256

    from rich.console import Console

    from hea_potential import __version__
    from hea_potential.cli.bars import progress_bars
    from hea_potential.cli.structure_files import read_structures
    from hea_potential.dataset import write_dataset
    from hea_potential.errors import InputError, OutputError
    from hea_potential.given_labels import Keys, given_labels

    if output.exists():
        raise OutputError(f"{output} exists already; give another name, or move it away")
    if not method.strip():
        raise InputError(f"method: got {method!r}; allowed are words that say how the structures were labelled")
    found, names = [], []
    files: dict[str, Path] = {}  # by their hash
    with progress_bars(Console(stderr=True), transient=True) as bar:
        for number, path in enumerate(bar.track(structures, description="reading")):
            those = read_structures(path)
            first = files.setdefault(sha256(path.read_bytes()).hexdigest(), path)
            if first is not path:
                raise InputError(f"{path} holds the same as {first}: its structures would both teach and judge")
            found += those
            names += [f"{number:03d}-{path.stem.replace('.', '_')}-{place:06d}" for place in range(len(those))]
    provenance = {
        "reference": {"method": method, "packages": {"hea-potential": __version__}},
        "files": [{"name": path.name, "sha256": content} for content, path in files.items()],
        "licence": licence,
    }
    dataset = given_labels(found, names, provenance, Keys(energy, forces, stress))
    write_dataset(output, dataset)
    typer.echo(f"{output}: {len(dataset)} labels, {int(dataset.offsets[-1])} atoms")
    typer.echo(f"sha256 {dataset.sha256()}")
