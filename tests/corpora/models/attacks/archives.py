"""Archives that reach out of themselves, that grow without end, or that hide what they hold at the bottom."""

# ruff: noqa: E501 - tables, one entry a line

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zlib
from collections.abc import Callable

from tests.corpora.models.attacks.payload import SHELL
from tests.corpora.models.attacks.pickle_streams import EVIL, PLAIN, checkpoint
from tests.corpora.models.attacks.registry import Acts, Made, Maker, always, attack
from tests.corpora.models.attacks.repositories import tar
from tests.corpora.models.attacks.zips import Member, archive

_OUT = "../../../tmp/alcaide-marker"


def _archive(
    id: str, says: str, acts: Acts, suffix: str, proof: str = "", why: str = "today's extractors refuse it"
) -> Callable[[Maker], Maker]:
    return attack(
        f"archive-{id}", acts=acts, family="archives", says=says, suffix=suffix, proof=proof,
        unproved="" if proof else why,
    )  # fmt: skip


def _special(name: str, kind: bytes, target: str = "", mode: int = 0o644) -> tarfile.TarInfo:
    """A member of a tar that is no file."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.mode = kind, target, mode
    if kind in (tarfile.CHRTYPE, tarfile.BLKTYPE):
        info.devmajor, info.devminor = 1, 3
    return info


_ZIPS: dict[str, tuple[str, Acts, bytes]] = {
    "traversal": ("a zip with a member that climbs out", "load", archive(("weights/w.bin", b"w"), (_OUT, b"x"))),
    "absolute": ("a zip with an absolute path", "load", archive(("/etc/cron.d/alcaide-marker", b"x"))),
    "backslash": ("a zip with a member that climbs out in Windows' way", "load", archive(("..\\..\\..\\alcaide-marker", b"x"))),
    "drive": ("a zip with a member on another drive", "load", archive(("C:\\Windows\\alcaide-marker", b"x"))),
    "nul-name": ("a zip with a name that ends early for some", "none", archive(("w.txt\0.pkl", b"x"))),
    "symlink": ("a zip with a link out of it", "load", archive(Member("w", b"/etc/passwd", mode=0o120777))),
    "symlink-then-file": ("a zip with a link and a file behind it", "load", archive(Member("w", b"/tmp", mode=0o120777), ("w/alcaide-marker", b"x"))),
    "setuid": ("a zip with a program that runs as its owner", "none", archive(Member("run", b"\x7fELF", mode=0o104755))),
    "duplicate": ("a zip with one name twice", "none", archive(("w.bin", b"a"), ("w.bin", b"b"))),
    "case-duplicate": ("a zip with two names that are one on some disks", "none", archive(("w.bin", b"a"), ("W.BIN", b"b"))),
    "bomb": ("a zip that grows a thousandfold", "none", archive(Member("w.bin", bytes(30_000_000), method=8))),
    "size-lies": ("a zip that says how little it grows and is wrong", "none", archive(Member("w.bin", bytes(3_000_000), method=8, size=10))),
    "size-claims": ("a zip that claims four gigabytes", "none", archive(Member("w.bin", b"w", size=0xFFFFFFF0, local_size=0xFFFFFFF0))),
    "entries-claim": ("a zip that counts sixty thousand members and has one", "none", archive(("w.bin", b"w"), entries=60_000)),
    "encrypted": ("a zip whose member is encrypted", "none", archive(Member("w.pkl", bytes(range(64)), flags=1))),
    "method": ("a zip with a method nobody knows", "none", archive(Member("w.pkl", EVIL, method=77))),
}  # fmt: skip
for _id, (_says, _acts, _whole) in _ZIPS.items():
    _archive(f"zip-{_id}", _says, _acts, ".zip")(always(_whole))

_TARS: dict[str, tuple[str, Acts, bytes]] = {
    "traversal": ("a tar with a member that climbs out", "load", tar({"w.bin": b"w", _OUT: b"x"})),
    "absolute": ("a tar with an absolute path", "load", tar({"/etc/cron.d/alcaide-marker": b"x"})),
    "symlink": ("a tar with a link out of it", "load", tar({"w.bin": b"w"}, _special("w", tarfile.SYMTYPE, "/etc/passwd"))),
    "symlink-up": ("a tar with a relative link out of it", "load", tar({}, _special("a/w", tarfile.SYMTYPE, "../../../etc"))),
    "hardlink": ("a tar with a hard link out of it", "load", tar({}, _special("w", tarfile.LNKTYPE, "../../etc/passwd"))),
    "device": ("a tar with a device", "none", tar({}, _special("w", tarfile.CHRTYPE))),
    "fifo": ("a tar with a pipe, on which readers wait", "none", tar({}, _special("w.pkl", tarfile.FIFOTYPE))),
    "setuid": ("a tar with a program that runs as its owner", "none", tar({}, _special("run", tarfile.REGTYPE, mode=0o4755))),
}  # fmt: skip
for _id, (_says, _acts, _whole) in _TARS.items():
    _archive(f"tar-{_id}", _says, _acts, ".tar")(always(_whole))


@_archive("tar-gz-traversal", "a packed tar with a member that climbs out", "load", ".tar.gz")
def _() -> Made:
    return gzip.compress(tar({_OUT: b"x"}), mtime=0)


@_archive("tar-link-then-file", "a tar with a link and a file behind it", "load", ".tar")
def _() -> Made:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as out:
        out.addfile(_special("w", tarfile.SYMTYPE, "/tmp"))
        info = tarfile.TarInfo("w/alcaide-marker")
        out.addfile(info)
    return buffer.getvalue()


@_archive("tar-pickle", "a tar that holds a pickle that acts", "load", ".tar", "tar-pickles")
def _() -> Made:
    return tar({"weights.pkl": PLAIN, "scaler.pkl": EVIL})


@_archive("tar-xz-pickle", "an xz-packed tar that holds a pickle that acts", "load", ".tar.xz", "tar-pickles")
def _() -> Made:
    return lzma.compress(tar({"scaler.pkl": EVIL}))


@_archive("tar-bz2-pickle", "a bzip2-packed tar that holds a pickle that acts", "load", ".tbz", "tar-pickles")
def _() -> Made:
    return bz2.compress(tar({"scaler.pkl": EVIL}))


@_archive("nested-ten", "zips in zips, ten deep, a pickle that acts at the bottom", "load", ".zip", "zip")
def _() -> Made:
    whole = archive(("weights.pkl", EVIL))
    for depth in range(9):
        whole = archive((f"level-{depth}.zip", whole))
    return whole


@_archive(
    "nested-mixed",
    "zip in tar in gzip in zip in xz, a checkpoint that acts at the bottom",
    "load",
    ".xz",
    why="no one loader reads it",
)
def _() -> Made:
    inner = archive(*checkpoint())
    return lzma.compress(archive(("a.tgz", gzip.compress(tar({"b.zip": archive(("c.pt", inner))}), mtime=0))))


@_archive("nested-hundred", "zips in zips, a hundred deep, a pickle that acts at the bottom", "none", ".zip")
def _() -> Made:
    whole = archive(("weights.pkl", EVIL))
    for _depth in range(99):
        whole = archive(("a", whole))
    return whole


@_archive("gzip-bomb", "gzip that grows a thousandfold", "none", ".gz")
def _() -> Made:
    return gzip.compress(bytes(30_000_000), mtime=0)


@_archive("bz2-bomb", "bzip2 that grows fifty-thousandfold", "none", ".bz2")
def _() -> Made:
    return bz2.compress(bytes(60_000_000))


@_archive("xz-bomb", "xz that grows seven-thousandfold", "none", ".xz")
def _() -> Made:
    return lzma.compress(bytes(30_000_000), preset=0)


@_archive("zlib-bomb", "a joblib file that grows a thousandfold", "none", ".joblib")
def _() -> Made:
    return zlib.compress(bytes(30_000_000), 9)


@_archive("zip-bomb-nested", "zips in a zip, each of which grows", "none", ".zip")
def _() -> Made:
    inner = archive(Member("w.bin", bytes(5_000_000), method=8))
    return archive(*(Member(f"{n}.zip", inner, method=8) for n in range(20)))


@_archive("zip-overlap", "a zip whose thousand members share their bytes", "none", ".zip")
def _() -> Made:
    one = archive(Member("w.bin", bytes(1_000_000), method=8))
    local, rest = one.split(b"PK\1\2")
    entry = b"PK\1\2" + rest[: rest.index(b"PK\5\6")]
    directory = b"".join(entry.replace(b"w.bin", f"{n:05d}".encode()) for n in range(1000))
    return (
        local
        + directory
        + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1000, 1000, len(directory), len(local), 0)
    )


@_archive("gzip-truncated", "gzip that ends early", "none", ".pkl.gz")
def _() -> Made:
    return gzip.compress(PLAIN * 50, mtime=0)[:-20]


@_archive("zip-truncated", "a zip without its directory, members readable in order", "none", ".zip")
def _() -> Made:
    return archive(("weights.pkl", EVIL)).split(b"PK\1\2")[0]


@_archive(
    "seven-zip",
    "a 7z archive that stores a pickle that acts",
    "load",
    ".7z",
    why="no loader of ours reads it",
)
def _() -> Made:
    return seven_zip("weights.pkl", EVIL)


def seven_zip(name: str, content: bytes) -> bytes:
    """A 7z archive of one file, stored as it is."""
    size = len(content)
    if size >= 0x80:
        raise ValueError("the writer knows sizes below 128 bytes only; shorten the content")
    pack = b"\x06\x00\x01\x09" + bytes([size]) + b"\x00"
    folder = (
        b"\x07\x0b\x01\x00\x01\x01\x00\x0c"
        + bytes([size])
        + b"\x0a\x01"
        + struct.pack("<I", zlib.crc32(content))
        + b"\x00"
    )
    names = b"\x00" + name.encode("utf-16-le") + b"\0\0"
    files = b"\x05\x01\x11" + bytes([len(names)]) + names + b"\x00"
    header = b"\x01\x04" + pack + folder + b"\x00" + files + b"\x00"
    start = struct.pack("<QQI", size, len(header), zlib.crc32(header))
    return b"7z\xbc\xaf\x27\x1c\x00\x04" + struct.pack("<I", zlib.crc32(start)) + start + content + header


@_archive("jar", "a Java archive with a class that runs on start, called model.zip", "use", ".zip")
def _() -> Made:
    return archive(
        ("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0\nMain-Class: Run\n"),
        ("Run.class", b"\xca\xfe\xba\xbe\0\0\0\x34" + bytes(64)),
    )


@_archive("wheel", "a wheel whose package acts when it is imported", "use", ".whl")
def _() -> Made:
    code = f"import os\nos.system({SHELL!r})\n".encode()
    return archive(
        ("weights/__init__.py", code), ("weights-1.dist-info/METADATA", b"Name: weights\nVersion: 1\n")
    )
