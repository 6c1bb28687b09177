"""Zip archives laid out by hand, so that what no archiver would write can be written.

The two places where a zip speaks of a member (before its data and in the central directory) are independent here.
"""

import struct
import zlib
from dataclasses import dataclass


@dataclass(slots=True)
class Member:
    """One member; what is None follows from the content."""

    name: str
    content: bytes
    local_name: str | None = None
    flags: int = 0
    method: int = 0
    crc: int | None = None
    size: int | None = None
    local_size: int | None = None
    mode: int = 0o644
    extra: bytes = b""

    def stored(self) -> bytes:
        """The bytes that lie in the archive."""
        if self.method == 8:
            packer = zlib.compressobj(9, zlib.DEFLATED, -15)
            return packer.compress(self.content) + packer.flush()
        return self.content


def archive(
    *members: Member | tuple[str, bytes],
    prefix: bytes = b"",
    comment: bytes = b"",
    entries: int | None = None,
) -> bytes:
    """A whole archive, with offsets counted from the start of `prefix` as self-extractors do."""
    body, directory = bytearray(prefix), bytearray()
    listed = [member if isinstance(member, Member) else Member(*member) for member in members]
    for member in listed:
        stored = member.stored()
        crc = zlib.crc32(member.content) if member.crc is None else member.crc
        size = len(member.content) if member.size is None else member.size
        local_size = size if member.local_size is None else member.local_size
        name = member.name.encode()
        local = name if member.local_name is None else member.local_name.encode()
        place = len(body)
        common = (20, member.flags, member.method, 0, 0x21, crc)
        body += b"PK\3\4" + struct.pack(
            "<5H3L2H", *common, len(stored), local_size, len(local), len(member.extra)
        )
        body += local + member.extra + stored
        directory += b"PK\1\2" + struct.pack(
            "<6H3L5H2L", 0x314, *common, len(stored), size, len(name), 0, 0, 0, 0, member.mode << 16, place
        )
        directory += name
    count = len(listed) if entries is None else entries
    end = struct.pack(
        "<4s4H2LH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(directory), len(body), len(comment)
    )
    return bytes(body + directory + end + comment)
