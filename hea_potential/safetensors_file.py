"""The container of model files: named arrays and a JSON document in the safetensors format, with nothing else inside.

Stricter than the format asks for: one file has one meaning, and a damaged one is refused with what is wrong. The reader
of the engine (`engine/safetensors.h`) accepts and refuses the same.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hea_potential.errors import ModelFileError
from hea_potential.strict_json import is_whole, kind, parse_json

__all__ = ["DTYPES", "Arrays", "from_bytes", "to_bytes"]

Arrays = Mapping[str, NDArray[np.floating]]

DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F64": np.dtype("<f8")}
DOCUMENT = "hea"  # the key of the safetensors metadata under which the JSON document stands
MAX_DIMENSIONS = 4
MAX_HEADER_BYTES = 16 << 20


def to_bytes(arrays: Arrays, document: Mapping[str, Any]) -> bytes:
    """The bytes of a file with these arrays and this document; the same for the same content."""
    # Wide arrays first, so that each begins at a multiple of its item size.
    names = sorted(arrays, key=lambda name: (-arrays[name].dtype.itemsize, name))
    header: dict[str, Any] = {"__metadata__": {DOCUMENT: json.dumps(document, allow_nan=False)}}
    blocks, end = [], 0
    for name in names:
        array = arrays[name]
        dtype = next(key for key, kind in DTYPES.items() if kind == array.dtype)
        blocks.append(np.ascontiguousarray(array, dtype=DTYPES[dtype]).tobytes())
        begin, end = end, end + len(blocks[-1])
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [begin, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + b"".join(blocks)


def from_bytes(content: bytes) -> tuple[dict[str, NDArray[np.floating]], dict[str, Any]]:
    """The arrays of a file by name, and its document. Raises ModelFileError."""
    header, data = split_header(content)
    arrays = {name: array_at(name, entry, data) for name, entry in header.items() if name != "__metadata__"}
    check_layout(header, len(data))
    return arrays, document_of(header)


def split_header(content: bytes) -> tuple[dict[str, Any], memoryview]:
    """Return the JSON header of a safetensors file and the bytes after it."""
    if len(content) < 8:
        raise ModelFileError(f"size: got {len(content)} bytes; allowed are at least 8, a safetensors file")
    length = int.from_bytes(content[:8], "little")
    if length > min(MAX_HEADER_BYTES, len(content) - 8):
        raise ModelFileError(
            f"header: got a length of {length} bytes in a file of {len(content)}; truncated, or not a safetensors file"
        )
    header = parsed(bytes(content[8 : 8 + length]), "header of the safetensors file")
    if not isinstance(header, dict):
        raise ModelFileError(f"header: got {kind(header)}; allowed is a JSON object")
    return header, memoryview(content)[8 + length :]


def document_of(header: Mapping[str, Any]) -> dict[str, Any]:
    """Return the JSON document under the `hea` key of the safetensors metadata."""
    entry = header.get("__metadata__")
    if not isinstance(entry, dict) or not isinstance(entry.get(DOCUMENT), str):
        raise ModelFileError("__metadata__: the text under the key 'hea' is missing; this is no hea-potential model")
    if not all(isinstance(value, str) for value in entry.values()):
        raise ModelFileError("__metadata__: got a value that is no string; allowed are strings")
    document = parsed(entry[DOCUMENT].encode(), "metadata")
    if not isinstance(document, dict):
        raise ModelFileError(f"metadata: got {kind(document)}; allowed is a JSON object")
    return document


def parsed(text: bytes, what: str) -> Any:
    """What strict JSON says."""
    try:
        return parse_json(text)
    except ValueError as error:
        raise ModelFileError(f"{what}: got text that is not valid JSON ({error}); allowed is a JSON object") from error


def array_at(name: str, entry: Any, data: memoryview) -> NDArray[np.floating]:
    """Return one array, a copy."""
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
