"""Files that hold pickles among other things: torch's, NumPy's, joblib's and skops'."""

from __future__ import annotations

import io
import json
import pickle
import struct
import warnings
import zipfile

import numpy as np
import pytest

from alcaide.instruments.scan.formats.torch_graph import harmless_expression
from alcaide.instruments.scan.model import Level
from tests.unit.instruments.scan.pickles.programs import (
    call,
    found,
    look,
    named,
    stacked,
    stream,
    text,
    worst,
)

EVIL = stream(call(named("os", "system"), text("touch x")), version=2)


def archive(members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", packing) as made:
        for name, content in members.items():
            made.writestr(name, content)
    return buffer.getvalue()


def checkpoint(count: int = 4, size: int = 16, more: dict[str, bytes] | None = None) -> bytes:
    storage = (
        b"("
        + text("storage")
        + named("torch", "FloatStorage")
        + text("0")
        + text("cpu")
        + b"K"
        + bytes([count])
    )
    tensor = call(
        named("torch._utils", "_rebuild_tensor_v2"),
        storage + b"tQ",
        b"K\0",
        b"K\x02K\x02\x86",
        b"K\x02K\x01\x86",
        b"\x89",
    )
    return archive(
        {"m/data.pkl": stream(tensor), "m/data/0": b"\0" * size, "m/version": b"3\n", **(more or {})}
    )


def rules(data: bytes, name: str = "model.pt") -> set[str]:
    return {finding.rule for finding in found(data, name)}


# ── torch ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_checkpoint_is_clean_and_counted():
    artifact = look(checkpoint(), "model.pt")

    assert not artifact.findings
    assert (artifact.node.facts["tensors"], artifact.node.facts["elements"]) == (1, 4)


def test_a_storage_of_another_size_is_said():
    assert rules(checkpoint(count=5)) == {"torch/storage-size"}


def test_a_member_no_pickle_speaks_of_is_said():
    assert rules(checkpoint(more={"m/data/9": b"\1\2\3\4 nothing known"})) == {"torch/unused-member"}


def test_a_pickle_in_the_place_of_a_tensor_is_found():
    assert worst(checkpoint(more={"m/data/9": EVIL}), "model.pt") is Level.CRITICAL


def test_torchscript_names_are_harmless_in_torchscript_only():
    made = stream(stacked("__torch__.net", "Net"), b")\x81")
    script = {"m/data.pkl": made, "m/constants.pkl": stream(b")"), "m/version": b"3\n"}

    assert worst(archive(script), "model.pt") is None
    assert worst(archive({"m/data.pkl": made, "m/version": b"3\n"}), "model.pt") is Level.MEDIUM


@pytest.mark.parametrize(("function", "level"), [("forward", Level.HIGH), ("__setstate__", Level.CRITICAL)])
def test_torchscript_that_reaches_a_file_is_as_bad_as_when_it_runs(function: str, level: Level):
    code = (
        f"class Net(Module):\n  def {function}(self) -> Tensor:\n    return torch.from_file('x', False, 1)\n"
    )
    script = {
        "m/data.pkl": stream(b"N"),
        "m/constants.pkl": stream(b")"),
        "m/code/__torch__/net.py": code.encode(),
    }

    assert worst(archive(script), "model.pt") is level


def test_torchscript_of_plain_operators_is_clean():
    code = b"class Net(Module):\n  def forward(self, x: Tensor) -> Tensor:\n    return torch.add(torch.relu(x), x)\n"
    script = {"m/data.pkl": stream(b"N"), "m/constants.pkl": stream(b")"), "m/code/__torch__/net.py": code}

    assert worst(archive(script), "model.pt") is None


@pytest.mark.parametrize(
    ("expression", "harmless"),
    [
        ("s0", True),
        ("Max(1, s0*s1 + 2)", True),
        ("Eq(Mod(s77, 8), 0)", True),
        ("((s0 - 1)//2) + 1", True),
        ("__import__('os').system('x')", False),
        ("(lambda: 1)()", False),
        ("s0.__class__", False),
        ("exec('x')", False),
        ("[x for x in s0]", False),
    ],
)
def test_exported_sizes_are_arithmetic(expression: str, harmless: bool):
    graph = json.dumps({"sizes": [{"as_expr": {"expr_str": expression}}]}).encode()
    program = archive({"m/archive_format": b"pt2", "m/models/model.json": graph})

    assert harmless_expression(expression) is harmless
    assert ("torch/evaluated-expression" in rules(program, "m.pt2")) is not harmless


def test_two_members_of_one_name_are_said():
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as made, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        made.writestr("m/data.pkl", stream(b"N"))
        made.writestr("m/data.pkl", EVIL)

    assert {"archive/same-name", "pickle/dangerous-callable"} <= rules(buffer.getvalue())


def test_the_form_before_the_zip_is_five_pickles_and_tensors():
    magic = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19."
    storage = b"(" + text("storage") + named("torch", "FloatStorage") + text("7") + text("cpu") + b"K\x04Nt"
    parts = (
        magic, b"\x80\x02M\xe9\x03.", pickle.dumps({"little_endian": True}, 2), stream(storage + b"Q", version=2),
        pickle.dumps(["7"], 2), struct.pack("<q", 4) + b"\0" * 16,
    )  # fmt: skip

    assert not found(b"".join(parts), "old.pth")
    assert worst(b"".join(parts) + EVIL, "old.pth") is Level.CRITICAL


# ── NumPy ────────────────────────────────────────────────────────────────────────────────────────────────────────


def npy(array: np.ndarray, *, allow_pickle: bool = False) -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=allow_pickle)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "array",
    [
        np.arange(6.0).reshape(2, 3),
        np.array(["a", "bcd"]),
        np.array([(1, 2.5)], dtype=[("a", "<i4"), ("b", "<f8", (2,))]),
        np.array(5, dtype=np.int8),
        np.array(["2020-01-01"], dtype="datetime64[D]"),
        np.zeros((0, 4)),
    ],
)
def test_plain_arrays_are_clean(array: np.ndarray):
    assert not found(npy(array), "a.npy")


