"""Files made to tire a scanner: headers that lie, archives without end, structures that grow in memory."""

from __future__ import annotations

import bz2
import gzip
import io
import struct
import tarfile
import zipfile
from collections.abc import Callable, Mapping

HUGE = 4 << 30
MANY = 1_000_000


def u64(number: int) -> bytes:
    return struct.pack("<Q", number)


# ── Four gigabytes of nothing, between a header that lies and an end ─────────────────────────────────────────────────

HOLLOW: Mapping[str, tuple[bytes, bytes, set[str]]] = {
    "length.safetensors": (u64(HUGE - 8) + b'{"a":', b"", {"scan/malformed"}),
    "header.safetensors": (u64(90 << 20) + b'{"a":{', b"", {"scan/over-budget"}),
    "count.gguf": (b"GGUF" + struct.pack("<IQQ", 3, 1 << 62, 1 << 62), b"", {"scan/malformed"}),
    "text.gguf": (b"GGUF" + struct.pack("<IQQ", 3, 1, 1) + u64(HUGE - 100), b"", {"scan/malformed"}),
    "header.npy": (b"\x93NUMPY\x02\0" + struct.pack("<I", HUGE - 12) + b"{'descr'", b"", {"scan/malformed"}),
    "frame.pkl": (b"\x80\x04\x95" + u64(HUGE - 12) + b"]\x94(", b"", {"scan/malformed"}),
    "bytes.pkl": (b"\x80\x04\x8e" + u64(HUGE - 100), b".", {"scan/malformed"}),
    "end.zip": (b"PK\3\4" + bytes(26), b"PK\5\6" + bytes(4) + b"\xff" * 12 + bytes(2), {"archive/two-stories"}),
    "directory.zip": (
        b"PK\3\4" + bytes(26),
        b"PK\5\6\0\0\0\0\x10\x27\x10\x27" + struct.pack("<II", 3 << 30, 1 << 20) + b"\0\0",
        {"archive/two-stories"},
    ),
    "header.7z": (
        b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + u64(32) + u64(HUGE - 64) + bytes(4), b"", {"scan/malformed"},
    ),
    "trailer.gz": (gzip.compress(b"hello"), b"", {"archive/bytes-beside"}),
    "trailer.bz2": (bz2.compress(b"hello"), b"", {"archive/bytes-beside"}),
    "root.h5": (
        b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\4\0\x10\0\0\0\0\0" + u64(0) + b"\xff" * 8 + u64(HUGE)
        + b"\xff" * 8 + u64(0) + u64(HUGE - 600) + bytes(24), b"", {"scan/malformed"},
    ),
    "graph.onnx": (b"\x08\x07\x12\x07pytorch\x3a\xf0\xff\xff\xff\x0f", b"", {"scan/truncated"}),
    "table.tflite": (struct.pack("<I", 0xFFFFFF00) + b"TFL3", b"", {"scan/malformed"}),
    "chunk.png": (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0abcd\xff\xff\xff\xf0IDAT", b"", {"scan/malformed"},
    ),
    "footer.parquet": (b"PAR1", struct.pack("<I", 0xFFFFFF00) + b"PAR1", {"scan/over-budget"}),
    "array.msgpack": (b"\x82\xa1a\xdd\xff\xff\xff\xff", b"", {"scan/malformed"}),
    "numbers.ubj": (
        b"{L" + struct.pack(">q", 7) + b"learner[$d#L" + struct.pack(">q", 1 << 60), b"", {"scan/malformed"},
    ),
    "text.ipynb": (b'{"cells": [{"source": "', b'"}]}', {"scan/over-budget"}),
    "vector.rds": (b"X\n\0\0\0\2\0\4\2\1\0\2\3\0\0\0\0\x0e\x7f\xff\xff\xf0", b"", {"scan/truncated"}),
    "words.bin": (b"tjgg" + struct.pack("<I7I", 3, 0x7FFFFFFF, 8, 32, 2, 1, 4, 0), b"", {"scan/malformed"}),
    "program.elf": (b"\x7fELF\x02\x01\x01" + bytes(60), b"", {"executable/beside"}),
    "document.xml": (b"<?xml version='1.0'?><PMML version='4'>", b"</PMML>", {"scan/malformed"}),
}  # fmt: skip
"""Beginning, end, and the rules of which each must break at least one."""


