"""Changing a model file where it matters: a pickle's opcode, an archive's member, a field of a protocol buffer.

What libFuzzer changes by itself mostly breaks a checksum or a length, and is refused at the door. These keep the form
around the change: opcodes stay whole, members are packed again, lengths fit what they count.
"""

from __future__ import annotations

import bz2
import contextlib
import gzip
import io
import lzma
import pickletools
import random
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Mapping

from tests.fuzz.mutators import Bytes, mutate_json
from tests.fuzz.scan import named, parted

_DEEPEST = 4
_MOST = 1 << 20
"""Bytes that are unpacked of anything: the corpus holds bombs."""
_MEMORY = 64 << 20
_NAMES = (
    "a.pkl", "model.pt", "data.pkl", "x.npy", "config.json", "m.keras", "a.zip", "a.tar.gz", "model.onnx", "a.py",
    "saved_model.pb", "requirements.txt", "tokenizer.json", "a.h5", "../a", "a\u202egnp.exe", "chat_template.jinja",
    "a.yaml", "setup.py", "a.ipynb", "", "a.model", "a.bin", "a.gguf", "a.txt", "a.csv", "x.ubj", "__init__.py",
)  # fmt: skip
_NUMBERS = (
    0, 1, 2, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 40, (1 << 63) - 1, 1 << 63,
    (1 << 64) - 1,
)  # fmt: skip
_CALLABLES = (
    "os system", "builtins getattr", "builtins eval", "collections OrderedDict", "functools partial",
    "operator attrgetter",
    "numpy dtype", "numpy.core.multiarray _reconstruct", "torch._utils _rebuild_tensor_v2", "copyreg _reconstructor",
    "pickle loads", "types SimpleNamespace", "builtins map", "functools reduce", "a.b c",
    "joblib.numpy_pickle NumpyArrayWrapper",
)  # fmt: skip
_OPCODES = (
    b"(", b".", b"0", b"1", b"2", b"R", b"b", b"a", b"e", b"d", b"s", b"t", b"u", b"}", b"]", b")", b"l", b"o", b"Q",
    b"N",
    b"\x81", b"\x85", b"\x86", b"\x87", b"\x8f", b"\x90", b"\x91", b"\x92", b"\x93", b"\x94", b"K\x01", b"q\x00",
    b"h\x00",
    b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\xff", b"p2147483648\n", b"g-1\n", b"I01\n", b"L" + b"9" * 40 + b"L\n",
    b"\x95\xff\xff\xff\xff\xff\xff\xff\x7f", b"\x8d\xff\xff\xff\xff\xff\xff\xff\xff", b"X\xff\xff\xff\x7f",
    b"B\xff\xff\xff\xff",
    b"\x8a\xff" + b"\xff" * 255, b"\x8b\xff\xff\xff\x7f", b"\x82\x01", b"\x83\xff\xff", b"F1e999\n", b"\x97", b"\x98",
    b"\x96\x01\0\0\0\0\0\0\0x", b"P1\n", b"S'a'\n", b"V\\ud800\n",
)  # fmt: skip


def mutate_artifact(data: bytes, dice: random.Random, change: Bytes) -> bytes | None:
    """The file under another name, or with something inside of it changed; None if it has no form that is known."""
    name, content = parted(data)
    if dice.random() < 0.08:
        return named(dice.choice(_NAMES), content)
    changed = _mutated(content, dice, change, 0)
    return None if changed is None else named(name, changed)


