"""Whatever is done to the bytes, a look at them ends, in findings, and never in a fault of the scanner."""

from __future__ import annotations

import io
import pickle
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.instruments.scan.pickles.programs import call, look, named, stacked, stream, text
from tests.unit.instruments.scan.pickles.test_files import checkpoint, joblib_array, npy, skops

SEEDS = {
    "pickle-0": pickle.dumps([OrderedDict(a=1), {"x": (1.5, None)}], protocol=0),
    "pickle-4": pickle.dumps([OrderedDict(a=1), {"x": {1, 2}}, b"y" * 300, "z" * 300], protocol=4),
    "calls": stream(
        call(stacked("builtins", "getattr"), call(named("operator", "add"), text("a"), text("b")), text("c"))
    ),
    "joblib": joblib_array(2, "f8", b"\0" * 16 + b"."),
    "npy": npy(np.array([(1, "x")], dtype=[("n", "<i4"), ("o", object)]), allow_pickle=True),
    "torch": checkpoint(),
    "skops": skops("os", "system", "ReduceNode"),
}


def _no_fault(data: bytes, name: str) -> None:
    rules = {finding.rule: finding for finding in look(data, name).findings}
    assert "scan/fault" not in rules, (data, rules["scan/fault"].detail)


@pytest.mark.parametrize("seed", sorted(SEEDS))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    edits=st.lists(st.tuples(st.integers(0, 10_000), st.integers(0, 255)), min_size=1, max_size=6),
    cut=st.integers(0, 10_000),
)
def test_changed_bytes_are_findings(seed: str, edits: list[tuple[int, int]], cut: int):
    data = bytearray(SEEDS[seed])
    for at, value in edits:
        data[at % len(data)] = value
    _no_fault(bytes(data), seed)
    _no_fault(bytes(data[: cut % len(data)]), seed)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.binary(max_size=400))
def test_any_bytes_after_a_header_are_findings(data: bytes):
    _no_fault(b"\x80\x04" + data, "x.pkl")
    _no_fault(b"\x93NUMPY\x01\x00" + data, "x.npy")


NAMES = """
    builtins:getattr builtins:map functools:partial operator:attrgetter operator:methodcaller builtins:type
    copyreg:_reconstructor pickle:loads functools:reduce operator:getitem sys:modules codecs:decode zlib:decompress
    joblib.numpy_pickle:NumpyArrayWrapper numpy:dtype argparse:Namespace types:MethodType
    scipy.stats._distn_infrastructure:rv_continuous copyreg:__newobj_ex__ dill._dill:_load_type
    spacy.vocab:unpickle_vocab torch._tensor:_rebuild_from_type_v2 copyreg:add_extension collections:defaultdict
    builtins:iter itertools:starmap threading:Timer os:system
"""
OPCODES = st.sampled_from(
    [
        bytes([code])
        for code in b"(.012NR)]}abdelostu\x81\x85\x86\x87\x88\x89\x8f\x90\x91\x92\x93\x94\x97\x98Q"
    ]
    + [b"K\x01", b"q\x00", b"h\x00", text("os"), text("system"), text("a"), b"\x82\x01"]
    + [named(*name.split(":")) for name in NAMES.split()]
)


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(OPCODES, max_size=60))
def test_any_opcodes_are_findings(opcodes: list[bytes]):
    _no_fault(b"\x80\x04" + b"".join(opcodes) + b".", "x.pkl")


def test_a_zip_in_a_zip_in_a_zip_ends():
    inner = checkpoint()
    for _ in range(30):
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as made:
            made.writestr("m/data.pkl", pickle.dumps(1))
            made.writestr("m/data/0", inner)
        inner = buffer.getvalue()

    assert any(finding.rule == "scan/over-budget" for finding in look(inner, "m.pt").findings)
