"""The outer form of a bundle: a ZIP archive with exactly one spelling, and a hostile reader's bounds.

Members are sorted, stored uncompressed, dated 1980 and carry nothing else, so that a set of members has one archive
and an archive one set of members. Reading rebuilds it and compares: a changed time stamp, a second entry of a name,
bytes between members or behind the end are all the same finding. Nothing is ever unpacked onto a disk.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping

from alcaide.kernel.errors import Corrupt, InvalidInput, TooLarge

MAX_ARCHIVE_BYTES = 512 * 2**20
MAX_MEMBERS = 20_100  # 20,000 leaves, and what goes with them
MAX_LEAVES = 20_000
MAX_DIRECTORY_BYTES = 8 * 2**20  # read whole by any ZIP reader before it can count the members
MEMBER = re.compile(
    r"manifest\.json|manifest\.sig|checkpoint|index\.html|leaves/[0-9]{12}\.json|originals/[0-9a-f]{64}"
)
_END = 22  # bytes of the end-of-directory record, when it has no comment
_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can say


def write_archive(members: Mapping[str, bytes]) -> bytes:
    """The one archive of these members. Raises TooLarge over the bounds that readers hold."""
    total = sum(len(content) for content in members.values())
    if len(members) > MAX_MEMBERS or total > MAX_ARCHIVE_BYTES - MAX_DIRECTORY_BYTES:
        raise TooLarge(
            f"the bundle would have {len(members)} members and {total} bytes, over the limit of {MAX_MEMBERS} "
            f"and {MAX_ARCHIVE_BYTES}; export fewer subjects, or leave the originals out"
        )
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(members):
            archive.writestr(_entry(name), members[name])
    return out.getvalue()


def read_archive(data: bytes) -> dict[str, bytes]:
    """The members of an archive that is byte for byte what `write_archive` would make of them.

    Raises InvalidInput for what is no bundle, TooLarge for one over the bounds, and Corrupt, naming the member,
    for one that was altered.
    """
    _check_end(data)
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
    except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError) as problem:
        raise Corrupt(f"the archive was altered: {problem}; get the bundle again") from None
    if write_archive(members) != data:
        raise Corrupt("the archive was altered outside its members; get the bundle again")
    return members


def _check_end(data: bytes) -> None:
    """Bounds that must hold before a ZIP reader is let near: it would read the whole directory first."""
    if len(data) > MAX_ARCHIVE_BYTES:
        raise TooLarge(f"the bundle has {len(data)} bytes, over the limit of {MAX_ARCHIVE_BYTES}")
    end = data[-_END:]
    if len(end) < _END or end[:4] != b"PK\x05\x06":
        raise InvalidInput("not a bundle, or cut short: the end of the archive is missing; get it again")
    count, size = int.from_bytes(end[10:12], "little"), int.from_bytes(end[12:16], "little")
    if count > MAX_MEMBERS or size > MAX_DIRECTORY_BYTES:
        raise TooLarge(f"the bundle says it has {count} members, over the limit of {MAX_MEMBERS}")


def _members(archive: zipfile.ZipFile) -> dict[str, bytes]:
    infos = archive.infolist()
    if len(infos) > MAX_MEMBERS:
        raise TooLarge(f"the bundle has {len(infos)} members, over the limit of {MAX_MEMBERS}")
    members: dict[str, bytes] = {}
    for info in infos:
        name = info.filename
        if not MEMBER.fullmatch(name):
            raise Corrupt(f"member `{name[:120]}` does not belong in a bundle; do not unpack it")
        if name in members:
            raise Corrupt(f"member `{name}` is there twice; two readers would see two bundles")
        if info.compress_type != zipfile.ZIP_STORED or info.flag_bits:
            raise Corrupt(f"member `{name}` is compressed or encrypted, which no bundle is; do not unpack it")
        try:
            members[name] = archive.read(info)
        except (zipfile.BadZipFile, ValueError, EOFError, NotImplementedError, OSError):
            raise Corrupt(f"{said_of(name)} was altered; get the bundle again") from None
    return members


def said_of(member: str) -> str:
    """What a person calls a member: a leaf by its number, anything else by its name."""
    if member.startswith("leaves/"):
        return f"leaf {int(member[7:-5])} (member `{member}`)"
    return f"member `{member}`"


def leaf_member(index: int) -> str:
    """The member that holds a leaf; of equal length, so that their order is the log's."""
    return f"leaves/{index:012d}.json"


def _entry(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, _DATE)
    info.create_system = 3  # the same on every machine that writes one
    info.external_attr = 0o100644 << 16
    return info
