"""An LZ4 frame of stored blocks, which every reader takes: the checksum of its header is the only work."""

import struct

_P1, _P2, _P3, _P4, _P5 = 2654435761, 2246822519, 3266489917, 668265263, 374761393
_WORD = 0xFFFFFFFF


def _xxh32(data: bytes) -> int:
    """XXH32 of fewer than sixteen bytes, seed 0."""
    value = (_P5 + len(data)) & _WORD
    while len(data) >= 4:
        value = (value + struct.unpack("<I", data[:4])[0] * _P3) & _WORD
        value = ((value << 17 | value >> 15) & _WORD) * _P4 & _WORD
        data = data[4:]
    for byte in data:
        value = (value + byte * _P5) & _WORD
        value = ((value << 11 | value >> 21) & _WORD) * _P1 & _WORD
    value = (value ^ value >> 15) * _P2 & _WORD
    value = (value ^ value >> 13) * _P3 & _WORD
    return value ^ value >> 16


def frame(content: bytes) -> bytes:
    """A frame with one stored block and no checksum of the content."""
    descriptor = b"\x60\x40"
    check = bytes([_xxh32(descriptor) >> 8 & 0xFF])
    block = struct.pack("<I", len(content) | 0x80000000) + content
    return b"\x04\x22\x4d\x18" + descriptor + check + block + b"\0\0\0\0"
