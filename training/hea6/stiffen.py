"""Widen a pair's repulsion: `python -m hea_training.hea6.stiffen CONFIG MODEL A B INNER OUTER`.

Two platinum atoms 1.9 A apart inside a cluster were a minimum of the model after 3_found.toml, where the reference
pushes them apart with 25 eV/A: it had seen such distances between two lone atoms only. ZBL that acts up to INNER in
full and up to OUTER (A) in part closes the pocket. Errors, sigma and parity are worked out anew; the result is in the
configuration's output folder.
"""

from __future__ import annotations

import sys
from pathlib import Path

from hea_training.config import read_config
from hea_training.export import tensors_of
from hea_training.run import finish, load_data

from hea_potential.model_file import pair_index, read_model_file


def main() -> None:
    """Widen, and write the model again."""
    configuration, model, first, second, inner, outer = sys.argv[1:]
    config = read_config(Path(configuration))
    arch, tensors = tensors_of(Path(model))
    row = pair_index(arch.elements.index(first), arch.elements.index(second), arch.n_elements)
    tensors["zbl.inner"][row], tensors["zbl.outer"][row] = float(inner), float(outer)
    provenance = dict(read_model_file(model).metadata["provenance"])
    provenance["stiffened"] = {"pair": [first, second], "inner": float(inner), "outer": float(outer)}
    data = load_data(config.data, config.architecture, config.split_seed, config.kinds)
    config.output.mkdir(parents=True, exist_ok=True)
    print(finish(config, data, tensors, provenance))


if __name__ == "__main__":
    main()
