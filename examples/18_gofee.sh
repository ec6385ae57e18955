#!/usr/bin/env bash
# The lowest minimum of Cu10Ni5 in ten calculations of the reference, isolated atoms included: 12.034 eV by EMT, which a
# search on EMT itself needs thousands of force calls for.
set -euo pipefail
hea loop "$(dirname "${BASH_SOURCE[0]}")/18_gofee.toml"
python - <<'END'
from hea_potential.dataset import read_dataset

labels = read_dataset("runs/gofee/data.h5")
clusters = labels.energy[labels.sizes == 15]
print(f"{len(labels)} labels; clusters, eV: {', '.join(f'{energy:.3f}' for energy in clusters)}; lowest {clusters.min():.3f}")
END