def test_an_array_of_objects_is_a_pickle():
    honest = npy(np.array([1, "x", None], dtype=object), allow_pickle=True)
    start = honest.index(b"\n") + 1

    assert worst(honest, "a.npy") is Level.LOW
    assert worst(honest[:start] + EVIL, "a.npy") is Level.CRITICAL


def test_objects_hidden_in_a_structured_type_are_a_pickle():
    honest = npy(np.array([(1, "x")], dtype=[("n", "<i4"), ("o", object)]), allow_pickle=True)

    assert worst(honest[: honest.index(b"\n") + 1] + EVIL, "a.npy") is Level.CRITICAL


def test_a_header_that_is_code_is_said():
    header = b"__import__('os').system('x')\n"

    assert rules(b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header, "a.npy") == {
        "numpy/header-code"
    }


def test_an_array_longer_than_the_file_is_truncated():
    assert rules(npy(np.arange(100))[:-1], "a.npy") == {"scan/truncated"}


def test_an_npz_is_its_arrays():
    plain = {"a.npy": npy(np.arange(3)), "b.npy": npy(np.eye(2))}
    bad = npy(np.array([None], dtype=object), allow_pickle=True)

    assert worst(archive(plain, zipfile.ZIP_DEFLATED), "w.npz") is None
    assert worst(archive({**plain, "c.npy": bad[: bad.index(b"\n") + 1] + EVIL}), "w.npz") is Level.CRITICAL


# ── joblib ───────────────────────────────────────────────────────────────────────────────────────────────────────


def joblib_array(items: int, code: str, then: bytes) -> bytes:
    """A pickle with an array that lies in the middle of it, as joblib writes one, and something after."""
    dtype = call(named("numpy", "dtype"), text(code), b"\x89", b"\x88")
    state = b"}(" + text("shape") + b"K" + bytes([items]) + b"\x85" + text("dtype") + dtype + b"u"
    return b"\x80\x04" + named("joblib.numpy_pickle", "NumpyArrayWrapper") + b")\x81" + state + b"b" + then


def test_the_pickle_goes_on_after_an_array():
    assert worst(joblib_array(4, "f8", b".." * 16 + b"."), "m.joblib") is None
    assert worst(joblib_array(4, "f8", b".." * 16 + call(named("os", "system")) + b".")) is Level.CRITICAL


def test_an_array_whose_bytes_are_opcodes_is_found():
    opcodes = (call(named("os", "system")) + b".").ljust(32, b".")

    assert worst(joblib_array(4, "f8", opcodes + b"."), "m.joblib") is Level.CRITICAL


def test_an_array_of_objects_is_a_pickle_in_the_pickle():
    assert worst(joblib_array(1, "O8", pickle.dumps([1]) + b".")) is None
    assert worst(joblib_array(1, "O8", EVIL + b".")) is Level.CRITICAL


def test_an_array_longer_than_the_file_is_truncation():
    assert rules(joblib_array(200, "f8", b"short."), "m.joblib") == {"scan/truncated"}


def test_the_old_header_is_read():
    import zlib

    packed = b"ZF" + hex(len(EVIL)).encode().ljust(19) + zlib.compress(EVIL)

    assert worst(packed, "old.pkl") is Level.CRITICAL


# ── skops ────────────────────────────────────────────────────────────────────────────────────────────────────────


def skops(module: str, name: str, loader: str) -> bytes:
    schema = {"__module__": module, "__class__": name, "__loader__": loader, "content": {}, "protocol": 2}
    return archive({"schema.json": json.dumps(schema).encode()})


@pytest.mark.parametrize(
    ("module", "name", "loader", "level"),
    [
        ("sklearn.linear_model._logistic", "LogisticRegression", "ObjectNode", None),
        ("os", "system", "ReduceNode", Level.CRITICAL),
        ("os", "system", "FunctionNode", Level.HIGH),
        ("my_models", "Net", "ObjectNode", Level.MEDIUM),
        ("operator", "itemgetter", "OperatorFuncNode", None),
    ],
)
def test_types_of_a_schema_are_judged(module: str, name: str, loader: str, level: Level | None):
    assert worst(skops(module, name, loader), "m.skops") is level
