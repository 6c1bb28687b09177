"""Zip archives: whatever is packed in one, member by member.

Archives that another format knows better (a torch archive, a `.keras` file, an `.npz`) are left to it: that format
looks at every member itself. Such archives are told by `Context.node.formats`, which is complete before any reader
starts.
"""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING

from alcaide.instruments.scan import zip_directory
from alcaide.instruments.scan.format import Format
from alcaide.instruments.scan.formats.archives.expand import PIECE, unpacked, zip_member
from alcaide.instruments.scan.formats.archives.inside import Members, Salvage
from alcaide.instruments.scan.formats.archives.names import Names
from alcaide.instruments.scan.formats.archives.rules import (
    BESIDE,
    BOMB,
    DAMAGED,
    DEVICE,
    MISMATCH,
    NAME,
    OVERLAP,
    RULES,
)
from alcaide.instruments.scan.formats.executables.rules import INSIDE
from alcaide.instruments.scan.limits import Encrypted, Malformed, OverBudget, ScanStop, Truncated
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.source import Window, chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.context import Context
    from alcaide.instruments.scan.format import Glance
    from alcaide.instruments.scan.source import Source
    from alcaide.instruments.scan.zip_directory import Directory, Entry, Problem

LOOKED_AT_ELSEWHERE = frozenset({"torch_archive", "npz", "skops"})
"""Formats that are zips, and whose readers look at every member."""

_STARTS = (zip_directory.LOCAL_SIGNATURE, zip_directory.END_SIGNATURE, b"PK\x07\x08")
_END = zip_directory.END_SIGNATURE
_RULES_BY_KIND = {"prefix": BESIDE, "trailing": BESIDE, "overlap": OVERLAP, "name": NAME}
_CHECKED_STORED = 1 << 20
"""Up to this size a stored member is read once more to check its checksum; nothing depends on it above."""
_DOUBTED = 64 << 20
"""Members that share bytes are unpacked only if all of them together say they are smaller."""
_PROGRAMS = frozenset(
    ["elf", "pe", "macho", "ape", "shell", "windows-script", "python", "pyc", "java-class", "dex"]
)
_METHODS = frozenset([*range(11), 12, 14, 16, 18, 19, 20, *range(93, 100)])
"""APPNOTE.TXT 6.3.10, 4.4.5."""
_FILE_TYPES = {0o020000: "character device", 0o060000: "block device", 0o010000: "pipe", 0o140000: "socket"}


def sniff(glance: Glance) -> bool:
    """A zip's first bytes, or an end record near the end: the archive may lie behind something else."""
    if glance.head.startswith(_STARTS):
        return True
    if glance.size < 98:
        # The least archive with one member takes 98 bytes.
        return False
    tail = glance.tail
    at = tail.rfind(_END)
    return (
        at >= 0
        and len(tail) - at >= 22
        and tail[at + 4 : at + 8] == b"\0\0\0\0"
        and tail[at + 10 : at + 12] != b"\0\0"
        and zip_directory.CENTRAL_SIGNATURE in (tail[:at] if len(tail) < glance.size else tail)
    )


def examine(source: Source, context: Context) -> None:
    """Judge the archive's structure and names, then look at each member."""
    if not LOOKED_AT_ELSEWHERE.isdisjoint(context.node.formats):
        return
    directory = zip_directory.read_directory(source)
    if directory is None:
        if source.read(0, 4) in _STARTS:
            _without_directory(source, context)
            raise Truncated("the archive has no directory at its end")
        return
    entries, doubtful = structure(directory, context)
    context.fact(members=len(entries))
    if directory.prefix and not entries:
        return
    members = Members(context)
    for entry in entries:
        if entry.is_folder and not entry.size:
            continue
        if doubtful:
            members.later(OverBudget("members that share bytes were not unpacked"))
            break
        try:
            _member(directory, entry, members, context)
        except OverBudget as stop:
            members.later(stop)
    if directory.prefix and entries:
        _hidden_programs(context)
    _java_program(context)
    for problem in directory.problems:
        if problem.kind == "trailing" and problem.offset is not None:
            members.look("after the end", Window(source, problem.offset))
            break
    members.finish()


def _java_program(context: Context) -> None:
    """A Java archive under another name starts like a program."""
    children = context.node.children
    if context.node.name.lower().endswith((".jar", ".war", ".aar", ".apk", ".mar")):
        return
    if any(child.name == "META-INF/MANIFEST.MF" for child in children) and any(
        "java-class" in child.formats for child in children
    ):
        context.find(
            INSIDE, f"`{context.node.name}` is a Java program, under another name", program="Java archive"
        )


def _without_directory(source: Source, context: Context) -> None:
    """Members in the order in which they lie, as a program reads them that does not need the directory."""
    members = Members(context)
    at = 0
    while True:
        context.tick(16)
        head = source.read(at, 30)
        if len(head) < 30 or head[:4] != zip_directory.LOCAL_SIGNATURE:
            break
        flags, method = int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
        packed, size = int.from_bytes(head[18:22], "little"), int.from_bytes(head[22:26], "little")
        name_length = int.from_bytes(head[26:28], "little")
        start = at + 30 + name_length + int.from_bytes(head[28:30], "little")
        name = source.read(at + 30, name_length).decode("utf-8", "surrogateescape")
        known = not flags & 8 or packed
        data = Window(source, start, packed if known else None)
        if method == zip_directory.STORED:
            members.look(name, data)
        elif not flags & 1:
            salvage = Salvage(zip_member(method, data, size or 1 << 62, f"`{name}`"))
            members.look(name, unpacked(context, salvage, data.size))
        if not known:
            break
        at = start + packed


