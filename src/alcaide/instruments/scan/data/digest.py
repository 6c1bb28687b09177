"""The digest of a source: of its file, or of the sorted list of its files' names and digests."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from alcaide.instruments.scan.source import UnreadableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

_PIECE = 8 << 20


def digest_of(paths: Sequence[Path], root: Path, check_time: Callable[[], None]) -> str:
    """SHA-256 in hex."""
    if len(paths) == 1:
        return _of_file(paths[0], check_time)
    listed = hashlib.sha256()
    for path in paths:
        listed.update(
            f"{_of_file(path, check_time)}  {path.relative_to(root).as_posix()}\n".encode("utf-8", "replace")
        )
    return listed.hexdigest()


def _of_file(path: Path, check_time: Callable[[], None]) -> str:
    digest = hashlib.sha256()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                digest.update(piece)
                check_time()
    except OSError as error:
        raise UnreadableError(f"it cannot be read: {(error.strerror or str(error)).lower()}") from error
    return digest.hexdigest()
