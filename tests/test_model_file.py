"""Model files: what is written is read, what is wrong is refused, by the readers of Python and of the engine alike."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from random_model import model_bytes, random_model

from hea_potential.engine import Model, ModelError
from hea_potential.errors import ModelFileError, OutputError
from hea_potential.model_file import (
    ModelFile,
    find_model,
    pair_index,
    parse_model,
    read_model_file,
    shipped_models,
    write_model_file,
)

SMALL = {"n_features": 3, "n_angular": 1, "n_hidden": 2, "n_intervals": 5, "rank_pair": 1, "rank_many": 1}


def small_model(**changes: Any) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    return random_model(np.random.default_rng(1), **{"elements": ("Cu", "Pd"), **SMALL, **changes})


def rebuilt(header: dict[str, Any], data: bytes) -> bytes:
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data


def split(content: bytes) -> tuple[dict[str, Any], bytes]:
    length = int.from_bytes(content[:8], "little")
    return json.loads(content[8 : 8 + length]), content[8 + length :]


@pytest.mark.parametrize("fp32", [False, True])
@pytest.mark.parametrize("changes", [{}, {"rank_pair": 0, "rank_many": 0}, {"sigma": False}, {"n_angular": 0}])
def test_what_is_written_is_read(tmp_path: Path, fp32: bool, changes: dict[str, Any]) -> None:
    model = parse_model(model_bytes(*small_model(**changes), fp32=fp32))
    write_model_file(tmp_path / "model.safetensors", model)
    again = read_model_file(tmp_path / "model.safetensors")
    assert again.metadata == model.metadata
    assert again.tensors.keys() == model.tensors.keys()
    for name, tensor in model.tensors.items():
        np.testing.assert_array_equal(again.tensors[name], tensor)
        assert again.tensors[name].dtype == tensor.dtype
    assert again.to_bytes() == (tmp_path / "model.safetensors").read_bytes()
    assert safetensors.numpy.load(model.to_bytes()).keys() == model.tensors.keys()
    Model(model.to_bytes())


def test_the_engine_reads_what_python_reads() -> None:
    model = parse_model(model_bytes(*small_model()))
    engine = Model(model.to_bytes())
    assert tuple(engine.elements) == model.elements == ("Cu", "Pd")
    assert list(engine.atomic_numbers) == [29, 46]
    assert engine.cutoff == model.cutoff
    assert engine.has_sigma == model.has_sigma
    assert json.loads(engine.metadata) == model.metadata


def test_pairs_are_in_the_order_of_the_pair_tensors() -> None:
    model = parse_model(model_bytes(*random_model(np.random.default_rng(0), elements=("Ni", "Cu", "Pd", "Ag"))))
    assert model.pairs[0] == ("Ni", "Ni")
    for row, (a, b) in enumerate(model.pairs):
        i, j = model.elements.index(a), model.elements.index(b)
        assert pair_index(i, j, 4) == pair_index(j, i, 4) == row


def test_weights_are_counted_without_what_is_not_trained() -> None:
    tensors, document = small_model()
    untrained = ("gram", "distance.min", "zbl.inner", "zbl.outer")
    assert ModelFile(tensors, document).n_weights == sum(x.size for k, x in tensors.items() if k not in untrained)


def test_folders_of_the_environment_have_named_models(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in LAMMPS: the first folder wins, and what is shipped comes last."""
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "mine.safetensors").write_bytes(find_model("hea6").read_bytes())
    shipped = find_model("hea6")
    monkeypatch.setenv("HEA_MODEL_PATH", f"{first}:/nowhere:{second}")
    assert find_model("mine") == first / "mine.safetensors"
    assert find_model("hea6") == shipped
    with pytest.raises(ModelFileError, match="mine"):
        find_model("yours")


def test_unknown_names_list_the_shipped_models(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match=r"got 'hea7' \(no such file\); allowed is a known model") as error:
        find_model("hea7")
    assert all(name in str(error.value) for name in shipped_models())
    with pytest.raises(ModelFileError, match="a folder"):
        read_model_file(tmp_path)


