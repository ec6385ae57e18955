"""Effective medium theory that writes down every calculation: what a search asks of its reference, whoever asks.

Each calculation is a line of the file that COUNTED_EMT names: CPU seconds of the process, number of atoms, energy in
eV. As the reference `counted_emt:calculator` it serves a meta loop, whose labels may be made by several processes.
"""

from __future__ import annotations

import os
import time
from typing import Any

from ase.calculators.emt import EMT


class CountedEMT(EMT):
    """EMT with a line for every calculation."""

    def calculate(self, *arguments: Any, **options: Any) -> None:
        """Calculate, and write down the energy."""
        super().calculate(*arguments, **options)
        line = f"{time.process_time():.3f} {len(self.atoms)} {self.results['energy']:.6f}\n"
        file = os.open(os.environ["COUNTED_EMT"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        os.write(file, line.encode())
        os.close(file)


def calculator() -> CountedEMT:
    """A calculator, as `hea label` and `hea loop` ask for one."""
    return CountedEMT()
