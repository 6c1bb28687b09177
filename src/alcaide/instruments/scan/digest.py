"""SHA-256 of files: once, in parallel, and not again while the file is the same.

Hashing is what a scan of large models spends its time on. So files are read by several threads (`hashlib` lets go of
the interpreter while it works), the largest first, and a digest is remembered under what the system says the file is:
device, inode, size, and the times of the last change to its content and to its record. The last of these,
`ctime`, cannot be set by whoever writes the file, so turning back `mtime` after a change does not bring an old digest
back. A file that was changed in the last two seconds is not remembered: within one tick of the file system's clock it
could change again and look the same.

The cache is for speed alone. Whatever is wrong with it (locked, damaged, full, somebody else's) means hashing again.
"""

from __future__ import annotations

import os
import stat
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from alcaide.instruments.scan.cache import Identity, ScanCache

PIECE = 1 << 19
"""Bytes read at once: measured on page-cached files, less is slower and more is not faster."""
_SMALL = 1 << 16
_BATCH = 64
"""Small files handed to a thread at once: one by one, handing over costs more than hashing."""


@dataclass(frozen=True, slots=True)
class Digested:
    """A file and its digest, or why there is none."""

    path: Path
    size: int
    sha256: str | None
    problem: str = ""
    reused: bool = False
    """Whether it was remembered and not computed."""


def digest_file(path: Path, *, cache: ScanCache | None = None, follow: bool = True) -> Digested:
    """The digest of one plain file.

    Never raises for what is wrong with the file: `problem` says it, and `sha256` is None. A pipe, a device or a
    socket is not read from; a file that changes while it is read has no digest.

    Args:
        path: where it is.
        cache: what is remembered; nothing if None.
        follow: whether a symbolic link is followed.
    """
    flags = os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | (0 if follow else os.O_NOFOLLOW)
    try:
        descriptor = os.open(path, flags)
    except OSError as error:
        return Digested(path, 0, None, _cannot(error))
    try:
        return _digest_open(path, descriptor, cache)
    except OSError as error:
        return Digested(path, 0, None, _cannot(error))
    finally:
        os.close(descriptor)


def known_digest(path: Path, cache: ScanCache) -> str | None:
    """The digest that is remembered for this file, if there is one; the file is not read."""
    try:
        about = path.stat()
    except OSError:
        return None
    return cache.digest(Identity.of(str(path.absolute()), about)) if stat.S_ISREG(about.st_mode) else None


def digest_files(
    paths: Iterable[Path],
    *,
    cache: ScanCache | None = None,
    workers: int | None = None,
    follow: bool = True,
    progress: Callable[[int, int], None] | None = None,
) -> list[Digested]:
    """The digests of many files, in the order given.

    Args:
        paths: where they are.
        cache: what is remembered; nothing if None.
        workers: threads; as many as there are processors if None.
        follow: whether symbolic links are followed.
        progress: told the files done and how many there are, from any thread, now and then.
    """
    wanted = list(paths)
    workers = max(1, min(workers or processors(), len(wanted)))
    found: list[Digested | None] = [None] * len(wanted)
    done = 0

    def work(batch: Sequence[int]) -> int:
        for position in batch:
            found[position] = digest_file(wanted[position], cache=cache, follow=follow)
        return len(batch)

    batches = list(_batches(wanted))
    if workers == 1:
        for batch in batches:
            done += work(batch)
            if progress:
                progress(done, len(wanted))
    else:
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(workers, thread_name_prefix="alcaide-digest") as pool:
            for count in pool.map(work, batches):
                done += count
                if progress:
                    progress(done, len(wanted))
    return [one for one in found if one is not None]


def _digest_open(path: Path, descriptor: int, cache: ScanCache | None) -> Digested:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        return Digested(path, 0, None, "it is not a plain file; pipes, sockets and devices are not read")
    identity = Identity.of(str(path.absolute()), before)
    if cache is not None and (known := cache.digest(identity)) is not None:
        return Digested(path, before.st_size, known, reused=True)
    hasher = sha256()
    if before.st_size > _SMALL and hasattr(os, "posix_fadvise"):
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_SEQUENTIAL)
    buffer = memoryview(bytearray(min(PIECE, before.st_size + 1)))
    while count := os.readv(descriptor, [buffer]):
        hasher.update(buffer[:count])
    after = os.fstat(descriptor)
    if Identity.of(identity.path, after) != identity:
        return Digested(path, after.st_size, None, "it changed while it was read")
    digest = hasher.hexdigest()
    if cache is not None and identity.settled(time.time()):
        cache.remember_digest(identity, digest)
    return Digested(path, before.st_size, digest)


def _batches(paths: Sequence[Path]) -> Iterator[list[int]]:
    """Positions, the largest files first and alone, the small ones together: no thread is left with the big one."""
    sizes = [_size(path) for path in paths]
    order = sorted(range(len(paths)), key=lambda position: -sizes[position])
    small: list[int] = []
    for position in order:
        if sizes[position] > _SMALL:
            yield [position]
            continue
        small.append(position)
        if len(small) == _BATCH:
            yield small
            small = []
    if small:
        yield small


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def processors() -> int:
    """How many this process may use."""
    count: Any = getattr(os, "process_cpu_count", None)
    if count is not None:
        return count() or 1
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on this system
        return os.cpu_count() or 1


def _cannot(error: OSError) -> str:
    return f"it cannot be read ({os.strerror(error.errno) if error.errno else error})"
