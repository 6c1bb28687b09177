"""Small files of weights, made by hand, so that each can be bent where a test wants it."""

import json
import struct
from typing import Any

from alcaide.instruments.scan.examine import examine_artifact
from alcaide.instruments.scan.model import Artifact, Finding, Level
from alcaide.instruments.scan.source import Memory


def look(data: bytes, name: str = "thing.bin") -> Artifact:
    return examine_artifact(Memory(data), name)


def worrying(artifact: Artifact) -> list[Finding]:
    """What an honest file may not have: anything at medium or above, and anything that was not looked at."""
    return [
        finding
        for finding in artifact.findings
        if finding.level is Level.UNKNOWN or finding.level.rank >= Level.MEDIUM.rank
    ]


def rules(artifact: Artifact, least: Level = Level.MEDIUM) -> set[str]:
    return {finding.rule for finding in artifact.findings if finding.level.rank >= least.rank}


PICKLE = b"\x80\x02cposix\nsystem\nX\x02\x00\x00\x00id\x85R."


def tensor(begin: int, end: int, shape: list[int] | None = None, dtype: str = "F32") -> dict[str, Any]:
    return {
        "dtype": dtype,
        "shape": [(end - begin) // 4] if shape is None else shape,
        "data_offsets": [begin, end],
    }


def safetensors(header: dict[str, Any] | bytes, data: bytes = b"", length: int | None = None) -> bytes:
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(raw) if length is None else length) + raw + data


def text(value: str, big: bool = False, wide: str = "Q") -> bytes:
    raw = value.encode()
    return struct.pack((">" if big else "<") + wide, len(raw)) + raw


def gguf(
    pairs: dict[str, str | int | list[str] | list[int]],
    tensors: list[tuple[str, list[int], int, int]] | None = None,
    data: bytes = b"",
    *,
    big: bool = False,
    version: int = 3,
) -> bytes:
    order = ">" if big else "<"
    wide = "I" if version == 1 else "Q"
    tensors = [("w", [4], 0, 0)] if tensors is None else tensors
    body = bytearray(b"GGUF") + struct.pack(f"{order}I{wide}{wide}", version, len(tensors), len(pairs))
    for key, value in pairs.items():
        body += text(key, big, wide)
        if isinstance(value, str):
            body += struct.pack(order + "I", 8) + text(value, big, wide)
        elif isinstance(value, int):
            body += struct.pack(order + "II", 4, value)
        else:
            kind = 8 if value and isinstance(value[0], str) else 5
            body += struct.pack(f"{order}II{wide}", 9, kind, len(value))
            for item in value:
                body += text(item, big, wide) if isinstance(item, str) else struct.pack(order + "i", item)
    for name, shape, kind, offset in tensors:
        body += text(name, big, wide) + struct.pack(
            f"{order}I{len(shape)}{wide}IQ", len(shape), *shape, kind, offset
        )
    return bytes(body + bytes(-len(body) % 32) + (data or bytes(32)))


TOKENS: dict[str, Any] = {
    "general.architecture": "llama",
    "tokenizer.ggml.tokens": ["a", "b", "c"],
    "tokenizer.ggml.token_type": [1, 1, 1],
    "tokenizer.chat_template": "{% for m in messages %}{{ m.content }}{% endfor %}",
}


def ggjt(words: int = 2, kind: int = 0) -> bytes:
    body = b"tjgg" + struct.pack("<I7I", 3, words, 8, 32, 2, 1, 4, 0)
    for word in (b"a", b"bc"):
        body += struct.pack("<I", len(word)) + word + struct.pack("<f", 0.0)
    body += struct.pack("<3i2I", 2, 1, kind, 4, 2) + b"w"
    body += bytes(-len(body) % 32)
    return body + bytes(32)


def word2vec(words: int = 3, dimensions: int = 4) -> bytes:
    body = f"{words} {dimensions}\n".encode()
    for number in range(words):
        body += f"word{number} ".encode() + struct.pack(f"<{dimensions}f", *([0.25] * dimensions)) + b"\n"
    return body


def fasttext(size: int = 2) -> bytes:
    body = b"\xba\x16\x4f\x2f" + struct.pack("<i12id", 12, 4, *([1] * 11), 0.1)
    body += struct.pack("<iiiqq", size, 2, 0, 10, -1)
    for word in (b"hello", b"world"):
        body += word + b"\0" + struct.pack("<qb", 5, 0)
    for rows in (3, 2):
        body += b"\0" + struct.pack("<qq", rows, 4) + bytes(rows * 16)
    return body


def sentencepiece(*more: bytes) -> bytes:
    pieces = b""
    for word in (b"<unk>", b"<s>", "\u2581the".encode(), b"a"):
        piece = b"\x0a" + bytes([len(word)]) + word + b"\x15" + struct.pack("<f", -1.0)
        pieces += b"\x0a" + bytes([len(piece)]) + piece
    return pieces + b"".join(more)


def key(name: str) -> bytes:
    return b"L" + struct.pack(">q", len(name)) + name.encode()


def ubj(extra: bytes = b"") -> bytes:
    model = b"{" + key("base_weights") + b"[$d#L" + struct.pack(">q", 3) + struct.pack(">3f", 0, 1, 2) + b"}"
    learner = b"{" + key("attributes") + b"{" + key("note") + b"S" + key("plain") + b"}"
    learner += key("trees") + b"[" + model + b"]" + extra + b"}"
    return (
        b"{"
        + key("learner")
        + learner
        + key("version")
        + b"[#L"
        + struct.pack(">q", 2)
        + b"i\x03i\x00"
        + b"}"
    )


LIGHTGBM = (
    b"tree\nversion=v4\nnum_class=1\nfeature_names=a b\ntree_sizes=60\n\nTree=0\nnum_leaves=3\nnum_cat=0\n"
    b"split_feature=1 0\nthreshold=0.5 1e-35\nleaf_value=1 2 3\nshrinkage=0.1\n\n\nend of trees\n\n"
    b"feature_importances:\na=2\nb=1\n\nparameters:\n[boosting: gbdt]\n[machines: ]\n\nend of parameters\n\n"
    b"pandas_categorical:null\n"
)

FLAX = b"\x81\xa6params\x82\xa4bias\xc7\x19\x01\x93\x91\x03\xa7float32\xc4\x0c" + bytes(12) + b"\xa4step\x03"
