"""The file a backup is: a zip of members, each named in the manifest with its size and SHA-256.

Writing is atomic: the archive grows beside its final name and is renamed once it is whole, on the disk,
and read back. Reading trusts nothing: the archive may come from a stranger, so members are bounded in
number, size and ratio, may not overlap, and may not be named to leave the folder they are unpacked into.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from alcaide.kernel.errors import Conflict, Corrupt, InvalidInput, TooLarge, Unavailable
from alcaide.kernel.evidence import strict_json
from alcaide.kernel.ids import new_id

MANIFEST = "manifest.json"
MAX_MANIFEST_BYTES = 64 * 2**20
MAX_MEMBERS = 200_000
MAX_DIRECTORY_BYTES = 64 * 2**20  # read whole by `zipfile`, so bounded before it sees it
# zlib at level 1, which is what we write, cannot pass 230:1 even on a run of zeros (measured); deflate
# at its best reaches 1032:1, and that difference is where zip bombs live.
MAX_RATIO = 250
RATIO_SLACK = 2**16
MAX_TOTAL_BYTES = 2**40
CHUNK = 2**18
_NOT_ONE = "`{}` is not a backup, or it is cut short; give a file made by `alcaide backup`"
# What `zipfile` raises for bytes that are not what they should be, as found by fuzzing it.
_UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    OSError,
    ValueError,
    RuntimeError,
    NotImplementedError,
    OverflowError,
    KeyError,
    IndexError,
)
# No separator of any system, no control character, no leading dot: nothing hidden, nothing that climbs.
_NAME = re.compile(
    r"[^\x00-\x1f\x7f/\\:*?\"<>|.\ud800-\udfff][^\x00-\x1f\x7f/\\:*?\"<>|\ud800-\udfff]{0,199}\Z"
)


def safe_name(name: str) -> bool:
    """Whether a member's name stays inside its folder on every system we run on."""
    parts = name.split("/")
    return len(name) <= 500 and len(parts) <= 16 and all(_NAME.match(part) for part in parts)


@dataclass
class ArchiveWriter:
    """Adds members one after the other and remembers size and digest of each."""

    _zip: zipfile.ZipFile
    members: dict[str, dict[str, Any]] = field(default_factory=dict)

    def add(self, name: str, chunks: Iterable[bytes]) -> None:
        """Stream a member in. The name must be safe and new."""
        if not safe_name(name) or name in self.members or name == MANIFEST:
            raise InvalidInput(f"`{name[:200]}` cannot be a member of a backup; rename the file")
        digest, size = hashlib.sha256(), 0
        with self._zip.open(_entry(name), "w", force_zip64=True) as target:
            for chunk in chunks:
                digest.update(chunk)
                size += len(chunk)
                target.write(chunk)
        self.members[name] = {"size": size, "sha256": digest.hexdigest()}

    def finish(self, manifest: dict[str, Any]) -> None:
        """Add the manifest, which names every member; the last thing to go in."""
        content = json.dumps({**manifest, "members": self.members}, indent=1).encode()
        with self._zip.open(_entry(MANIFEST), "w") as target:
            target.write(content)


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)  # the default date: the manifest says when, once
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o600 << 16
    return entry


@contextmanager
def new_archive(path: Path) -> Iterator[ArchiveWriter]:
    """Write an archive to `path`, which must not exist yet. It appears there whole or not at all.

    The file is private to its owner: it holds everything the instance knows.
    """
    if path.exists():
        raise Conflict(f"`{path}` exists already; give another name or remove it")
    if not path.parent.is_dir():
        raise InvalidInput(f"folder `{path.parent}` does not exist; create it or give another")
    partial = path.with_name(f".{path.name}.{new_id()}.partial")
    try:
        with disk_errors(f"the backup `{path}`"):
            descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w+b") as file:
                with zipfile.ZipFile(file, "w", compresslevel=1) as zipped:
                    yield ArchiveWriter(zipped)
                file.flush()
                os.fsync(file.fileno())
            with open_archive(partial) as written:  # what cannot be read back is no backup
                written.check_all()
            partial.rename(path)
            sync_folder(path.parent)
    finally:
        partial.unlink(missing_ok=True)


