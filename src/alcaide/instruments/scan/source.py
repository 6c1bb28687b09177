"""Bytes to look at, read where they are asked for: a file, a stretch of one, or something unpacked.

Nothing here reads a whole file. A reader asks for the bytes at an offset and gets no more than there are; it never
learns by an exception that a header lied about a length, only by getting fewer bytes than it asked for.
"""

from __future__ import annotations

import errno
import io
import os
import stat
from typing import IO, TYPE_CHECKING, Protocol, runtime_checkable

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

HEAD = 8192
"""Bytes at the start that are read once and kept: enough to recognise every format we know."""

CHUNK = 1 << 20


class UnreadableError(Exception):
    """The bytes cannot be had: no such file, no right to read it, not a plain file, or a failing disk."""


@runtime_checkable
class Source(Protocol):
    """Bytes with a length, readable from anywhere."""

    @property
    def size(self) -> int:
        """Length in bytes."""
        ...

    def read(self, offset: int, length: int) -> bytes:
        """Up to `length` bytes from `offset`; fewer at the end, none past it.

        Raises:
            UnreadableError: the medium failed.
        """
        ...


class Memory:
    """Bytes that are at hand."""

    __slots__ = ("_data",)

    def __init__(self, data: bytes | memoryview) -> None:
        self._data = data

    @property
    def size(self) -> int:
        """Length in bytes."""
        return len(self._data)

    def read(self, offset: int, length: int) -> bytes:
        """A stretch of them."""
        if offset < 0 or length <= 0:
            return b""
        return bytes(self._data[offset : offset + length])


class File:
    """A plain file, opened once, read by position.

    Symbolic links are the caller's business; anything that is not a plain file (a pipe, a device, a socket) is
    refused without reading from it, because reading could block for ever or act.
    """

    __slots__ = ("_fd", "_head", "_identity", "size")

    def __init__(self, path: str | Path) -> None:
        try:
            self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK | getattr(os, "O_CLOEXEC", 0))
        except OSError as error:
            raise UnreadableError(_cannot(error)) from error
        about = os.fstat(self._fd)
        if not stat.S_ISREG(about.st_mode):
            self.close()
            raise UnreadableError("it is not a plain file; pipes, sockets and devices are not read")
        self.size = about.st_size
        self._identity = (about.st_size, about.st_mtime_ns, about.st_ino)
        self._head: bytes | None = None

    def read(self, offset: int, length: int) -> bytes:
        """A stretch of the file; what another process appended since it was opened is not seen."""
        length = min(length, self.size - offset)
        if offset < 0 or length <= 0:
            return b""
        if offset + length <= HEAD:
            if self._head is None:
                self._head = self._pread(0, min(HEAD, self.size))
            return self._head[offset : offset + length]
        return self._pread(offset, length)

    def _pread(self, offset: int, length: int) -> bytes:
        """`length` bytes, over as many calls as the system wants; fewer if the file was cut."""
        try:
            data = os.pread(self._fd, length, offset)
            while len(data) < length:
                more = os.pread(self._fd, length - len(data), offset + len(data))
                if not more:
                    break
                data += more
        except OSError as error:
            raise UnreadableError(_cannot(error)) from error
        return data

    def changed(self) -> bool:
        """Whether the file was written to since it was opened."""
        about = os.fstat(self._fd)
        return (about.st_size, about.st_mtime_ns, about.st_ino) != self._identity

    def fileno(self) -> int:
        """The descriptor, for hashing."""
        return self._fd

    def close(self) -> None:
        """Let go of the file."""
        os.close(self._fd)

    def __enter__(self) -> File:
        """Use as a context manager."""
        return self

    def __exit__(self, *_: object) -> None:
        """Let go of the file."""
        self.close()


class Opened:
    """A seekable binary file object of somebody else's: an unpacked temporary file."""

    __slots__ = ("_stream", "size")

    def __init__(self, stream: IO[bytes], size: int) -> None:
        self._stream = stream
        self.size = size

    def read(self, offset: int, length: int) -> bytes:
        """A stretch of it."""
        if offset < 0 or length <= 0:
            return b""
        try:
            self._stream.seek(offset)
            return self._stream.read(min(length, max(0, self.size - offset)))
        except OSError as error:
            raise UnreadableError(_cannot(error)) from error


class Unpacked(Opened):
    """An unnamed temporary file that nobody else holds; it is closed with the last who reads it."""

    __slots__ = ()

    def __del__(self) -> None:
        """Give the space back."""
        self._stream.close()


class Window:
    """A stretch of another source, as if it were a file of its own; what it would have beyond the end is not there."""

    __slots__ = ("_parent", "_start", "size")

    def __init__(self, parent: Source, start: int, length: int | None = None) -> None:
        start = max(0, min(start, parent.size))
        rest = parent.size - start
        self._parent = parent
        self._start = start
        self.size = rest if length is None else max(0, min(length, rest))

    def read(self, offset: int, length: int) -> bytes:
        """A stretch of the stretch."""
        if offset < 0 or length <= 0:
            return b""
        return self._parent.read(self._start + offset, min(length, self.size - offset))


def chunks(source: Source, start: int = 0, size: int = CHUNK) -> Iterator[bytes]:
    """All bytes from `start`, a piece at a time."""
    while piece := source.read(start, size):
        yield piece
        start += len(piece)


def whole(source: Source, limit: int) -> bytes | None:
    """All bytes, or None if there are more than `limit`."""
    return source.read(0, source.size) if source.size <= limit else None


class _Raw(io.RawIOBase):
    """A source as a raw stream."""

    def __init__(self, source: Source) -> None:
        super().__init__()
        self._source = source
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._source.size}[whence]
        if base + offset < 0:
            raise OSError(errno.EINVAL, "negative seek position")
        self._at = base + offset
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self._source.read(self._at, len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)


def stream(source: Source, buffer: int = 1 << 16) -> io.BufferedReader:
    """The source as a buffered, seekable, read-only binary file, for libraries that want one."""
    return io.BufferedReader(_Raw(source), buffer)


def _cannot(error: OSError) -> str:
    """What the system says, in the words of an error for people."""
    return f"it cannot be read: {(error.strerror or str(error)).lower()}"
