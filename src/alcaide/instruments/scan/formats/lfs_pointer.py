"""Git LFS pointers: three lines where a file ought to be. What they point to was not fetched, and so not looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.limits import Malformed
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source

NOT_FETCHED = Rule(
    "lfs/not-fetched",
    Level.UNKNOWN,
    "pointer to a file that was not fetched",
    "The file itself comes later, from elsewhere, and was not scanned.",
    "Run `git lfs pull`, and scan again.",
    ("cwe/CWE-829",),
)

_FIRST = b"version https://git-lfs.github.com/spec/v"
_LINES = regex(
    r"version https://git-lfs\.github\.com/spec/v\d+\n(?:ext-\d-\w+ [^\n]+\n)*"
    r"oid (?P<kind>sha256):(?P<oid>[0-9a-f]{64})\nsize (?P<size>\d{1,20})\n?"
)


def _sniff(glance: Glance) -> bool:
    return glance.head.startswith(_FIRST) and glance.size <= 1024


def _examine(source: Source, context: Context) -> None:
    found = _LINES.fullmatch(source.read(0, source.size).decode("utf-8", "replace").replace("\r\n", "\n"))
    if found is None:
        raise Malformed("it begins as a pointer and goes on as none", 0)
    if len(set(found["oid"])) < 4:
        raise Malformed(f"it names a file by the digest `{found['oid'][:16]}…`, which no file has", 0)
    context.fact(oid=found["oid"], size=int(found["size"]))
    context.find(
        NOT_FETCHED,
        f"`{context.node.name}` stands for a file of {int(found['size']):,} bytes that was not fetched",
        sha256=found["oid"],
    )


FORMATS = (Format("git-lfs-pointer", "Git LFS pointer", _sniff, _examine, (NOT_FETCHED,)),)