def _mutated(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes | None:
    if depth > _DEEPEST or not content:
        return None
    with contextlib.suppress(Exception):  # a form that cannot be taken apart is changed as bytes
        for begins, mutate in _FORMS.items():
            if content.startswith(begins):
                return mutate(content, dice, change, depth)
        if content[257:262] == b"ustar":
            return _tar(content, dice, change, depth)
        if content[:1] in b"{[" and (changed := mutate_json(content, dice, change)) is not None:
            return changed
        if content[0] in b"(c]}\x80" and b"." in content:
            return _pickle(content, dice, change, depth)
        if dice.random() < 0.5 and (changed := _message(content, dice, change, depth)) is not None:
            return changed
    return _number(content, dice) if dice.random() < 0.3 else None


def _inner(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    changed = _mutated(content, dice, change, depth + 1)
    return change(content) if changed is None else changed


def _number(content: bytes, dice: random.Random) -> bytes:
    """A number somewhere, of any width and order, replaced by one that is out of the ordinary."""
    form = dice.choice("<>") + dice.choice("BHIQ")
    width = struct.calcsize(form)
    if len(content) < width:
        return content
    at = dice.randrange(min(len(content), dice.choice((64, 512, 1 << 20))) - width + 1)
    value = dice.choice(_NUMBERS) & ((1 << 8 * width) - 1)
    return content[:at] + struct.pack(form, value) + content[at + width :]


def _pickle(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes | None:
    """Opcodes left out, doubled, moved, put in, or with another argument."""
    starts: list[int] = []
    with contextlib.suppress(Exception):  # of a broken stream, what comes before the break
        starts.extend(at for _, _, at in pickletools.genops(content) if at is not None)
    if len(starts) < 2:
        return None
    steps = [content[at:end] for at, end in zip(starts, [*starts[1:], len(content)], strict=True)]
    for _ in range(dice.choice((1, 1, 2, 5))):
        at = dice.randrange(len(steps))
        match dice.randrange(6):
            case 0 if len(steps) > 1:
                del steps[at]
            case 1:
                steps.insert(at, dice.choice(steps))
            case 2:
                steps.insert(at, dice.choice(_OPCODES))
            case 3:
                module, _, name = dice.choice(_CALLABLES).partition(" ")
                steps.insert(at, b"c" + module.encode() + b"\n" + name.encode() + b"\n")
            case 4:
                end = dice.randrange(at, min(len(steps), at + 8)) + 1
                steps[at:at] = steps[at:end] * dice.choice((1, 2, 50))
            case _ if len(steps[at]) > 1:
                steps[at] = steps[at][:1] + change(steps[at][1:])
            case _:
                steps[at] = dice.choice(_OPCODES)
    return b"".join(steps)


def _zip(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    """A member changed, renamed, doubled or left out, and all packed again; or a number of the directory."""
    if dice.random() < 0.25:
        at = content.rfind(b"PK\5\6") if dice.random() < 0.5 else content.find(b"PK\1\2")
        return content[:at] + _number(content[at:], dice) if at >= 0 else _number(content, dice)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.open(info).read(_MOST)) for info in archive.infolist()[:200]]
    which = dice.randrange(len(members))
    name, body = members[which]
    match dice.randrange(8):
        case 0:
            members[which] = (dice.choice((dice.choice(_NAMES), name + "/", "x/" + name, name.upper())), body)
        case 1:
            members.insert(which, (name, _inner(body, dice, change, depth)))
        case 2 if len(members) > 1:
            del members[which]
        case _:
            members[which] = (name, _inner(body, dice, change, depth))
    held = io.BytesIO()
    way = dice.choice((zipfile.ZIP_STORED, zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))
    with zipfile.ZipFile(held, "w", way) as archive:
        for name, body in members:
            archive.writestr(zipfile.ZipInfo(name), body, way)
    return held.getvalue()


def _tar(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    """A header changed under a sum that fits, or a member changed and all packed again."""
    if dice.random() < 0.5:
        blocks = bytearray(content)
        at = 512 * dice.choice(
            [n for n in range(len(blocks) // 512) if blocks[n * 512 + 257 :][:5] == b"ustar"]
        )
        header = bytearray(change(bytes(blocks[at : at + 512]))[:512].ljust(512, b"\0"))
        header[257:262], header[148:156] = b"ustar", b" " * 8
        header[148:156] = f"{sum(header):06o}\0 ".encode()
        blocks[at : at + 512] = header
        return bytes(blocks)
    held = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(content)) as archive, tarfile.open(fileobj=held, mode="w") as made:
        infos = archive.getmembers()[:200]
        which = dice.randrange(len(infos))
        for number, info in enumerate(infos):
            file = archive.extractfile(info) if info.isreg() else None
            body = file.read(_MOST) if file else b""
            if number == which:
                body = _inner(body, dice, change, depth)
                if dice.random() < 0.2:
                    info.type = dice.choice(
                        (b"0", b"1", b"2", b"3", b"5", b"6", b"L", b"x", b"g", b"S", b"K")
                    )
            info.size = len(body)
            info.pax_headers = {}
            made.addfile(info, io.BytesIO(body))
    return held.getvalue()


def _gzip(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    return gzip.compress(
        _inner(zlib.decompressobj(31).decompress(content, _MOST), dice, change, depth), 1, mtime=0
    )


def _bzip2(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    return bz2.compress(_inner(bz2.BZ2Decompressor().decompress(content, _MOST), dice, change, depth), 1)


def _xz(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    whole = lzma.LZMADecompressor(memlimit=_MEMORY).decompress(content, _MOST)
    return lzma.compress(_inner(whole, dice, change, depth), preset=0)


def _zlib(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    return zlib.compress(_inner(zlib.decompressobj().decompress(content, _MOST), dice, change, depth), 1)


def _zstandard(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    import zstandard

    whole = zstandard.ZstdDecompressor(max_window_size=1 << 23).stream_reader(content).read(_MOST)
    return zstandard.compress(_inner(whole, dice, change, depth), 1)


def _lz4(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    import lz4.frame

    whole = lz4.frame.LZ4FrameDecompressor().decompress(content, _MOST)
    return bytes(lz4.frame.compress(_inner(whole, dice, change, depth)))


def _npy(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes:
    """The header or the data changed, the header's length made to fit."""
    wide = content[6] > 1
    begin = 12 if wide else 10
    (length,) = struct.unpack_from("<I" if wide else "<H", content, 8)
    header, rest = content[begin : begin + length], content[begin + length :]
    if dice.random() < 0.6:
        header = change(header)[:60_000]
    else:
        rest = _inner(rest, dice, change, depth)
    return content[:8] + struct.pack("<I" if wide else "<H", len(header)) + header + rest


def _sized_json(content: bytes, dice: random.Random, change: Bytes) -> bytes | None:
    """A safetensors header changed as JSON, its length made to fit."""
    (length,) = struct.unpack_from("<Q", content)
    header = mutate_json(content[8 : 8 + length], dice, change)
    return None if header is None else struct.pack("<Q", len(header)) + header + content[8 + length :]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes(out) + bytes([value])


def _message(content: bytes, dice: random.Random, change: Bytes, depth: int) -> bytes | None:
    """A field of a protocol buffer changed, at any depth, with all lengths around it made to fit."""
    if (
        len(content) > 16
        and content[8:9] == b"{"
        and (changed := _sized_json(content, dice, change)) is not None
    ):
        return changed
    fields = _fields(content)
    if not fields:
        return None
    at = dice.randrange(len(fields))
    number, kind, value = fields[at]
    match dice.randrange(6):
        case 0:
            del fields[at]
        case 1:
            fields[at:at] = [fields[at]] * dice.choice((1, 2, 100))
        case 2:
            fields[at] = (dice.randrange(1, 40), kind, value)
        case _ if isinstance(value, int):
            fields[at] = (number, kind, dice.choice(_NUMBERS))
        case _:
            inner = _message(value, dice, change, depth + 1) if depth < 12 and dice.random() < 0.8 else None
            fields[at] = (number, kind, change(value) if inner is None else inner)
    out = bytearray()
    for number, kind, value in fields:
        out += _varint(number << 3 | kind)
        out += (
            _varint(value) if isinstance(value, int) else (_varint(len(value)) if kind == 2 else b"") + value
        )
    return bytes(out)


def _fields(content: bytes) -> list[tuple[int, int, int | bytes]] | None:
    """A message's fields, or None if the bytes are none."""
    fields: list[tuple[int, int, int | bytes]] = []
    at = 0

    def number() -> int:
        nonlocal at
        value = shift = 0
        while True:
            value |= (content[at] & 0x7F) << shift
            shift += 7
            at += 1
            if content[at - 1] < 0x80:
                return value

    try:
        while at < len(content):
            tag = number()
            kind = tag & 7
            if kind == 0:
                fields.append((tag >> 3, kind, number()))
                continue
            length = {1: 8, 2: -1, 5: 4}[kind]
            length = number() if length < 0 else length
            if at + length > len(content):
                return None
            fields.append((tag >> 3, kind, content[at : at + length]))
            at += length
    except (IndexError, KeyError):
        return None
    return fields


_Reshape = Callable[[bytes, random.Random, Bytes, int], bytes | None]
_FORMS: Mapping[bytes, _Reshape] = {
    b"PK\3\4": _zip,
    b"\x1f\x8b": _gzip,
    b"BZh": _bzip2,
    b"\xfd7zXZ": _xz,
    b"x\x9c": _zlib,
    b"x\x01": _zlib,
    b"\x28\xb5\x2f\xfd": _zstandard,
    b"\x04\x22\x4d\x18": _lz4,
    b"\x93NUMPY": _npy,
    b"\x80": _pickle,
}