@contextmanager
def disk_errors(what: str) -> Iterator[None]:
    """Turn the operating system's refusal into a sentence; programming errors pass through."""
    try:
        yield
    except OSError as problem:
        reason = (problem.strerror or str(problem)).lower()
        raise Unavailable(
            f"{what} could not be written: {reason}; free some space or choose another place"
        ) from None


def sync_folder(folder: Path) -> None:
    """Make a rename in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Archive:
    """An archive whose directory and manifest have been checked; members are checked as they are read."""

    def __init__(self, zipped: zipfile.ZipFile, manifest: dict[str, Any]) -> None:
        self._zip = zipped
        self.manifest = manifest
        self.members: dict[str, dict[str, Any]] = manifest["members"]

    def total_size(self) -> int:
        """How many bytes the members have, unpacked."""
        return sum(member["size"] for member in self.members.values())

    def read(self, name: str) -> Iterator[bytes]:
        """A member in chunks. Raises Corrupt, at the latest after the last, if it is not the manifest's."""
        expected = self.members[name]
        digest, size = hashlib.sha256(), 0
        try:
            with self._zip.open(name) as source:
                while chunk := source.read(CHUNK):
                    size += len(chunk)
                    if size > expected["size"]:
                        break
                    digest.update(chunk)
                    yield chunk
        except _UNREADABLE:
            raise Corrupt(f"member `{name}` cannot be unpacked; the backup was damaged or altered") from None
        if size != expected["size"] or digest.hexdigest() != expected["sha256"]:
            raise Corrupt(f"member `{name}` is not what the manifest says; the backup was damaged or altered")

    def lines(self, name: str, limit: int) -> Iterator[bytes]:
        """A member's lines without their ends. A line may have at most `limit` bytes; each must end."""
        rest: list[bytes] = []  # joined once per line, or a long line would be copied for every chunk
        size = 0
        for chunk in self.read(name):
            *whole, last = chunk.split(b"\n")
            if whole:
                whole[0] = b"".join([*rest, whole[0]])
                yield from whole
                rest, size = [], 0
            rest.append(last)
            size += len(last)
            if size > limit:
                raise TooLarge(f"member `{name}` has a line over {limit} bytes; use another backup")
        if size:
            raise Corrupt(f"member `{name}` ends in the middle of a line; use another backup")

    def check_all(self) -> None:
        """Read every member once. Raises Corrupt for the first that is not as the manifest says."""
        for name in self.members:
            for _ in self.read(name):
                pass


@contextmanager
def open_archive(path: Path, *, max_total: int = MAX_TOTAL_BYTES) -> Iterator[Archive]:
    """Open an archive for reading. Raises InvalidInput, TooLarge or Corrupt, whatever the bytes are."""
    try:
        file = path.open("rb")
    except OSError as problem:
        reason = (problem.strerror or "unreadable").lower()
        raise InvalidInput(f"`{path}` cannot be opened: {reason}; check the name") from None
    with file:
        _check_directory_size(file, path)
        try:
            zipped = zipfile.ZipFile(file)
        except _UNREADABLE:
            raise InvalidInput(_NOT_ONE.format(path)) from None
        with zipped:
            _check_members(zipped, path, max_total)
            yield Archive(zipped, _manifest(zipped, path))


