"""The files of a folder as a signature lists them, and a folder held against such a list.

Every file is opened one folder at a time below the root and never through a link, unless links are let through; so
nobody who swaps a folder for a link while we look leads us out of it. Files are hashed by several threads.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import stat
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from alcaide.kernel.errors import InvalidInput, NotFound, TooLarge
from alcaide.predicates.content import BESIDE, ITSELF

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from alcaide.predicates.model_signature import Manifest, Resource

MAX_FOLDER_FILES = 200_000
PIECE = 1 << 19
Links = Literal["refuse", "inside", "follow"]
"""What to do with symbolic links to files: refuse them, follow those that stay in the folder, or follow all.

Links to folders are never followed: what they lead to would be listed twice, or without end.
"""
_ALGORITHMS: Mapping[str, Callable[[], Any]] = {"sha256": hashlib.sha256, "blake2b": hashlib.blake2b}


@dataclass(frozen=True, slots=True)
class FolderCheck:
    """How files compare with a manifest. `passed`: all that was signed is there, and nothing else is."""

    outcome: Literal["passed", "failed", "unknown"]
    reason: str
    checked: int
    missing: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    unsigned: tuple[str, ...] = ()
    found: tuple[tuple[str, str], ...] = ()
    """Path and SHA-256 of the signed files as they are now, where they could be read and SHA-256 is what was signed."""


class LinkError(InvalidInput):
    """A symbolic link where none is let through."""


def names_of(
    root: Path, *, ignore: Collection[str] = (), links: Links = "refuse", beside: bool = False
) -> list[str]:
    """The files of a folder in the order of a manifest, as paths with `/`; `.` if `root` is a file.

    Args:
        root: the folder, or one file.
        ignore: files and folders to leave out, relative to the root.
        links: what to do with symbolic links to files.
        beside: also list version control's own files, which the format leaves out.

    Raises:
        NotFound: there is nothing at `root`.
        LinkError: there is a link that is not let through.
        InvalidInput: there is something that is neither file nor folder.
        TooLarge: there are more than 200,000 files.
    """
    if root.is_file():
        return [ITSELF]
    if not root.is_dir():
        raise NotFound(f"there is nothing at `{root}`; give a folder or a file")
    left_out = {*ignore, *(() if beside else BESIDE)}
    found = []
    for path, kind in _entries(root):
        if is_ignored(path, left_out):
            continue
        if kind == "link" and not _let_through(root, path, links):
            raise LinkError(
                f"`{path[:200]}` is a symbolic link; sign a folder without links, or let links through"
            )
        if kind == "other":
            raise InvalidInput(f"`{path[:200]}` is neither a file nor a folder; remove it, or ignore it")
        found.append(path)
    return sorted(found, key=lambda path: path.split("/"))


def check_folder(
    root: Path,
    manifest: Manifest,
    *,
    ignore: Collection[str] = (),
    links: Links = "refuse",
    workers: int | None = None,
    max_bytes: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> FolderCheck:
    """Hold the files under `root` against the manifest, reading each once.

    Args:
        root: the folder that was signed, or the one file.
        manifest: what was signed.
        ignore: further paths that need not be signed, such as the signature itself; what the signer ignored is
            ignored too, and so are version control's own files.
        links: what to do with symbolic links; one that is not let through counts as changed, since what it leads to
            is not in the folder.
        workers: threads that hash; as many as there are processors if None.
        max_bytes: the most that is read.
        progress: told the resources done and the total.

    Raises:
        NotFound: there is nothing at `root`.
        TooLarge: past `max_bytes` of content, or 200,000 files.
    """
    if not root.exists():
        raise NotFound(f"there is nothing at `{root}`; give the folder or the file that was signed")
    strange = sorted({r.algorithm for r in manifest.resources} - set(_ALGORITHMS))
    if strange:
        return FolderCheck("unknown", f"digests by `{strange[0][:40]}` cannot be computed here", 0)
    if root.is_file() != all(r.path == ITSELF for r in manifest.resources):
        what = "one file was signed, and this is a folder" if root.is_dir() else "a folder was signed"
        return FolderCheck("failed", f"{what}; give what was signed", 0)
    ignored = {*manifest.ignored, *ignore, *BESIDE}
    signed = {r.path for r in manifest.resources}
    unsigned = (
        ()
        if root.is_file()
        else tuple(p for p, _ in _entries(root) if p not in signed and not is_ignored(p, ignored))
    )
    digests = _digests(root, manifest.resources, links, workers, max_bytes, progress)
    missing = [r.path for r, digest in zip(manifest.resources, digests, strict=True) if digest is None]
    changed = [
        r.path
        for r, digest in zip(manifest.resources, digests, strict=True)
        if digest is not None and digest != r.digest
    ]
    if manifest.method == "shards":
        changed.extend(_beyond_shards(root, manifest))
    changed = list(dict.fromkeys(changed))
    missing = list(dict.fromkeys(missing))
    reason = _reason(manifest, missing, changed, unsigned)
    whole = manifest.files() is not None
    return FolderCheck(
        "failed" if reason else "passed",
        reason,
        len(manifest.resources),
        tuple(missing),
        tuple(changed),
        unsigned,
        tuple((r.path, digest) for r, digest in zip(manifest.resources, digests, strict=True) if digest)
        if whole
        else (),
    )


def digest_names(
    root: Path,
    names: Sequence[str],
    *,
    links: Links = "refuse",
    workers: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[tuple[str, str]]:
    """Path and SHA-256 of each of these files below `root`. Raises InvalidInput for one that cannot be read."""
    from alcaide.predicates.model_signature import Resource

    wanted = [Resource(name, "sha256", "") for name in names]
    digests = _digests(root, wanted, links, workers, None, progress)
    for name, digest in zip(names, digests, strict=True):
        if not digest:
            raise InvalidInput(f"`{name[:200]}` cannot be read, or changed meanwhile; try again")
    return [(name, digest or "") for name, digest in zip(names, digests, strict=True)]


def is_ignored(path: str, ignored: Collection[str]) -> bool:
    """Whether a path, or a folder it is in, is left out."""
    parts = path.split("/")
    plain = {name.strip("/").removeprefix("./") for name in ignored}
    return any("/".join(parts[: end + 1]) in plain for end in range(len(parts)))


def _reason(
    manifest: Manifest, missing: Sequence[str], changed: Sequence[str], unsigned: Sequence[str]
) -> str:
    wrong = [(missing, "missing"), (changed, "changed"), (unsigned, "not signed")]
    reason = "; ".join(f"{len(names)} {what}: `{names[0][:120]}`" for names, what in wrong if names)
    if not manifest.consistent:
        reason = "the root digest is not that of the listed files" + (f"; {reason}" if reason else "")
    return reason


def _entries(root: Path) -> Iterator[tuple[str, Literal["file", "link", "other"]]]:
    """Every entry below `root` that is not a real folder, as a POSIX path relative to it."""
    count = 0
    pending = [""]
    while pending:
        base = pending.pop()
        with os.scandir(root / base) as entries:
            for entry in sorted(entries, key=lambda e: e.name):
                path = f"{base}{entry.name}"
                if entry.is_dir(follow_symlinks=False):
                    pending.append(f"{path}/")
                    continue
                count += 1
                if count > MAX_FOLDER_FILES:
                    raise TooLarge(f"the folder has more than {MAX_FOLDER_FILES} files; check parts of it")
                kind: Literal["file", "link", "other"] = (
                    "link"
                    if entry.is_symlink()
                    else "file"
                    if entry.is_file(follow_symlinks=False)
                    else "other"
                )
                yield path, kind


def _let_through(root: Path, path: str, links: Links) -> bool:
    """Whether a link leads to a plain file, and to one that may be read."""
    if links == "refuse":
        return False
    target = os.path.realpath(root / path)
    inside = target.startswith(os.path.realpath(root).rstrip(os.sep) + os.sep)
    return (inside or links == "follow") and stat.S_ISREG(_mode(target))


def _mode(path: str) -> int:
    try:
        return os.stat(path).st_mode  # noqa: PTH116 - the path was resolved as text
    except OSError:
        return 0


class _Allowed:
    """The bytes that may still be read, over all threads."""

    def __init__(self, most: int | None) -> None:
        self._left = most
        self._lock = threading.Lock()

    def take(self, count: int) -> None:
        if self._left is None:
            return
        with self._lock:
            self._left -= count
            if self._left < 0:
                raise TooLarge(
                    "the model has more bytes than the limit given; raise it or check parts of the model"
                )


def _digests(
    root: Path,
    resources: Sequence[Resource],
    links: Links,
    workers: int | None,
    max_bytes: int | None,
    progress: Callable[[int, int], None] | None,
) -> list[str | None]:
    """The digest of each resource as it is now: None if it is not there, "" if it is nothing that can be read."""
    from alcaide.instruments.scan.digest import processors

    allowed = _Allowed(max_bytes)
    workers = max(1, min(workers or processors(), len(resources)))
    found: list[str | None] = []

    def work(resource: Resource) -> str | None:
        return _digest(root, resource, links, allowed)

    if workers == 1:
        results: Iterator[str | None] = map(work, resources)
        return [_told(one, done, resources, progress) for done, one in enumerate(results, start=1)]
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(workers, thread_name_prefix="alcaide-digest") as pool:
        try:
            for done, one in enumerate(pool.map(work, resources), start=1):
                found.append(_told(one, done, resources, progress))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return found


def _told(
    digest: str | None,
    done: int,
    resources: Sequence[Resource],
    progress: Callable[[int, int], None] | None,
) -> str | None:
    if progress:
        progress(done, len(resources))
    return digest


def _digest(root: Path, resource: Resource, links: Links, allowed: _Allowed) -> str | None:
    """The digest of what lies at the resource's path; None if nothing is there.

    A path through a link that is not let through, or to something that is no plain file, has the empty digest, which
    matches none; so has a file that changes while it is read.
    """
    with contextlib.ExitStack() as closing:
        try:
            descriptor = _open_inside(root, resource.path, links, closing)
            if descriptor is None:
                return ""
            before = os.fstat(descriptor)
            digest = _read(descriptor, resource, allowed)
            after = os.fstat(descriptor)
        except FileNotFoundError:
            return None
        except OSError:
            return ""
    same = (before.st_size, before.st_mtime_ns, before.st_ctime_ns) == (
        after.st_size,
        after.st_mtime_ns,
        after.st_ctime_ns,
    )
    return digest if same else ""


def _read(descriptor: int, resource: Resource, allowed: _Allowed) -> str:
    hasher = _ALGORITHMS[resource.algorithm]()
    start = resource.start or 0
    left = None if resource.end is None else resource.end - start
    os.lseek(descriptor, start, os.SEEK_SET)
    buffer = memoryview(bytearray(PIECE))
    while left is None or left > 0:
        count = os.readv(descriptor, [buffer if left is None else buffer[: min(PIECE, left)]])
        if not count:
            break
        allowed.take(count)
        hasher.update(buffer[:count])
        left = None if left is None else left - count
    return "" if left else str(hasher.hexdigest())


def _open_inside(root: Path, path: str, links: Links, closing: contextlib.ExitStack) -> int | None:
    """Open `path` below `root`, one component at a time and never through a link; None for no regular file.

    INVARIANT: each step opens relative to the folder before it, so a folder swapped for a link meanwhile fails. Only
    the last step may be a link, and only where links are let through.
    """
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC | os.O_NONBLOCK
    if path == ITSELF:
        descriptor = os.open(root, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        closing.callback(os.close, descriptor)
        return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    closing.callback(os.close, folder)
    *folders, name = path.split("/")
    for part in folders:
        folder = os.open(part, flags | os.O_DIRECTORY, dir_fd=folder)
        closing.callback(os.close, folder)
    try:
        descriptor = os.open(name, flags, dir_fd=folder)
    except FileNotFoundError:
        raise
    except OSError:
        if not _let_through(root, path, links):
            raise
        # What it leads to was resolved and found to be let through; a link put there since is not followed.
        descriptor = os.open(os.path.realpath(root / path), flags)
    closing.callback(os.close, descriptor)
    return descriptor if stat.S_ISREG(os.fstat(descriptor).st_mode) else None


def _beyond_shards(root: Path, manifest: Manifest) -> Iterator[str]:
    """Files that are longer than their shards cover, or whose shards leave a gap: signed only in part."""
    spans: dict[str, list[tuple[int, int]]] = {}
    for resource in manifest.resources:
        spans.setdefault(resource.path, []).append((resource.start or 0, resource.end or 0))
    for path, ranges in spans.items():
        covered = 0
        for start, end in sorted(ranges):
            if start > covered:
                break
            covered = max(covered, end)
        with contextlib.suppress(OSError):
            if (root if path == ITSELF else root / path).stat().st_size > covered:
                yield path
