"""Machine-learned potentials near density-functional theory, whose wheels bring their weights along."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Sequence
from contextlib import redirect_stdout
from functools import partial
from typing import Any

from ase.data import atomic_numbers

from hea_potential.errors import InputError
from hea_potential.reference.boxed import Boxed
from hea_potential.reference.method import ReferenceMethod, demand, versions
from hea_potential.torch_library import load_torch

EXTRA = "pip install 'hea-potential[reference]'"
SEVENNET_MODEL = "7net-mf-0"
SEVENNET_MODAL = "PBE"
CHGNET_MODELS = ("0.3.0", "r2scan")
HEAVIEST = 94  # both were trained on the Materials Project's trajectories, which end with plutonium
SEVENNET_LACKS = ("Po", "At", "Rn", "Fr", "Ra")
CHGNET_VACUUM = 6.0  # A on each side: images are 12 apart, twice the distance at which CHGNet sees atoms


def sevennet(argument: str = "") -> ReferenceMethod:
    """7net-mf-0, modal PBE."""
    if argument:
        raise InputError(f"reference method sevennet: got {argument!r} after the colon; allowed is sevennet alone")
    demand("sevenn", "sevennet", EXTRA)
    provenance = {
        "method": "sevennet",
        "model": SEVENNET_MODEL,
        "modal": SEVENNET_MODAL,
        "licence": "MIT (SevenNet, https://github.com/MDIL-SNU/SevenNet)",
        "packages": versions("sevenn", "torch", "e3nn", "ase"),
    }
    return ReferenceMethod(provenance, sevennet_calculator, beyond_sevennet)


def beyond_sevennet(symbols: Sequence[str]) -> list[str]:
    """Of chemical symbols those that 7net-mf-0 was not trained on."""
    return [symbol for symbol in symbols if symbol in SEVENNET_LACKS or atomic_numbers[symbol] > HEAVIEST]


def sevennet_calculator() -> Any:
    """The calculator of 7net-mf-0, on as many threads as OMP_NUM_THREADS says (default 1)."""
    load_torch()
    import torch

    with warnings.catch_warnings():
        # At import and construction: on type annotations inside torch, and on CUDA kernels that a CPU lacks.
        warnings.simplefilter("ignore")
        from sevenn.calculator import SevenNetCalculator

        torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
        return SevenNetCalculator(SEVENNET_MODEL, modal=SEVENNET_MODAL, device="cpu")


def chgnet(argument: str = "") -> ReferenceMethod:
    """CHGNet 0.3.0 (PBE, some of it with a Hubbard U), or `chgnet:r2scan`, its refinement with the functional r2SCAN.

    CHGNet knows periodic structures alone: clusters and slabs get a box with vacuum, 12 Angstrom from image to image,
    which is twice the distance at which CHGNet sees atoms. It was trained on bulk crystals, so its isolated atoms,
    dimers and small clusters are far from those of the functional.
    """
    name = argument or CHGNET_MODELS[0]
    if name not in CHGNET_MODELS:
        allowed = " and ".join(f"chgnet:{model}" for model in CHGNET_MODELS)
        raise InputError(f"reference method chgnet: got {argument!r} after the colon; allowed are {allowed}")
    demand("chgnet", "chgnet", EXTRA)
    provenance = {
        "method": "chgnet",
        "model": name,
        "licence": "BSD-3-Clause, modified (CHGNet, https://github.com/CederGroupHub/chgnet)",
        "packages": versions("chgnet", "torch", "pymatgen", "ase"),
    }
    return ReferenceMethod(provenance, partial(chgnet_calculator, name), beyond_chgnet)


def beyond_chgnet(symbols: Sequence[str]) -> list[str]:
    """Of chemical symbols those that CHGNet has no embedding for."""
    return [symbol for symbol in symbols if atomic_numbers[symbol] > HEAVIEST]


def chgnet_calculator(name: str) -> Any:
    """The calculator of a CHGNet model, on as many threads as OMP_NUM_THREADS says (default 1)."""
    load_torch()
    import torch

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # at import: on deprecated parts of pymatgen and torch
        from chgnet.model.dynamics import CHGNetCalculator
        from chgnet.model.model import CHGNet
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    with redirect_stdout(io.StringIO()):  # it tells its number of weights and its device
        model = CHGNet.load(model_name=name, use_device="cpu", verbose=False)
        calculator = CHGNetCalculator(model, use_device="cpu", on_isolated_atoms="ignore")
    return Boxed(calculator, CHGNET_VACUUM, periodic=True)
