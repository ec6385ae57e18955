"""What a model file holds: ARCHITECTURE.md, section 2.1, as checks of its document and of its tensors.

The engine checks the same (`engine/model.h`); `tests/test_model_file.py` holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hea_potential.errors import ModelFileError
from hea_potential.safetensors_file import DTYPES, Arrays
from hea_potential.strict_json import is_finite, is_whole, kind

__all__ = ["FORMAT", "MAX_CUTOFF", "SIZES", "UNITS", "VERSION", "check_metadata", "check_tensors"]

FORMAT, VERSION = "hea-potential", 1
UNITS = {"energy": "eV", "length": "Angstrom"}
ACTIVATIONS = ("ssp", "silu")
SIZES = {  # name: smallest and largest allowed value; the largest are far above anything useful
    "n_interactions": (1, 32),
    "n_features": (1, 4096),
    "n_angular": (0, 4096),
    "n_intervals": (1, 100_000),
    "n_hidden": (1, 4096),
    "rank_pair": (0, 1024),
    "rank_many": (0, 1024),
}
MAX_CUTOFF = 100.0  # Angstrom
REQUIRED = ("format", "version", "elements", "units", "cutoff", *SIZES, "head_activation")

PERIODIC_TABLE = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
SYMBOLS = frozenset(PERIODIC_TABLE.split())


def check_metadata(document: Mapping[str, Any]) -> None:
    """Refuse a document that misses a required key or holds a value that the format does not allow."""
    if document.get("format") != FORMAT:
        raise ModelFileError(f"format: got {document.get('format')!r}; allowed is {FORMAT!r}")
    if not is_whole(document.get("version")) or document["version"] != VERSION:
        raise ModelFileError(f"version: got {document.get('version')!r}; this package reads version {VERSION}")
    missing = [key for key in REQUIRED if key not in document]
    if missing:
        raise ModelFileError(f"metadata: got no {', '.join(missing)}; required are {', '.join(REQUIRED)}")
    check_elements(document["elements"])
    if not isinstance(document["units"], dict) or not UNITS.items() <= document["units"].items():
        raise ModelFileError(f"units: got {document['units']!r}; allowed is {UNITS}")
    if not is_finite(document["cutoff"]) or not 0 < document["cutoff"] <= MAX_CUTOFF:
        raise ModelFileError(f"cutoff: got {document['cutoff']!r}; allowed is above 0, up to {MAX_CUTOFF:g} Angstrom")
    for key, (least, most) in SIZES.items():
        if not is_whole(document[key]) or not least <= document[key] <= most:
            raise ModelFileError(f"{key}: got {document[key]!r}; allowed is an integer from {least} to {most}")
    if document["n_angular"] > document["n_features"]:
        raise ModelFileError(
            f"n_angular: got {document['n_angular']}; allowed is up to n_features, {document['n_features']}"
        )
    if not isinstance(document["head_activation"], str) or document["head_activation"] not in ACTIVATIONS:
        raise ModelFileError(
            f"head_activation: got {document['head_activation']!r}; allowed are {', '.join(ACTIVATIONS)}"
        )
    if "sigma" in document:
        check_sigma(document["sigma"])


def check_elements(elements: Any) -> None:
    """Refuse what is no list of different chemical symbols."""
    if not isinstance(elements, list) or not elements or not all(isinstance(e, str) and e in SYMBOLS for e in elements):
        raise ModelFileError(f"elements: got {elements!r}; allowed is a list of chemical symbols")
    if len(set(elements)) < len(elements):
        raise ModelFileError(f"elements: got {elements!r}; allowed is each element once")


def check_sigma(sigma: Any) -> None:
    """Refuse a calibration of sigma that is not two positive numbers."""
    if not isinstance(sigma, dict):
        raise ModelFileError(f"sigma: got {kind(sigma)}; allowed is an object of scale and ridge")
    for key in ("scale", "ridge"):
        value = sigma.get(key)
        if not is_finite(value) or not 0 < value <= 1e300:
            raise ModelFileError(f"sigma.{key}: got {value!r}; allowed is a number above 0")


def tensor_shapes(document: Mapping[str, Any]) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every tensor that a file with this (checked) document has."""
    s, size = len(document["elements"]), {key: int(document[key]) for key in SIZES}
    f, layers, d = size["n_features"], size["n_interactions"], size["n_hidden"]
    pairs = s * (s + 1) // 2
    channels = f + 2 * size["n_angular"]
    rank = s * size["rank_pair"] + size["rank_many"]
    shapes: dict[str, tuple[int, ...]] = {
        "embedding": (s, f),
        "in2f": (layers, f, f),
        "filters": (layers, pairs, size["n_intervals"] + 3, channels),
        "f2out1.weight": (layers, f, channels),
        "f2out1.bias": (layers, f),
        "f2out2.weight": (layers, f, f),
        "f2out2.bias": (layers, f),
        "head.hidden.weight": (s, d, f),
        "head.hidden.bias": (s, d),
        "head.out": (s, d),
        "e0": (s,),
        "zbl.inner": (pairs,),
        "zbl.outer": (pairs,),
        "distance.min": (pairs,),
    }
    if rank:
        shapes |= {"adapter.in": (layers, s, rank, channels), "adapter.out": (layers, s, f, rank)}
    if "sigma" in document:
        shapes["gram"] = (s * d, s * d)
    return shapes


