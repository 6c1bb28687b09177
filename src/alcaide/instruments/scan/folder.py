"""Which files a scan looks at, and what a file may know of its neighbours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from alcaide.instruments.scan.source import File, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.source import Source

NAMES = 200_000
"""Neighbours that are listed; a folder with more is listed so far."""

_SKIPPED = frozenset({".git", ".hg", ".svn"})
"""Version control's own folders. Nothing loads from them; a report names those that it left out."""


@dataclass(frozen=True, slots=True)
class Target:
    """One file to look at."""

    path: str
    """Where it is."""
    name: str
    """How the report calls it: relative to the scanned folder, with `/`."""
    root: str
    """The folder whose files are its neighbours."""
    problem: str = ""
    """Why it cannot be looked at, where that shows before it is opened."""
    inside: str = ""
    """The file's path within the scanned folder; empty for a file that was named by itself."""


class Directory:
    """A folder's plain files. What leads out of it, by `..` or by a link, is not there."""

    def __init__(self, root: str | Path) -> None:
        self._root = os.path.realpath(root)
        self._names: list[str] | None = None

    def names(self) -> Iterator[str]:
        """The files in and below it, as relative paths with `/`, in order; at most 200,000."""
        if self._names is None:
            self._names = sorted(name for name, _ in _walk(self._root, []))
        return iter(self._names)

    def open(self, name: str) -> Source | None:
        """One of them, or None."""
        path = self._inside(name)
        if path is None:
            return None
        try:
            return File(path)
        except UnreadableError:
            return None

    def size(self, name: str) -> int | None:
        """How many bytes one of them has, or None."""
        path = self._inside(name)
        if path is None:
            return None
        try:
            return Path(path).stat().st_size
        except OSError:
            return None

    def _inside(self, name: str) -> str | None:
        if "\0" in name or len(name) > 4096:
            return None
        path = os.path.realpath(f"{self._root}/{name}")
        return path if path == self._root or path.startswith(self._root.rstrip(os.sep) + os.sep) else None


def targets(paths: list[Path], left_out: list[str]) -> Iterator[Target]:
    """Every file at or below the given paths, in a stable order.

    A link to a file is looked at as the file it leads to, under the link's name. A link to a folder is not followed:
    if it leads inside, its files are met anyway; if it leads outside, that is said. What is skipped is added to
    `left_out`.

    Raises:
        UnreadableError: a path that was named does not exist.
    """
    several = len(paths) > 1
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise UnreadableError(f"there is nothing at `{path}`; check the path")
        if path.is_dir():
            root = str(path)
            skipped: list[str] = []
            for name, problem in sorted(_walk(root, skipped)):
                shown = f"{path.name or path.resolve().name}/{name}" if several else name
                yield Target(f"{root}/{name}", shown, root, problem, name)
            left_out.extend(f"{path.name}/{name}" if several else name for name in skipped)
        else:
            yield Target(str(path), str(path) if several else path.name, str(path.parent))


def _walk(root: str, skipped: list[str]) -> Iterator[tuple[str, str]]:
    """(relative name, problem) of everything below a folder that is not a folder, without following links to any."""
    real = os.path.realpath(root)
    waiting = [""]
    count = 0
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(f"{root}/{below}"), key=lambda entry: entry.name)
        except OSError as error:
            yield below or ".", f"the folder cannot be read: {(error.strerror or str(error)).lower()}"
            continue
        for entry in entries:
            name = f"{below}/{entry.name}" if below else entry.name
            count += 1
            if count > NAMES * 50:
                yield name, "the folder holds more than ten million files; scan its parts one by one"
                return
            if entry.is_dir(follow_symlinks=False):
                if entry.name in _SKIPPED:
                    skipped.append(name + "/")
                else:
                    waiting.append(name)
            elif entry.is_symlink() and entry.is_dir():
                leads = os.path.realpath(entry.path)
                if leads != real and not leads.startswith(real + os.sep):
                    yield name, "it is a link to a folder outside of the scanned one, and was not followed"
            else:
                yield name, ""