def test_nothing_is_left_where_a_file_cannot_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = ModelFile(*small_model())
    with pytest.raises(OutputError, match="No such file or directory"):
        write_model_file(tmp_path / "missing" / "model.safetensors", model)
    with pytest.raises(OutputError, match="a folder"):
        write_model_file(tmp_path, model)

    def full_disk(path: Path, content: bytes) -> int:
        with path.open("wb") as file:
            file.write(content[:100])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_model_file(tmp_path / "model.safetensors", model)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_model_survives_a_failed_write(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model = ModelFile(*small_model())
    write_model_file(path, model)
    with pytest.raises(ModelFileError):
        write_model_file(path, ModelFile(model.tensors, {**model.metadata, "version": 2}))
    assert path.read_bytes() == model.to_bytes()


WRONG_METADATA: list[tuple[str, Any, str]] = [
    ("format", "something", "hea-potential"),
    ("version", 2, "version"),
    ("version", None, "version"),
    ("elements", [], "elements"),
    ("elements", ["Cu", "Xx"], "Xx"),
    ("elements", ["Cu", "Cu"], "Cu"),
    ("elements", "CuPd", "elements"),
    ("elements", [["Cu"], ["Pd"]], "elements"),
    ("units", {"energy": "kcal/mol", "length": "Angstrom"}, "kcal/mol"),
    ("units", {"energy": "eV"}, "length"),
    ("cutoff", -1.0, "cutoff"),
    ("cutoff", 1e9, "cutoff"),
    ("cutoff", "5", "cutoff"),
    ("n_interactions", 0, "n_interactions"),
    ("n_features", 2.5, "n_features"),
    ("n_features", 10**9, "n_features"),
    ("n_features", True, "n_features"),
    ("n_angular", 4, "n_angular"),
    ("n_hidden", 3, "head.hidden"),
    ("n_intervals", 6, "filters"),
    ("rank_pair", -1, "rank_pair"),
    ("head_activation", "relu", "relu"),
    ("head_activation", ["ssp"], "head_activation"),
    ("sigma", {"scale": 0.0, "ridge": 1.0}, "scale"),
    ("sigma", {"scale": 1.0}, "ridge"),
    ("sigma", 1.0, "sigma"),
]


def refuse(content: bytes, words: str) -> None:
    """Check that both readers refuse a file, and that their messages hold the words."""
    with pytest.raises(ModelFileError) as from_python:
        parse_model(content)
    with pytest.raises(ModelError) as from_engine:
        Model(content)
    assert words in str(from_python.value)
    assert words in str(from_engine.value)


@pytest.mark.parametrize(("key", "value", "words"), WRONG_METADATA, ids=lambda x: str(x)[:20])
def test_wrong_metadata_are_refused(key: str, value: Any, words: str) -> None:
    tensors, document = small_model()
    refuse(model_bytes(tensors, {**document, key: value}), words)


@pytest.mark.parametrize("key", ["format", "version", "elements", "units", "cutoff", "n_features", "head_activation"])
def test_missing_metadata_are_refused(key: str) -> None:
    tensors, document = small_model()
    del document[key]
    refuse(model_bytes(tensors, document), key)


def test_sigma_and_gram_come_together() -> None:
    tensors, document = small_model()
    refuse(model_bytes({k: x for k, x in tensors.items() if k != "gram"}, document), "gram")
    refuse(model_bytes(tensors, {k: x for k, x in document.items() if k != "sigma"}), "gram")


@pytest.mark.parametrize("name", sorted(small_model()[0]))
def test_wrong_tensors_are_refused(name: str) -> None:
    tensors, document = small_model()
    without = {key: tensor for key, tensor in tensors.items() if key != name}
    refuse(model_bytes(without, document), name)
    refuse(model_bytes({**tensors, name: tensors[name][..., :-1]}, document), name)
    for number in (np.nan, np.inf):
        wrong = tensors[name].copy()
        wrong.flat[-1] = number
        refuse(model_bytes({**tensors, name: wrong}, document), name)
    as_integers = {**tensors, name: np.ones(tensors[name].shape, dtype=np.int64)}
    metadata = {"hea": json.dumps(document)}
    refuse(safetensors.numpy.save(as_integers, metadata=metadata), name)
    refuse(safetensors.numpy.save({**tensors, "extra": tensors[name]}, metadata=metadata), "extra")


def test_gram_is_double() -> None:
    tensors, document = small_model()
    tensors["gram"] = tensors["gram"].astype(np.float32)
    refuse(safetensors.numpy.save(tensors, metadata={"hea": json.dumps(document)}), "gram")


def test_impossible_distances_are_refused() -> None:
    tensors, document = small_model()
    for name, value in (("zbl.outer", 6.0), ("zbl.inner", 4.0), ("zbl.inner", -1.0), ("distance.min", -0.1)):
        wrong = tensors[name].copy()
        wrong[1] = value
        with pytest.raises(ModelFileError, match=name.replace(".", r"\.")):
            parse_model(model_bytes({**tensors, name: wrong}, document))
        with pytest.raises(ModelError, match="Cu-Pd"):
            Model(model_bytes({**tensors, name: wrong}, document))


def test_filters_that_do_not_vanish_at_the_cutoff_are_refused() -> None:
    tensors, document = small_model()
    filters = tensors["filters"].copy()
    filters[0, 1, -3, 0] = 1e-3
    refuse(model_bytes({**tensors, "filters": filters}, document), "last three control points")


def test_files_of_another_kind_are_refused(tmp_path: Path) -> None:
    tensors, document = small_model()
    content = model_bytes(tensors, document)
    header, data = split(content)
    for foreign in (b"", b"short", b"PK\x03\x04" + content, bytes(100), b"\x89HDF\r\n\x1a\n" + bytes(500)):
        refuse(foreign, "safetensors")
    refuse(safetensors.numpy.save(tensors), "hea")
    refuse(safetensors.numpy.save(tensors, metadata={"format": "pt"}), "hea")
    refuse(content[:-1], "truncated")
    refuse(content + b"\0", "bytes")
    (tmp_path / "cut.safetensors").write_bytes(content[: len(content) // 2])
    with pytest.raises(ModelFileError, match=r"cut\.safetensors"):
        read_model_file(tmp_path / "cut.safetensors")
    overlap = copy.deepcopy(header)
    overlap["e0"]["data_offsets"] = overlap["head.hidden.bias"]["data_offsets"]
    overlap["e0"]["shape"] = [2, 2]
    refuse(rebuilt(overlap, data), "")
    assert parse_model(rebuilt(header, data)).metadata == document


def with_extra(text: str) -> bytes:
    """Return a model file whose document has one more entry, said as text."""
    header, data = split(model_bytes(*small_model()))
    document = header["__metadata__"]["hea"]
    header["__metadata__"]["hea"] = document[:-1] + f', "extra": {text}' + "}"
    return rebuilt(header, data)


@pytest.mark.parametrize(
    "text",
    ["1e308", "5e-324", "0e-400", "-0.0", "0", "123456789012345678901", "[" * 64 + "]" * 64, "[" + "1," * 99 + "1]"],
)
def test_both_readers_take_what_a_double_holds_and_the_stack(text: str) -> None:
    content = with_extra(text)
    assert json.loads(Model(content).metadata) == parse_model(content).metadata


@pytest.mark.parametrize(
    "text",
    ["1e309", "-1e400", "1e-400", "1" + 400 * "0", "1" + 5000 * "0", "NaN", "01", "[" * 65 + "]" * 65, "[" * 5000],
    ids=lambda text: text[:10],
)
def test_both_readers_refuse_what_no_double_holds_and_deep_texts(text: str) -> None:
    refuse(with_extra(text), "not valid JSON")


def test_both_readers_refuse_more_than_a_million_values() -> None:
    refuse(with_extra("[" + "1," * 10**6 + "1]"), "more than 1000000 values")


def mutated(rng: np.random.Generator, content: bytes) -> bytes:
    """Return the content with some bytes changed, taken out, doubled or cut off; most changes are in the header."""
    out = bytearray(content)
    length = 8 + int.from_bytes(content[:8], "little")
    kind = rng.choice(["flip", "digit", "insert", "delete", "truncate", "move", "data"], p=[0.25, 0.25, *[0.1] * 5])
    if kind == "truncate":
        return bytes(out[: rng.integers(len(out))])
    if kind == "data":
        for place in rng.integers(length, len(out), size=rng.integers(1, 5)):
            out[place] ^= 1 << rng.integers(8)
        return bytes(out)
    digits = [place for place in range(8, length) if chr(out[place]).isdigit()]
    for _ in range(rng.integers(1, 4)):
        place = int(rng.integers(length))
        if kind == "flip":
            out[place] ^= 1 << rng.integers(8)
        elif kind == "digit":
            out[rng.choice(digits)] = rng.choice([*b"0123456789.-eE"])
        elif kind == "insert":
            out[place:place] = rng.bytes(int(rng.integers(1, 9)))
        elif kind == "delete":
            del out[place : place + int(rng.integers(1, 9))]
        else:
            end = place + int(rng.integers(1, 60))
            out[place:place] = out[place:end]
    return bytes(out)


def test_mutations_are_read_identically_or_refused() -> None:
    """Of 1000 mutations both readers read the same model, or both refuse with their own error; nothing else happens."""
    rng = np.random.default_rng(2026)
    tensors, document = small_model()
    contents = [model_bytes(tensors, document, fp32=fp32) for fp32 in (False, True)]
    outcomes = {"read": 0, "refused": 0}
    for number in range(1000):
        content = mutated(rng, contents[number % 2])
        try:
            from_python = parse_model(content)
        except ModelFileError:
            with pytest.raises(ModelError):
                Model(content)
            outcomes["refused"] += 1
            continue
        from_engine = Model(content)
        assert json.loads(from_engine.metadata) == from_python.metadata
        assert_same_numbers(from_engine, from_python)
        outcomes["read"] += 1
    assert min(outcomes.values()) > 50, outcomes


def assert_same_numbers(engine: Model, python: ModelFile) -> None:
    for name, tensor in python.tensors.items():
        np.testing.assert_array_equal(engine.tensor(name), tensor.ravel(), err_msg=name)
