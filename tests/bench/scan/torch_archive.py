"""A torch archive as `torch.save` lays it out, of any length and without torch: tensors are a hole in the file."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

_STORED, _VERSION, _ZIP64 = 0, 45, 0xFFFFFFFF


def state_dict(path: Path, size: int) -> Path:
    """A state dictionary of half-precision tensors of 256 MiB each."""
    each = 256 << 20
    count = max(1, size // each)
    members = [
        ("archive/data.pkl", _pickle(count, each // 2), 0),
        ("archive/byteorder", b"little", 0),
        *((f"archive/data/{number}", b"", each) for number in range(count)),
        ("archive/version", b"3\n", 0),
    ]
    directory = b""
    with path.open("wb") as file:
        zeros = _crc_of_zeros(each)
        for name, data, hole in members:
            at, length = file.tell(), hole or len(data)
            crc = zeros if hole else zlib.crc32(data)
            encoded = name.encode()
            padding = -(at + 30 + len(encoded) + 4) % 64
            extra = struct.pack("<HH", 0x4246, padding) + b"Z" * padding
            file.write(
                struct.pack(
                    "<IHHHHHIIIHH",
                    0x04034B50,
                    20,
                    0,
                    _STORED,
                    0,
                    33,
                    crc,
                    length,
                    length,
                    len(encoded),
                    len(extra),
                )
            )
            file.write(encoded + extra + data)
            if hole:
                file.seek(hole, 1)
            offset, more = at, b""
            if at >= _ZIP64:
                offset, more = _ZIP64, struct.pack("<HHQ", 1, 8, at)
            directory += struct.pack(
                "<IHHHHHHIIIHHHHHII",
                0x02014B50, _VERSION, 20, 0, _STORED, 0, 33, crc, length, length,
                len(encoded), len(more), 0, 0, 0, 0, offset,
            ) + encoded + more  # fmt: skip
        start = file.tell()
        file.write(directory)
        end = file.tell()
        file.write(
            struct.pack(
                "<IQHHIIQQQQ",
                0x06064B50,
                44,
                _VERSION,
                _VERSION,
                0,
                0,
                len(members),
                len(members),
                len(directory),
                start,
            )
        )
        file.write(struct.pack("<IIQI", 0x07064B50, 0, end, 1))
        shown = min(start, _ZIP64)
        file.write(
            struct.pack("<IHHHHIIH", 0x06054B50, 0, 0, len(members), len(members), len(directory), shown, 0)
        )
    return path


def _pickle(count: int, elements: int) -> bytes:
    """`{"layer.0": rebuild(storage, …), …}` as torch writes it, protocol 2."""
    out = b"\x80\x02}("
    for number in range(count):
        out += _text(f"layer.{number}")
        out += b"ctorch._utils\n_rebuild_tensor_v2\n(("
        out += _text("storage") + b"ctorch\nHalfStorage\n" + _text(str(number)) + _text("cpu")
        out += b"J" + struct.pack("<i", elements) + b"tQ"
        out += b"K\x00J" + struct.pack("<i", elements) + b"\x85K\x01\x85\x89ccollections\nOrderedDict\n)RtR"
    return out + b"u."


def _text(value: str) -> bytes:
    data = value.encode()
    return b"X" + struct.pack("<I", len(data)) + data


def _crc_of_zeros(length: int) -> int:
    """CRC-32 of so many zero bytes."""
    crc, piece = 0, bytes(1 << 24)
    while length:
        part = min(length, len(piece))
        crc = zlib.crc32(piece[:part], crc)
        length -= part
    return crc
