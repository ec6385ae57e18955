"""Write the card of the shipped model: `python -m hea_training.hea6.card hea6 reference_7net.json curve.json hea6.md`.

Everything on the card is read from the model file or computed with it; only the sentences about limits stand here.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hea_potential import HEACalculator
from hea_potential.complete_file import complete_file
from hea_potential.model_file import ModelFile, read_model_file

from .properties import material_properties

LIMITS = """\
- hea6 imitates 7net-mf-0 (modal PBE) and is as good as its teacher at best. Against real PBE data the teacher is within
  a few meV/atom in bulk and surfaces, and near 30 meV/atom and 250 meV/A for clusters of about ten atoms: label those
  with DFT before trusting an order of isomers closer than that.
- No magnetism, no charge, no adsorbates: six metals alone. Ni is what a spin-polarised PBE model makes of it.
- Closer than the distances above, ZBL alone repels. `compute pair` in LAMMPS counts atoms that are that close.
- Sigma is calibrated on structures of the same kinds; far from them it tells that something is new, not how wrong
  the energy is."""


def error_rows(table: dict[str, Any]) -> Iterator[tuple[str, dict[str, float]]]:
    """Yield the entries of an error table with their names, nested ones as `kind: slab`."""
    for key, value in table.items():
        if "structures" in value:
            yield key, value
        elif key != "units":
            yield from ((f"{key}: {name}", entry) for name, entry in value.items() if entry["structures"])


def errors_section(model: ModelFile) -> str:
    """Return the table of errors on the test split."""
    lines = ["| structures | number | energy, meV/atom (median) | force, meV/A |", "|---|---|---|---|"]
    for name, e in error_rows(model.metadata["errors"]["test"]):
        energy = f"{e['energy_mae']:.1f} ({e['energy_median']:.1f})"
        lines.append(f"| {name} | {e['structures']} | {energy} | {e['force_mae']:.0f} |")
    return "\n".join(lines)


def properties_section(ours: dict[str, Any], reference: dict[str, Any]) -> str:
    """Return the tables of fcc metals and ordered alloys beside the reference's."""
    lines = ["| fcc | a, A | reference | bulk modulus, GPa | reference |", "|---|---|---|---|---|"]
    for metal, r in reference["fcc"].items():
        m = ours["fcc"][metal]
        lines.append(
            f"| {metal} | {m['lattice_constant']:.4f} | {r['lattice_constant']:.4f} "
            f"| {m['bulk_modulus']:.0f} | {r['bulk_modulus']:.0f} |"
        )
    lines += ["", "| alloy | formation energy, meV/atom | reference |", "|---|---|---|"]
    for alloy, r in reference["alloys"].items():
        energy = 1e3 * ours["alloys"][alloy]["formation_energy"]
        lines.append(f"| {alloy} | {energy:.1f} | {1e3 * r['formation_energy']:.1f} |")
    return "\n".join(lines)


def distances_section(model: ModelFile) -> str:
    """Return the smallest training distance of each pair."""
    names = [f"{a}-{b}" for k, a in enumerate(model.elements) for b in model.elements[k:]]
    return ", ".join(f"{name} {d:.2f}" for name, d in zip(names, model.tensors["distance.min"], strict=True))


def stages(provenance: dict[str, Any]) -> list[str]:
    """Return the trainings that led to a model, the first one first."""
    if "strata" in provenance:  # a model of the first release, which names its stages itself
        return [provenance["strata"]]
    origin = provenance["start_from"]
    before = stages(origin["provenance"]) if origin else []
    settings = provenance["training"]
    names = ["full"] if provenance["model"] == "full" else ["elements", "pair", "many"]
    epochs = ", ".join(f"{name} {settings[name]['epochs']} epochs" for name in names)
    found = [*before, f"{provenance['model']}: {epochs}, on {provenance['data']['structures']} structures"]
    if "stiffened" in provenance:
        switch = provenance["stiffened"]
        found.append(
            f"{'-'.join(switch['pair'])}: ZBL in full to {switch['inner']:.2f} A, in part to {switch['outer']:.2f} A"
        )
    return found


def curve_section(curve: dict[str, Any]) -> str:
    """Return the table of accuracy against speed, which curve.py measured."""
    lines = [
        f"Other sizes, {curve['epochs']} epochs each on the same data; the last line is this model as shipped.",
        "",
        "![errors of forces against microseconds](hea6_curve.svg)",
        "",
        "| F | A | L | us/atom/step | energy, meV/atom | force, meV/A |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {p['features']} | {p['angular']} | {p['interactions']} | {p['microseconds']:.1f} | {p['energy']:.1f} "
        f"| {p['force']:.0f} |"
        for p in curve["points"]
    ]
    return "\n".join(lines)


def card(name: str, reference: dict[str, Any], curve: dict[str, Any]) -> str:
    """Return the card of a model in Markdown; `reference` is what properties.py wrote for the reference method."""
    model = read_model_file(name)
    meta, provenance = model.metadata, model.metadata["provenance"]
    data, split = provenance["data"], provenance["split"]
    packages = ", ".join(f"{key} {value}" for key, value in provenance["packages"].items())
    sizes = (
        f"F = {meta['n_features']}, A = {meta['n_angular']}, L = {meta['n_interactions']}, cutoff {meta['cutoff']:g} A"
    )
    ranks = f"adapter ranks {meta['rank_pair']} (pairs) and {meta['rank_many']} (many elements)"
    return f"""# {meta["name"]}

Elements {", ".join(model.elements)}. Stratified SchNet with angular invariants (ARCHITECTURE.md):
{sizes}, {ranks}. Licence {meta["licence"]}.

Reference: 7net-mf-0 (SevenNet 0.13, modal PBE; MIT). Data: {data["structures"]} structures (`training/hea6/`), sha256
`{data["sha256"]}`, split by families with
seed {split["seed"]} into {split["train"]} training, {split["valid"]} validation and {split["test"]} test structures.
Training seed {provenance["seed"]}. Made with {packages}.
Trained in these runs (`training/hea6/README.md` has the errors after each):

{chr(10).join(f"- {stage}" for stage in stages(provenance))}

## Errors on the test split, never trained on

Mean absolute errors: energy per structure, force per component.

{errors_section(model)}

## Properties

{properties_section(material_properties(HEACalculator(name)), reference)}

## Accuracy against speed

{curve_section(curve)}

## Smallest distances seen in training, A

{distances_section(model)}

## Limits

{LIMITS}
"""


def main() -> None:
    """Write the card."""
    name, reference, curve, output = sys.argv[1:]
    text = card(name, json.loads(Path(reference).read_text()), json.loads(Path(curve).read_text()))
    with complete_file(Path(output)) as temporary:
        temporary.write_text(text)


if __name__ == "__main__":
    main()