def _tar_of_eight_gigabytes() -> bytes:
    info = tarfile.TarInfo("x")
    info.size = 7 << 30
    return info.tobuf(tarfile.GNU_FORMAT)


# ── Archives ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_ZIP_NAME = b"a.bin"
_ZIP_LOCAL = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 0, 0, 0, 0, 0, 0, len(_ZIP_NAME), 0) + _ZIP_NAME
_ZIP_ENTRY = struct.pack(
    "<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, 0, 0, len(_ZIP_NAME), 0, 0, 0, 0, 0, 0
)


def _zip_end(count: int, size: int, start: int, at: int) -> bytes:
    record = struct.pack("<4sQ2H2I4Q", b"PK\6\6", 44, 45, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, at, 1)
    return (
        record + locator + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0xFFFFFFFF, 0)
    )


def zip_that_claims(count: int) -> bytes:
    """One entry, in a directory that says it has `count`."""
    directory = _ZIP_ENTRY + _ZIP_NAME
    before = len(_ZIP_LOCAL)
    return _ZIP_LOCAL + directory + _zip_end(count, count * 46, before, before + len(directory))


def zip_that_holds(count: int) -> bytes:
    """`count` entries, all of the same few bytes."""
    directory = b"".join(_ZIP_ENTRY + b"%05x" % (number & 0xFFFFF) for number in range(count))
    before = len(_ZIP_LOCAL)
    return _ZIP_LOCAL + directory + _zip_end(count, len(directory), before, before + len(directory))


def nested(depth: int, pack: Callable[[bytes], bytes]) -> bytes:
    """A pickle that calls `os.system`, packed so many times over."""
    content = b"cos\nsystem\n(S'true'\ntR."
    for _ in range(depth):
        content = pack(content)
    return content


def _zipped(content: bytes) -> bytes:
    held = io.BytesIO()
    with zipfile.ZipFile(held, "w") as archive:
        archive.writestr(zipfile.ZipInfo("a"), content)
    return held.getvalue()


def _tarred(content: bytes) -> bytes:
    info = tarfile.TarInfo("a")
    info.size = len(content)
    return gzip.compress(
        info.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % 512 + 1024), 1, mtime=0
    )


# ── Everything else ──────────────────────────────────────────────────────────────────────────────────────────────────

_P = b"\x80\x04"
_LISTS = b",".join([b"[]"] * 2_000_000)

