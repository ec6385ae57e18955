"""The model file: reads, checks and writes the `.safetensors` format of ARCHITECTURE.md, section 2.1.

Needs numpy alone, so that training, the command line and the calculator share it. The C++ reader of the engine
(`engine/model.h`) accepts and refuses the same files; `tests/test_model_file.py` holds the two together.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

from hea_potential.complete_file import complete_file
from hea_potential.errors import ModelFileError

__all__ = [
    "ModelFile",
    "find_model",
    "known_models",
    "pair_index",
    "parse_model",
    "read_model_file",
    "shipped_models",
    "write_model_file",
]

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
MAX_DIMENSIONS = 4
REQUIRED = ("format", "version", "elements", "units", "cutoff", *SIZES, "head_activation")
DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
MAX_HEADER_BYTES = 16 << 20
MODELS_FOLDER = Path(__file__).parent / "models"

PERIODIC_TABLE = (
    "H He Li Be B C N O F Ne Na Mg Al Si P S Cl Ar K Ca Sc Ti V Cr Mn Fe Co Ni Cu Zn Ga Ge As Se Br Kr Rb Sr Y Zr Nb "
    "Mo Tc Ru Rh Pd Ag Cd In Sn Sb Te I Xe Cs Ba La Ce Pr Nd Pm Sm Eu Gd Tb Dy Ho Er Tm Yb Lu Hf Ta W Re Os Ir Pt Au "
    "Hg Tl Pb Bi Po At Rn Fr Ra Ac Th Pa U Np Pu Am Cm Bk Cf Es Fm Md No Lr Rf Db Sg Bh Hs Mt Ds Rg Cn Nh Fl Mc Lv Ts "
    "Og"
)
SYMBOLS = frozenset(PERIODIC_TABLE.split())


@dataclass(frozen=True)
class ModelFile:
    """A checked model: its tensors by the names of the file, and the JSON document that describes them.

    Attributes:
        tensors: float32 or float64 arrays; names and shapes in ARCHITECTURE.md, section 2.1.
        metadata: the document of the `hea` key; energies in eV, lengths in Angstrom.

    Raises:
        ModelFileError: when made from tensors and metadata that do not fit the format.
    """

    tensors: Mapping[str, NDArray[np.floating]]
    metadata: Mapping[str, Any]

    def __post_init__(self) -> None:
        check_metadata(self.metadata)
        check_tensors(self.tensors, self.metadata)

    @property
    def elements(self) -> tuple[str, ...]:
        """Chemical symbols in the file's order."""
        return tuple(self.metadata["elements"])

    @property
    def cutoff(self) -> float:
        """Cutoff radius in Angstrom."""
        return float(self.metadata["cutoff"])

    @property
    def has_sigma(self) -> bool:
        """Whether the model estimates its uncertainty."""
        return "gram" in self.tensors

    @property
    def n_weights(self) -> int:
        """Number of trained numbers: every tensor but the Gram matrix and the distances."""
        untrained = ("gram", "distance.min", "zbl.inner", "zbl.outer")
        return sum(tensor.size for name, tensor in self.tensors.items() if name not in untrained)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """Unordered pairs of elements in the order of the pair tensors."""
        return [(a, b) for i, a in enumerate(self.elements) for b in self.elements[i:]]

    def to_bytes(self) -> bytes:
        """Return the file's bytes. Equal models give equal bytes."""
        # Wide tensors first, so that each begins at a multiple of its item size.
        names = sorted(self.tensors, key=lambda name: (-self.tensors[name].dtype.itemsize, name))
        header: dict[str, Any] = {"__metadata__": {"hea": json.dumps(self.metadata, allow_nan=False)}}
        blocks, end = [], 0
        for name in names:
            tensor = self.tensors[name]
            dtype = next(key for key, kind in DTYPES.items() if kind == tensor.dtype)
            blocks.append(np.ascontiguousarray(tensor, dtype=DTYPES[dtype]).tobytes())
            begin, end = end, end + len(blocks[-1])
            header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [begin, end]}
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        return len(text).to_bytes(8, "little") + text + b"".join(blocks)