def _hidden_programs(context: Context) -> None:
    """An archive behind something else that holds a program was not put there for whoever reads that something."""
    programs = [child.name for child in context.node.children if not _PROGRAMS.isdisjoint(child.formats)]
    if programs:
        context.find(
            BESIDE,
            f"an archive with a program (`{programs[0]}`) lies behind other bytes",
            level=Level.HIGH,
            members=programs[:20],
        )


def structure(directory: Directory, context: Context) -> tuple[list[Entry], bool]:
    """All entries, judged without unpacking anything; and whether they had better not be unpacked."""
    names = Names(context)
    entries: list[Entry] = []
    most = context.budget.limits.members
    packed = size = 0
    for entry in directory:
        context.tick(8)
        if len(entries) >= most:
            context.find(BOMB, f"the archive holds {directory.count:,} members", members=directory.count)
            raise OverBudget(f"it holds more than {most:,} members")
        entries.append(entry)
        packed += entry.packed
        size += entry.size
        names.member(
            entry.name,
            folder=entry.is_folder,
            mode=entry.unix_mode if not entry.is_link else 0,
            offset=entry.header_offset,
        )
        for problem in directory.disagreements(entry):
            _say(context, problem)
        if (problem_of_name := directory.names_disagree(entry)) is not None:
            _say(context, problem_of_name)
        if kind := _FILE_TYPES.get(entry.unix_mode & 0o170000):
            context.find(DEVICE, f"`{entry.name}` unpacks to a {kind}", offset=entry.header_offset)
        if entry.is_link:
            names.link(entry.name, _target(directory, entry), offset=entry.header_offset)
    for problem in directory.problems:
        if problem.kind == "prefix" and "tflite" in context.node.formats:
            continue  # TensorFlow Lite's tools put labels and metadata in a zip behind the model.
        _say(context, problem)
    overlap = zip_directory.overlaps(entries, context.tick)
    if overlap is not None:
        _say(context, overlap)
    limits = context.budget.limits
    if size > limits.ratio_from and size > limits.ratio * max(1, packed):
        context.find(
            BOMB, f"its {packed:,} packed bytes say that they unpack to {size:,}", packed=packed, size=size
        )
    return entries, overlap is not None and size > _DOUBTED


def _say(context: Context, problem: Problem) -> None:
    """A problem of the directory as a finding."""
    context.find(
        _RULES_BY_KIND.get(problem.kind, MISMATCH), problem.message, offset=problem.offset, kind=problem.kind
    )


def _target(directory: Directory, entry: Entry) -> str:
    """Where a link leads: its content."""
    data = directory.data(entry)
    if data is None or entry.is_encrypted:
        return ""
    if entry.method == zip_directory.STORED:
        return data.read(0, 4096).decode("utf-8", "surrogateescape")
    try:
        for piece in zip_member(entry.method, data, entry.size, entry.name):
            return piece[:4096].decode("utf-8", "surrogateescape")
    except ScanStop:
        pass
    return ""


def _member(directory: Directory, entry: Entry, members: Members, context: Context) -> None:
    """Look at one member."""
    name = entry.name
    data = directory.data(entry)
    if data is None:
        members.later(Malformed("its header is missing"), name)
        return
    if entry.is_encrypted:
        _flagged(entry, data, members, context)
        return
    if entry.method == zip_directory.STORED:
        if data.size < entry.packed:
            members.later(Truncated("it ends before its end"), name)
        elif entry.size <= _CHECKED_STORED and _checksum(chunks(data, size=PIECE)) != entry.crc:
            context.find(
                DAMAGED, f"the bytes of `{name}` do not have the checksum of the archive", member=name
            )
        members.look(name, data)
        return
    if entry.method not in _METHODS:
        context.find(
            MISMATCH, f"`{name}` is packed by a method (number {entry.method}) that the format does not have"
        )
    checksum = Checksum(zip_member(entry.method, data, entry.size, f"`{name}`"))
    salvage = Salvage(checksum)
    content = unpacked(context, salvage, entry.packed, entry.size)
    if salvage.stop is not None:
        members.later(salvage.stop, name)
    elif content.size != entry.size:
        context.find(
            DAMAGED, f"`{name}` unpacks to {content.size:,} bytes, not {entry.size:,} as said", member=name
        )
    elif checksum.value != entry.crc:
        context.find(DAMAGED, f"the bytes of `{name}` do not have the checksum of the archive", member=name)
    if content.size or salvage.stop is None:
        members.look(name, content)


def _flagged(entry: Entry, data: Source, members: Members, context: Context) -> None:
    """A member that is flagged as encrypted: some loaders ignore the flag, so it is believed only if it is true."""
    name = entry.name
    checksum = Checksum(
        chunks(data, size=PIECE)
        if entry.method == zip_directory.STORED
        else zip_member(entry.method, data, entry.size, f"`{name}`")
    )
    salvage = Salvage(checksum)
    content = unpacked(context, salvage, entry.packed)
    if salvage.stop is not None or checksum.value != entry.crc:
        members.later(Encrypted(f"`{name}` is encrypted"))
        return
    context.find(MISMATCH, f"`{name}` is said to be encrypted and is not", member=name)
    members.look(name, content)


class Checksum:
    """Pieces on their way, with the CRC-32 of what has passed."""

    __slots__ = ("_pieces", "value")

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces = pieces
        self.value = 0

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._pieces:
            self.value = zlib.crc32(piece, self.value)
            yield piece


def _checksum(pieces: Iterator[bytes]) -> int:
    value = 0
    for piece in pieces:
        value = zlib.crc32(piece, value)
    return value


FORMATS = (Format("zip", "zip archive", sniff, examine, (*RULES, INSIDE)),)
