"""Archives of other kinds: `ar` (and with it `.deb` and static libraries) and `cpio` are read; the others are named."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format, Starts
from alcaide.instruments.scan.formats.archives.inside import Members, beside
from alcaide.instruments.scan.formats.archives.names import Names
from alcaide.instruments.scan.formats.archives.rules import DEVICE, RULES
from alcaide.instruments.scan.limits import Malformed, Truncated, Unsupported
from alcaide.instruments.scan.source import Window

if TYPE_CHECKING:
    from collections.abc import Callable

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.source import Source

_AR = b"!<arch>\n"
_CPIO = (b"070701", b"070702")
_LONG_NAMES = 1 << 20


def _examine_ar(source: Source, context: Context) -> None:
    """Headers of 60 bytes, members padded to two; GNU's table of long names and BSD's names before the bytes."""
    names, members = Names(context), Members(context)
    table = b""
    at = len(_AR)
    while at < source.size:
        context.tick(16)
        head = source.read(at, 60)
        if len(head) < 60:
            raise Truncated("it ends in the middle of a header", at)
        digits = head[48:58].strip()
        if head[58:60] != b"`\n" or not digits.isdigit():
            raise Malformed("a member's header is broken, and what follows is not read", at)
        size = int(digits)
        data = Window(source, at + 60, size)
        if data.size < size:
            raise Truncated("a member ends before its end", at)
        raw = head[:16].rstrip()
        if raw == b"//":
            table = data.read(0, min(size, _LONG_NAMES))
        elif raw not in (b"/", b"/SYM64/", b"__.SYMDEF"):
            name, skip = _ar_name(raw, table, data)
            names.member(name, offset=at)
            members.look(name, Window(data, skip))
        at += 60 + size + size % 2
    members.finish()


def _ar_name(raw: bytes, table: bytes, data: Source) -> tuple[str, int]:
    """A member's name, and how many of its bytes the name takes."""
    if raw[:1] == b"/" and raw[1:].isdigit():
        start = int(raw[1:])
        return table[start : start + 4096].partition(b"\n")[0].rstrip(b"/").decode(
            "utf-8", "surrogateescape"
        ), 0
    if raw[:3] == b"#1/" and raw[3:].isdigit():
        length = min(int(raw[3:]), 4096)
        return data.read(0, length).rstrip(b"\0").decode("utf-8", "surrogateescape"), length
    return raw.rstrip(b"/").decode("utf-8", "surrogateescape"), 0


def _examine_cpio(source: Source, context: Context) -> None:
    """The `newc` form: a header of 110 hexadecimal characters, name and bytes padded to four."""
    names, members = Names(context), Members(context)
    at = 0
    while True:
        context.tick(16)
        head = source.read(at, 110)
        if len(head) < 110:
            raise Truncated("it ends in the middle of a header", at)
        if not head.startswith(_CPIO):
            raise Malformed("a member's header is broken, and what follows is not read", at)
        try:
            fields = [int(head[start : start + 8], 16) for start in range(6, 110, 8)]
        except ValueError:
            raise Malformed("a member's header is broken, and what follows is not read", at) from None
        mode, size, length = fields[1], fields[6], fields[11]
        if not 0 < length <= 4096:
            raise Malformed(f"a name of {length:,} bytes", at)
        name = source.read(at + 110, length).rstrip(b"\0").decode("utf-8", "surrogateescape")
        start = at + 110 + length + -(110 + length) % 4
        data = Window(source, start, size)
        if data.size < size:
            raise Truncated(f"`{name}` ends before its end", at)
        at = start + size + -size % 4
        if name == "TRAILER!!!":
            break
        kind = mode & 0o170000
        names.member(name, folder=kind == 0o040000, mode=mode, offset=start)
        if kind == 0o120000:
            names.link(name, data.read(0, 4096).decode("utf-8", "surrogateescape"), offset=start)
        elif kind in (0o020000, 0o060000, 0o010000):
            context.find(DEVICE, f"`{name}` unpacks to a device or pipe", offset=start)
        elif kind != 0o040000 and size:
            members.look(name, data)
    beside(context, source, at, "the archive")
    members.finish()


def _named(what: str) -> Callable[[Source, Context], None]:
    def examine(_source: Source, _context: Context) -> None:
        raise Unsupported(f"{what} is not unpacked here")

    return examine


FORMATS = (
    Format("ar", "ar archive", Starts(_AR), _examine_ar, RULES),
    Format("cpio", "cpio archive", Starts(*_CPIO), _examine_cpio, RULES),
    Format("rar", "RAR archive", Starts(b"Rar!\x1a\x07"), _named("a RAR archive")),
    Format("cab", "Cabinet archive", Starts(b"MSCF\0\0\0\0"), _named("a Cabinet archive")),
    Format("ace", "ACE archive", lambda glance: glance.head[7:14] == b"**ACE**", _named("an ACE archive")),
    Format("arj", "ARJ archive", lambda glance: glance.head[:2] == b"\x60\xea" and glance.size > 40
           and glance.lower_name.endswith(".arj"), _named("an ARJ archive")),
    Format("lha", "LHA archive", lambda glance: glance.head[2:5] == b"-lh" and glance.head[6:7] == b"-",
           _named("an LHA archive")),
    Format("xar", "xar archive", Starts(b"xar!\0"), _named("a xar archive")),
    Format("rpm", "RPM package", Starts(b"\xed\xab\xee\xdb"), _named("an RPM package")),
    Format("squashfs", "SquashFS image", Starts(b"hsqs", b"sqsh"), _named("a SquashFS image")),
    Format("iso", "ISO image", lambda glance: glance.size > 0x8006 and glance.head[:8] == bytes(8)
           and glance.source.read(0x8001, 5) == b"CD001", _named("an ISO image")),
)  # fmt: skip
