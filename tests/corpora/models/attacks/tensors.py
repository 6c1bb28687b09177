"""Files of tensors alone, safetensors and GGUF: nothing in them runs, but their headers can lie."""

# ruff: noqa: E501 - tables, one entry a line

import json
import struct
from collections.abc import Callable
from typing import Any

from tests.corpora.models.attacks.payload import MARKER, SHELL
from tests.corpora.models.attacks.pickle_streams import EVIL
from tests.corpora.models.attacks.registry import Acts, Made, Maker, always, attack
from tests.corpora.models.attacks.zips import archive

ESCAPE = "{{ cycler.__init__.__globals__.os.popen('" + SHELL + "').read() }}"


def _file(family: str, id: str, says: str, acts: Acts = "none") -> Callable[[Maker], Maker]:
    return attack(
        f"{family}-{id}",
        acts=acts,
        family=family,
        says=says,
        suffix=f".{family}",
        unproved="runs nothing by itself",
    )


def safetensors(header: dict[str, Any] | bytes, data: bytes = bytes(16), length: int | None = None) -> bytes:
    """A safetensors file of that header, true or not."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def _tensor(
    start: int = 0, end: int = 16, kind: str = "F32", shape: tuple[int, ...] = (4,)
) -> dict[str, Any]:
    return {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}


_PLAIN = json.dumps({"w": _tensor()}).encode()
_SAFETENSORS: dict[str, tuple[str, bytes]] = {
    "overlap": ("two tensors share bytes", safetensors({"a": _tensor(0, 16), "b": _tensor(8, 24)}, bytes(24))),
    "out-of-range": ("a tensor ends beyond the file", safetensors({"a": _tensor(0, 4096, shape=(1024,))})),
    "gap": ("a hole between two tensors holds a program", safetensors({"a": _tensor(), "b": _tensor(80, 96)}, bytes(16) + b"\x7fELF" + bytes(76))),
    "header-bomb": ("a header that claims 2^62 bytes", safetensors(_PLAIN, length=2**62)),
    "header-large": ("a header that claims more than the format allows", safetensors(_PLAIN, length=200_000_000)),
    "header-cut": ("a header longer than the file", safetensors(_PLAIN, b"", length=len(_PLAIN) + 100)),
    "duplicate-key": ("one tensor twice, where readers differ", safetensors(b'{"a":' + json.dumps(_tensor()).encode() + b',"a":' + json.dumps(_tensor(0, 8, shape=(2,))).encode() + b"}")),
    "trailing-pickle": ("a pickle that acts behind the tensors", safetensors(_PLAIN, bytes(16) + EVIL)),
    "trailing-zip": ("an archive behind the tensors", safetensors(_PLAIN, bytes(16) + archive(("run.sh", SHELL.encode())))),
    "trailing-zeros": ("bytes behind the tensors that belong to none", safetensors(_PLAIN, bytes(4096))),
    "not-json": ("a header that is no JSON", safetensors(b"{'w': __import__('os')}" + b" " * 9)),
    "leading-space": ("a header that does not begin with a brace", safetensors(b"  " + _PLAIN)),
    "hidden-in-padding": ("a header whose padding is a script", safetensors(_PLAIN + b"\n" + f"#!/bin/sh\n{SHELL}\n".encode())),
    "unknown-dtype": ("a kind of number that does not exist", safetensors({"w": _tensor(kind="P64")})),
    "shape-mismatch": ("a shape that does not fit its bytes", safetensors({"w": _tensor(shape=(400,))})),
    "shape-overflow": ("a shape whose product overflows", safetensors({"w": _tensor(shape=(2**32, 2**32))})),
    "negative-offset": ("an offset below zero", safetensors({"w": _tensor(-16, 0)})),
    "reversed-offsets": ("an end before its start", safetensors({"w": _tensor(16, 0)})),
    "negative-shape": ("a shape below zero", safetensors({"w": _tensor(shape=(-4,))})),
    "deep-header": ("a header nested ten thousand deep", safetensors(b'{"w":' + b"[" * 10_000 + b"]" * 10_000 + b"}")),
    "metadata-no-text": ("metadata that is no text", safetensors({"__metadata__": {"a": {"b": [1]}}, "w": _tensor()})),
    "float-offset": ("offsets that are fractions", safetensors({"w": {"dtype": "F32", "shape": [4], "data_offsets": [0.0, 16.5]}})),
    "huge-number": ("an offset of four thousand digits", safetensors(b'{"w":{"dtype":"F32","shape":[4],"data_offsets":[0,' + b"9" * 4000 + b"]}}")),
    "empty": ("a header of no length", safetensors(b"")),
}  # fmt: skip
for _id, (_says, _whole) in _SAFETENSORS.items():
    _file("safetensors", _id, _says)(always(_whole))


# ── GGUF ─────────────────────────────────────────────────────────────────────────────────────────────────────────

_TEXT, _ARRAY, _UINT32 = 8, 9, 4


def _string(value: str | bytes, length: int | None = None) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(raw) if length is None else length) + raw


def gguf_pair(key: str, value: str | int) -> bytes:
    """One entry of the metadata."""
    if isinstance(value, int):
        return _string(key) + struct.pack("<II", _UINT32, value)
    return _string(key) + struct.pack("<I", _TEXT) + _string(value)


def _info(name: str = "w", dims: tuple[int, ...] = (4,), kind: int = 0, offset: int = 0) -> bytes:
    return _string(name) + struct.pack(f"<I{len(dims)}QIQ", len(dims), *dims, kind, offset)


def gguf(
    *pairs: bytes,
    infos: tuple[bytes, ...] = (),
    data: bytes = b"",
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """A GGUF file; the counts follow from the rest unless they are given."""
    tensors, entries = counts or (len(infos), len(pairs) + 1)
    head = b"GGUF" + struct.pack("<IQQ", version, tensors, entries)
    body = head + gguf_pair("general.architecture", "llama") + b"".join(pairs) + b"".join(infos)
    return body + b"\0" * (-len(body) % 32) + data


_KEY = "tokenizer.chat_template"
_GGUF: dict[str, tuple[str, bytes, Acts]] = {
    "chat-template": ("a chat template that escapes its sandbox", gguf(gguf_pair(_KEY, ESCAPE)), "use"),
    "chat-template-named": ("a second, named chat template that escapes", gguf(gguf_pair(_KEY, "{{ messages }}"), gguf_pair(f"{_KEY}.tool_use", ESCAPE)), "use"),
    "chat-template-twice": ("the chat template twice, the second escapes", gguf(gguf_pair(_KEY, "{{ messages }}"), gguf_pair(_KEY, ESCAPE)), "use"),
    "count-bomb": ("claims 2^60 entries", gguf(counts=(0, 2**60)), "none"),
    "tensor-bomb": ("claims 2^60 tensors", gguf(counts=(2**60, 1)), "none"),
    "string-bomb": ("a text that claims 2^62 bytes", gguf(_string("a") + struct.pack("<I", _TEXT) + _string("x", 2**62)), "none"),
    "key-bomb": ("a key that claims 2^40 bytes", gguf(_string("k", 2**40)), "none"),
    "array-bomb": ("an array that claims 2^61 entries", gguf(_string("a") + struct.pack("<IIQ", _ARRAY, _UINT32, 2**61)), "none"),
    "array-nested": ("arrays in arrays, a thousand deep", gguf(_string("a") + struct.pack("<I", _ARRAY) + struct.pack("<IQ", _ARRAY, 1) * 1000), "none"),
    "type-unknown": ("a kind of value that does not exist", gguf(_string("a") + struct.pack("<IQ", 99, 1)), "none"),
    "version": ("a version that does not exist", gguf(version=99), "none"),
    "alignment-zero": ("an alignment of zero", gguf(gguf_pair("general.alignment", 0), infos=(_info(),), data=bytes(16)), "none"),
    "alignment-odd": ("an alignment of seven", gguf(gguf_pair("general.alignment", 7), infos=(_info(),), data=bytes(16)), "none"),
    "tensor-out-of-range": ("a tensor beyond the file", gguf(infos=(_info(offset=2**40),), data=bytes(16)), "none"),
    "tensor-overflow": ("dimensions whose product overflows", gguf(infos=(_info(dims=(2**33, 2**33)),), data=bytes(16)), "none"),
    "tensor-many-dims": ("a tensor of forty dimensions", gguf(infos=(_info(dims=(1,) * 40),), data=bytes(16)), "none"),
    "tensor-type": ("a kind of tensor that does not exist", gguf(infos=(_info(kind=999),), data=bytes(16)), "none"),
    "tensor-overlap": ("two tensors at one place", gguf(infos=(_info("a"), _info("b")), data=bytes(16)), "none"),
    "tensor-misaligned": ("a tensor off its alignment", gguf(infos=(_info("a", offset=3),), data=bytes(32)), "none"),
    "truncated": ("ends in the middle of its metadata", gguf(gguf_pair(_KEY, "{{ messages }}" * 9))[:90], "none"),
    "trailing-program": ("a program behind the tensors", gguf(infos=(_info(),), data=bytes(32) + b"\x7fELF\2\1\1" + bytes(300)), "none"),
}  # fmt: skip
for _id, (_says, _whole, _acts) in _GGUF.items():
    _file("gguf", _id, _says, _acts)(always(_whole))


@attack(
    "ggml-old",
    acts="none",
    family="gguf",
    says="an old GGML file with counts that lie",
    suffix=".bin",
    unproved="runs nothing by itself",
)
def _() -> Made:
    return struct.pack("<I", 0x67676D6C) + struct.pack("<7I", *(0xFFFFFFFF,) * 7) + MARKER.encode()