def _check_directory_size(file: IO[bytes], path: Path) -> None:
    """Look at the end of the zip before `zipfile` reads its directory into memory."""
    size = os.fstat(file.fileno()).st_size
    file.seek(max(0, size - 65_557))  # the end record and the longest comment after it
    tail = file.read()
    start = tail.rfind(b"PK\x05\x06")
    if start < 0 or len(tail) - start < 22:
        raise InvalidInput(_NOT_ONE.format(path))
    count, directory = struct.unpack("<HI", tail[start + 10 : start + 16])
    locator = tail.rfind(b"PK\x06\x06")
    if (count == 0xFFFF or directory == 0xFFFFFFFF) and 0 <= locator < start - 55:
        count, directory = struct.unpack("<QQ", tail[locator + 32 : locator + 48])
    if count > MAX_MEMBERS + 1 or directory > MAX_DIRECTORY_BYTES:
        raise TooLarge(f"`{path}` has more than {MAX_MEMBERS} members; use another backup")
    file.seek(0)


def _check_members(zipped: zipfile.ZipFile, path: Path, max_total: int) -> None:
    """Bound what unpacking could do, from the directory alone.

    The sizes here are claims; `Archive.read` holds the content to the manifest's, which are checked
    against these.
    """
    seen: set[str] = set()
    total = end = 0
    entries = sorted(zipped.infolist(), key=lambda entry: entry.header_offset)
    if len(entries) > MAX_MEMBERS + 1:
        raise TooLarge(f"`{path}` has more than {MAX_MEMBERS} members; use another backup")
    for entry in entries:
        name = entry.filename
        mode = entry.external_attr >> 16
        if not safe_name(name) or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG)):
            raise InvalidInput(
                f"member `{name[:200]}` would leave the data folder; this is not a backup of ours"
            )
        if name.casefold() in seen:
            raise InvalidInput(f"member `{name}` is there twice; this is not a backup of ours")
        if entry.flag_bits & 0x1 or entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise InvalidInput(
                f"member `{name}` is packed in a way we do not use; this is not a backup of ours"
            )
        # Members that share bytes let a small file unpack to a huge one without any single high ratio.
        if entry.header_offset < end:
            raise InvalidInput(f"member `{name}` overlaps another; this is not a backup of ours")
        if entry.file_size > entry.compress_size * MAX_RATIO + RATIO_SLACK:
            raise TooLarge(
                f"member `{name}` unpacks to more than {MAX_RATIO} times its size; use another backup"
            )
        seen.add(name.casefold())
        end = entry.header_offset + entry.compress_size
        total += entry.file_size
    if total > max_total:
        raise TooLarge(f"`{path}` unpacks to {total} bytes, over the limit of {max_total}; use a larger disk")


def _manifest(zipped: zipfile.ZipFile, path: Path) -> dict[str, Any]:
    sizes = {entry.filename: entry.file_size for entry in zipped.infolist()}
    if sizes.get(MANIFEST, MAX_MANIFEST_BYTES + 1) > MAX_MANIFEST_BYTES:
        raise InvalidInput(f"`{path}` has no manifest of a usable size; give a file made by `alcaide backup`")
    try:
        with zipped.open(MANIFEST) as source:
            content = source.read(MAX_MANIFEST_BYTES + 1)
    except _UNREADABLE:
        raise Corrupt("the backup's manifest cannot be unpacked; the backup was damaged or altered") from None
    manifest = strict_json(content, max_bytes=MAX_MANIFEST_BYTES, max_depth=8, what="the backup's manifest")
    members = manifest.get("members") if isinstance(manifest, dict) else None
    if not isinstance(members, dict) or not all(_described(member) for member in members.values()):
        raise InvalidInput("the backup's manifest does not describe its members; use another backup")
    if {name: member["size"] for name, member in members.items()} | {MANIFEST: sizes[MANIFEST]} != sizes:
        raise Corrupt("the backup's members are not those its manifest names; it was damaged or altered")
    assert isinstance(manifest, dict)
    return manifest


def _described(member: Any) -> bool:
    return (
        isinstance(member, dict)
        and type(member.get("size")) is int
        and member["size"] >= 0
        and isinstance(member.get("sha256"), str)
    )