WHOLE: Mapping[str, tuple[Callable[[], bytes], set[str]]] = {
    "claims.zip": (lambda: zip_that_claims(10_000_000), {"archive/two-stories"}),
    "holds.zip": (lambda: zip_that_holds(70_000), {"archive/two-stories", "scan/over-budget"}),
    "deep.zip": (lambda: nested(1_000, _zipped), {"archive/nested", "scan/over-budget"}),
    "deep.gz": (lambda: nested(1_000, lambda content: gzip.compress(content, 1, mtime=0)), {"archive/nested"}),
    "deep.tar.gz": (lambda: nested(60, _tarred), {"archive/nested"}),
    "bomb.gz": (lambda: gzip.compress(bytes(80 << 20), 9, mtime=0), {"archive/bomb"}),
    "eight-gigabytes.tar": (_tar_of_eight_gigabytes, {"scan/truncated"}),
    "memo.pkl": (lambda: _P + b"Nr\xff\xff\xff\x7fj\xff\xff\xff\x7f.", {"pickle/memo-bomb"}),
    "memo-in-text.pkl": (lambda: b"(lp2147483648\ng2147483648\n.", {"pickle/memo-bomb"}),
    "memo-with-holes.pkl": (
        lambda: _P + b"".join(b"Nr" + struct.pack("<I", n * 40_001) for n in range(50_000)) + b".",
        {"pickle/memo-bomb"},
    ),
    "marks.pkl": (lambda: _P + b"(" * MANY + b".", {"scan/malformed"}),
    "lists.pkl": (lambda: _P + b"(" + b"]" * (3 * MANY // 2) + b"l.", {"scan/over-budget"}),
    "dictionaries.pkl": (lambda: _P + b"(" + b"}" * (3 * MANY // 2) + b"l.", {"scan/over-budget"}),
    "tuples-then-a-call.pkl": (
        lambda: _P + b")" + b"\x85" * 300_000 + b"0cos\nsystem\n(S'true'\ntR.", {"pickle/dangerous-callable"},
    ),
    "doubled-then-a-call.pkl": (
        lambda: _P + b"K\x01" + b"2\x86" * 50_000 + b"0cos\nsystem\n(S'true'\ntR.", {"pickle/dangerous-callable"},
    ),
    "calls-of-calls.pkl": (lambda: _P + b"cos\nsystem\n" + b"2\x85R" * 10_000 + b".", {"pickle/dangerous-callable"}),
    "memorised-then-a-call.pkl": (
        lambda: _P + b"]\x940" * 400_000 + b"cos\nsystem\n(S'true'\ntR.", {"pickle/dangerous-callable"},
    ),
    "long-long.pkl": (lambda: _P + b"\x8b" + struct.pack("<i", 0x7FFFFFFF) + bytes(50), {"scan/truncated"}),
    "negative-long.pkl": (lambda: _P + b"\x8b" + struct.pack("<i", -1) + b".", {"scan/malformed"}),
    "long-text.pkl": (lambda: _P + b"\x8d" + u64(1 << 62) + b"x.", {"scan/truncated"}),
    "long-number-then-a-call.pkl": (
        lambda: b"I" + b"0" * 3_000_000 + b"1\n0cos\nsystem\n(S'true'\ntR.", {"pickle/dangerous-callable"},
    ),
    "extension.pkl": (lambda: _P + b"\x84\xff\xff\xff\x7f.", {"pickle/extension"}),
    "findings.pkl": (
        lambda: _P + b"".join(b"cm%05d\nf\n)R0" % n for n in range(4_000)) + b"N.", {"scan/more-findings"},
    ),
    "findings.ipynb": (
        lambda: b'{"nbformat":4,"metadata":{},"cells":['
        + b",".join([b'{"cell_type":"code","source":"!rm -rf /","outputs":[]}'] * 4_000) + b"]}",
        {"scan/more-findings"},
    ),
    "lists.ipynb": (lambda: b'{"nbformat":4,"cells":[' + _LISTS + b"]}", {"scan/over-budget"}),
    "config.json": (lambda: b'{"architectures":["A"],"x":[' + _LISTS + b"]}", {"scan/over-budget"}),
    "model.safetensors.index.json": (lambda: b'{"weight_map":{},"x":[' + _LISTS + b"]}", {"scan/over-budget"}),
    "MLmodel": (lambda: b"flavors:\n  a: {}\nmlflow_version: 2\nx:\n" + b"- a\n" * 250_000, {"mlflow/unreadable"}),
    "deep.yaml": (lambda: b"[" * 50_000, {"config/nested-too-deep"}),
    "aliases.yaml": (
        lambda: b"a: &a [x,x,x,x,x,x,x,x,x]\n"
        + b"".join(b"%c: &%c [%s]\n" % (98 + n, 98 + n, b",".join([b"*%c" % (97 + n)] * 9)) for n in range(12)),
        {"yaml/alias-bomb"},
    ),
    "deep.py": (lambda: b"x=" + b"-" * 100_000 + b"1", {"scan/over-budget"}),
    "deep.xml": (lambda: b"<?xml version='1.0'?><PMML>" + b"<a>" * 300_000, {"scan/over-budget"}),
    "deep.msgpack": (lambda: b"\x91" * MANY + b"\x01", {"scan/malformed"}),
    "deep.ubj": (lambda: b"{i\x07learner" + b"[" * MANY, {"scan/malformed"}),
    "chat_template.jinja": (lambda: b"{% if a %}" * 20_000, {"template/unreadable"}),
    "requirements.txt": (lambda: b"-e git+http://a.example/x\n" * 100_000, {"scan/over-budget"}),
}  # fmt: skip
"""What makes each, and the rules of which each must break at least one."""