def check_tensors(tensors: Arrays, document: Mapping[str, Any]) -> None:
    """Refuse missing and extra tensors, wrong shapes and types, and numbers that the format does not allow."""
    shapes = tensor_shapes(document)
    for what, names in (
        ("missing", shapes.keys() - tensors.keys()),
        ("not part of the format", tensors.keys() - shapes.keys()),
    ):
        if names:
            raise ModelFileError(f"tensors: {', '.join(sorted(names))} {what}; allowed are {', '.join(shapes)}")
    for name, shape in shapes.items():
        tensor = tensors[name]
        allowed = ("F64",) if name == "gram" else tuple(DTYPES)
        if tensor.dtype not in [DTYPES[key] for key in allowed]:
            raise ModelFileError(f"tensor {name}: got type {tensor.dtype}; allowed is {' or '.join(allowed)}")
        if tensor.shape != shape:
            raise ModelFileError(f"tensor {name}: got shape {list(tensor.shape)}; the metadata ask for {list(shape)}")
        if not np.isfinite(tensor).all():
            raise ModelFileError(f"tensor {name}: got NaN or infinite numbers; allowed are finite ones")
    if np.any(tensors["filters"][:, :, -3:]):
        raise ModelFileError(
            "tensor filters: got non-zero last three control points; allowed is 0, so that W(cutoff) = 0"
        )
    check_distances(tensors, float(document["cutoff"]))


def check_distances(tensors: Arrays, cutoff: float) -> None:
    """Refuse distances of pairs (S(S+1)/2, in Angstrom) that are negative, beyond the cutoff or in the wrong order."""
    inner, outer, least = tensors["zbl.inner"], tensors["zbl.outer"], tensors["distance.min"]
    if np.any(least < 0) or np.any(inner < 0) or np.any(outer < 0):
        raise ModelFileError("zbl.inner, zbl.outer, distance.min: got a negative distance; allowed is 0 or more")
    if np.any(outer > cutoff):
        raise ModelFileError(f"zbl.outer: got {outer.max():g} Angstrom; allowed is up to the cutoff, {cutoff:g}")
    wrong = (outer > 0) & (inner >= outer)
    if np.any(wrong):
        pair = int(np.argmax(wrong))
        raise ModelFileError(
            f"zbl.inner: got {inner[pair]:g} Angstrom for pair {pair}; allowed is below zbl.outer, {outer[pair]:g}"
        )