def pair_index(a: int, b: int, n_elements: int) -> int:
    """Return the row of the pair of elements `a` and `b` in the pair tensors."""
    low, high = min(a, b), max(a, b)
    return low * n_elements - low * (low - 1) // 2 + high - low


def shipped_models() -> dict[str, Path]:
    """Return the models that come with the package, by name."""
    return {path.stem: path for path in sorted(MODELS_FOLDER.glob("*.safetensors"))}


def known_models() -> dict[str, Path]:
    """Return the models that have a name: those in the folders of HEA_MODEL_PATH (separated by colons, the first wins),
    then those that come with the package. LAMMPS looks in the same places.
    """
    folders = [Path(folder) for folder in os.environ.get("HEA_MODEL_PATH", "").split(":") if folder]
    found = shipped_models()
    for folder in reversed(folders):
        found |= {path.stem: path for path in sorted(folder.glob("*.safetensors"))}
    return found


def find_model(name_or_path: str | os.PathLike[str]) -> Path:
    """Return the path of a model that has a name (`hea6`, see `known_models`) or lies in a file.

    Raises:
        ModelFileError: there is neither a model nor a file of that name; the message lists the known ones.
    """
    known = known_models()
    if str(name_or_path) in known:
        return known[str(name_or_path)]
    path = Path(name_or_path).expanduser()
    if path.is_file():
        return path
    names = ", ".join(known) or "there is none"
    found = "a folder" if path.is_dir() else "no such file"
    raise ModelFileError(f"model: got {str(name_or_path)!r} ({found}); allowed is a known model ({names}) or a file")


