"""Archives that are zips and something more: their directory judged as any zip's, their members as bytes.

What a torch archive, an `.npz` and a skops file share. Loaders of models are laxer than archivers: a flag that claims
encryption over plain bytes, a wrong checksum and two members of one name do not stop them, so they do not stop the
look either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from alcaide.instruments.scan.formats.archives.expand import unpacked, zip_member
from alcaide.instruments.scan.formats.archives.inside import Salvage
from alcaide.instruments.scan.formats.archives.plain_zip import Checksum, structure
from alcaide.instruments.scan.formats.archives.plain_zip import sniff as is_zip
from alcaide.instruments.scan.formats.archives.rules import DAMAGED
from alcaide.instruments.scan.limits import OverBudget, Truncated
from alcaide.instruments.scan.model import Level, Rule
from alcaide.instruments.scan.source import chunks
from alcaide.instruments.scan.zip_directory import STORED, read_directory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source
    from alcaide.instruments.scan.zip_directory import Directory, Entry

FLAGGED = Rule(
    "archive/false-encryption",
    Level.MEDIUM,
    "claims to be encrypted and is not",
    "A scanner that believes the flag skips what a loader that ignores it loads.",
    "Get the file again from its source; if it comes the same, do not load it.",
    ("cwe/CWE-345", "cwe/CWE-436"),
)
TWICE = Rule(
    "archive/same-name",
    Level.MEDIUM,
    "holds two members of one name",
    "Which of them is loaded depends on the program: one is checked, the other runs.",
    "Have the archive written anew, with one member a name.",
    ("cwe/CWE-436",),
)

_CHECKED: Final = 64 << 20
"""Members up to this size have their checksum compared when they are read whole anyway."""


def hints(glance: Glance, *names: bytes) -> bool:
    """Whether the bytes are a zip and name such a member near the beginning or in the end of the directory.

    Names are in lower case and met in any.
    """
    if not is_zip(glance):
        return False
    if any(name in glance.lower_tail for name in names):
        return True
    if glance.size == len(glance.tail):
        return False
    head = glance.head.lower()
    return any(name in head for name in names)


class Archive:
    """The members of one archive."""

    def __init__(self, directory: Directory, entries: list[Entry], context: Context) -> None:
        self._directory = directory
        self._context = context
        self.entries = entries

    @classmethod
    def read(cls, source: Source, context: Context) -> Archive:
        """Its directory, judged.

        Raises:
            Truncated: there is none.
            OverBudget: it has too many members, or members that share bytes.
        """
        directory = read_directory(source)
        if directory is None:
            raise Truncated("the archive has no directory at its end")
        entries, doubtful = structure(directory, context)
        if doubtful:
            raise OverBudget("members that share bytes were not unpacked")
        seen: set[str] = set()
        for entry in entries:
            if entry.name in seen:
                context.find(TWICE, f"`{entry.name}` is in the archive twice", member=entry.name)
            seen.add(entry.name)
        return cls(directory, entries, context)

    def files(self) -> Iterator[Entry]:
        """Members that are files."""
        for entry in self.entries:
            self._context.tick()
            if not (entry.is_folder and not entry.size):
                yield entry

    def raw(self, entry: Entry) -> Source | None:
        """A stored member where it lies, unchecked; None if it is packed, or not there."""
        return self._directory.data(entry) if entry.method == STORED else None

    def content(self, entry: Entry) -> Source | None:
        """A member's bytes, unpacked and checked; None, with a finding, where there are none.

        Raises:
            OverBudget: more came out than it may.
        """
        context, name = self._context, entry.name
        data = self._directory.data(entry)
        if data is None:
            context.find(DAMAGED, f"`{name}` has no header where the directory says it is", member=name)
            return None
        if entry.method == STORED:
            if data.size < entry.packed:
                context.find(DAMAGED, f"`{name}` ends before its end", member=name)
            elif entry.packed <= _CHECKED:
                self._check(Checksum(chunks(data)), entry)
            return data
        checksum = Checksum(zip_member(entry.method, data, entry.size, f"`{name}`"))
        salvage = Salvage(checksum)
        content = unpacked(context, salvage, entry.packed)
        if salvage.stop is not None:
            if not content.size:
                raise salvage.stop
            context.find(DAMAGED, f"`{name}` cannot be unpacked whole: {salvage.stop.message}", member=name)
        elif checksum.value != entry.crc:
            self._say_damaged(name)
        return content

    def _check(self, pieces: Checksum, entry: Entry) -> None:
        for _ in pieces:
            self._context.tick(64)
        if pieces.value != entry.crc:
            self._say_damaged(entry.name)

    def _say_damaged(self, name: str) -> None:
        self._context.find(
            DAMAGED, f"the bytes of `{name}` do not have the checksum of the archive", member=name
        )