def read_model_file(name_or_path: str | os.PathLike[str]) -> ModelFile:
    """Read and check a shipped model or a model file.

    Raises:
        ModelFileError: the file is missing, damaged, foreign or of another version; the message says which.
    """
    path = find_model(name_or_path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(f"model file {path}: {error.strerror}; allowed is a readable file") from error
    return parse_model(content, source=str(path))


def write_model_file(path: str | os.PathLike[str], model: ModelFile) -> None:
    """Write a model file; it is complete or, after an error, not there.

    Raises:
        OutputError: the folder is missing or not writable.
    """
    content = model.to_bytes()
    with complete_file(path) as temporary:
        temporary.write_bytes(content)


def parse_model(content: bytes, source: str = "bytes") -> ModelFile:
    """Read and check the bytes of a model file; `source` names them in errors.

    Raises:
        ModelFileError: as `read_model_file`.
    """
    try:
        header, data = split_header(content)
        tensors = {name: tensor_at(name, entry, data) for name, entry in header.items() if name != "__metadata__"}
        check_layout(header, len(data))
        return ModelFile(tensors, metadata_of(header))
    except ModelFileError as error:
        raise ModelFileError(f"model file {source}: {error}") from error


def split_header(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the JSON header of a safetensors file and the bytes after it."""
    if len(content) < 8:
        raise ModelFileError(f"size: got {len(content)} bytes; allowed are at least 8, a safetensors file")
    length = int.from_bytes(content[:8], "little")
    if length > min(MAX_HEADER_BYTES, len(content) - 8):
        raise ModelFileError(
            f"header: got a length of {length} bytes in a file of {len(content)}; truncated, or not a safetensors file"
        )
    header = parse_json(bytes(content[8 : 8 + length]), "header of the safetensors file")
    if not isinstance(header, dict):
        raise ModelFileError(f"header: got {kind(header)}; allowed is a JSON object")
    return header, memoryview(content)[8 + length :]


def parse_json(text: bytes, what: str) -> Any:
    """Parse strict JSON: valid UTF-8, finite numbers, no repeated keys."""

    def without_repeats(items: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in items}) < len(items):
            raise ValueError("a key is there twice")
        return dict(items)

    def finite(number: str) -> float:
        if not math.isfinite(float(number)):
            raise ValueError(f"{number} is not a finite number")
        return float(number)

    try:
        value = json.loads(text.decode(), object_pairs_hook=without_repeats, parse_float=finite, parse_constant=finite)
        json.dumps(value, ensure_ascii=False).encode()  # refuses lone surrogates, which are no text
        return value
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{what}: got text that is not valid JSON ({error}); allowed is a JSON object") from error


def metadata_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON document under the `hea` key of the safetensors metadata."""
    entry = header.get("__metadata__")
    if not isinstance(entry, dict) or not isinstance(entry.get("hea"), str):
        raise ModelFileError("__metadata__: the text under the key 'hea' is missing; this is no hea-potential model")
    if not all(isinstance(value, str) for value in entry.values()):
        raise ModelFileError("__metadata__: got a value that is no string; allowed are strings")
    document = parse_json(entry["hea"].encode(), "metadata")
    if not isinstance(document, dict):
        raise ModelFileError(f"metadata: got {kind(document)}; allowed is a JSON object")
    return document


def tensor_at(name: str, entry: Any, data: memoryview) -> NDArray[np.floating]:
    """Return one tensor as an array of its own."""
    if not isinstance(entry, dict) or not {"dtype", "shape", "data_offsets"} <= set(entry):
        raise ModelFileError(f"tensor {name}: got {kind(entry)}; allowed is an object of dtype, shape and data_offsets")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in DTYPES:
        raise ModelFileError(f"tensor {name}: got dtype {dtype!r}; allowed are {', '.join(DTYPES)}")
    for what, numbers in (("shape", shape), ("data_offsets", offsets)):
        if not isinstance(numbers, list) or not all(is_whole(x) and 0 <= x < 2**53 for x in numbers):
            raise ModelFileError(f"tensor {name}: got {what} {numbers!r}; allowed are integers, 0 or more")
    shape, offsets = [int(x) for x in shape], [int(x) for x in offsets]
    if len(shape) > MAX_DIMENSIONS or 0 in shape:
        raise ModelFileError(f"tensor {name}: got shape {shape}; allowed are up to {MAX_DIMENSIONS} sizes, 1 or more")
    if len(offsets) != 2 or not offsets[0] <= offsets[1] <= len(data):
        raise ModelFileError(f"tensor {name}: got data_offsets {offsets} in {len(data)} bytes of data; truncated?")
    expected = math.prod(shape) * DTYPES[dtype].itemsize
    if offsets[1] - offsets[0] != expected:
        raise ModelFileError(
            f"tensor {name}: got {offsets[1] - offsets[0]} bytes; shape {shape} of {dtype} needs {expected}"
        )
    tensor: NDArray[np.floating] = np.frombuffer(data[offsets[0] : offsets[1]], dtype=DTYPES[dtype]).reshape(shape)
    return tensor.copy()


def check_layout(header: Mapping[str, Any], n_bytes: int) -> None:
    """Refuse tensors that overlap or leave bytes unused: one file has one meaning, and nothing hides in it."""
    end = 0
    entries = {name: entry["data_offsets"] for name, entry in header.items() if name != "__metadata__"}
    for name, (begin, stop) in sorted(entries.items(), key=lambda item: item[1]):
        if begin != end:
            raise ModelFileError(
                f"tensor {name}: got data from byte {begin}; allowed is from {end}, where the one before ends"
            )
        end = stop
    if end != n_bytes:
        raise ModelFileError(f"size: got {n_bytes} bytes of data; the tensors take {end}")


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
    if not isinstance(elements, list) or not elements or not all(e in SYMBOLS for e in elements):
        raise ModelFileError(f"elements: got {elements!r}; allowed is a list of chemical symbols")
    if len(set(elements)) < len(elements):
        raise ModelFileError(f"elements: got {elements!r}; allowed is each element once")


def check_sigma(sigma: Any) -> None:
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


def check_tensors(tensors: Mapping[str, NDArray[np.floating]], document: Mapping[str, Any]) -> None:
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


def check_distances(tensors: Mapping[str, NDArray[np.floating]], cutoff: float) -> None:
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


def is_finite(x: Any) -> TypeGuard[int | float]:
    return type(x) in (int, float) and abs(x) < math.inf


def is_whole(x: Any) -> TypeGuard[int | float]:
    """Tell whether a JSON number is an integer; JSON does not distinguish 1 from 1.0."""
    return is_finite(x) and x == int(x)


def kind(x: Any) -> str:
    """Name a JSON value's type in the words of JSON."""
    names = {
        dict: "an object",
        list: "an array",
        str: "a string",
        bool: "a boolean",
        int: "a number",
        float: "a number",
    }
    return names.get(type(x), "null")
