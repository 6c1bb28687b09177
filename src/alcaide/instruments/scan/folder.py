"""Which files a scan looks at, and what a file may know of its neighbours."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from alcaide.instruments.scan.paths import sendable
from alcaide.instruments.scan.source import File, UnreadableError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from alcaide.instruments.scan.source import Source

NAMES = 200_000
"""Neighbours that are listed; a folder with more is listed so far."""

_SKIPPED = frozenset({".git", ".hg", ".svn"})
"""Version control's own folders. No model is loaded from them; a report names those that it left out.

What acts when somebody uses git in a folder, its hooks and settings, is looked at all the same."""


class Target(NamedTuple):
    """One file to look at."""

    path: str
    """Where it is."""
    name: str
    """How the report calls it, and nothing else: relative to the scanned folder, with `/`, and UTF-8 can hold it."""
    root: str
    """The folder whose files are its neighbours."""
    problem: str = ""
    """Why it cannot be looked at, where that shows before it is opened."""
    inside: str = ""
    """The file's path within the scanned folder; empty for a file that was named by itself."""


class Directory:
    """A folder's plain files. What leads out of it, by `..` or by a link, is not there.

    `within` is a folder around it that links may lead to: a cache whose folders are made of links into one of its own.
    """

    def __init__(self, root: str | Path, within: str | Path = "") -> None:
        self._root = os.path.realpath(root)
        self._within = os.path.realpath(within) if within else self._root
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
        if _is_in(path, self._root):
            return path
        # Only a link leads from here to there; `..` in a name must not.
        return path if _is_in(path, self._within) and _is_down(name) else None


def targets(paths: list[Path], left_out: list[str], within: Path | None = None) -> Iterator[Target]:
    """Every file at or below the given paths, in a stable order.

    A link to a file is looked at as the file it leads to, under the link's name. A link to a folder is not followed:
    if it leads inside, its files are met anyway; if it leads outside, that is said. What is skipped is added to
    `left_out`.

    With `within`, a link to a file that lies neither below its own folder nor in there is not followed, and said.

    Raises:
        UnreadableError: a path that was named does not exist.
    """
    several = len(paths) > 1
    taken: set[str] = set()
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise UnreadableError(f"there is nothing at `{path}`; check the path")
        if path.is_dir():
            root = str(path)
            skipped: list[str] = []
            before = _untaken(path.name or path.resolve().name, taken) + "/" if several else ""
            for name, problem in sorted(_walk(root, skipped)):
                shown = _untaken(before + sendable(name), taken)
                where = f"{root}/{name}"
                if within is not None and not problem:
                    where, problem = _bounded(where, root, within)
                yield Target(where, shown, root, problem, sendable(name))
            left_out.extend(before + sendable(name) for name in skipped)
        else:
            shown = _untaken(sendable(str(path) if several else path.name), taken)
            where, problem = str(path), ""
            if within is not None:
                where, problem = _bounded(where, str(path.parent), within)
            yield Target(where, shown, str(path.parent), problem)


def _bounded(path: str, root: str, within: Path) -> tuple[str, str]:
    """Where a file really is, so that a link which is changed meanwhile leads nowhere else; or why it is not read."""
    if not Path(path).is_symlink():
        return path, ""
    real = os.path.realpath(path)
    if _is_in(real, os.path.realpath(root)) or _is_in(real, os.path.realpath(within)):
        return real, ""
    return path, "it is a link that leads out of what may be read, and was not followed"


def cache_around(root: str) -> str:
    """The folder of a hub's cache that holds this snapshot and the blobs its links lead to; "" for other folders."""
    real = Path(root).resolve()
    around = real.parent.parent
    return str(around) if real.parent.name == "snapshots" and (around / "blobs").is_dir() else ""


def _is_in(path: str, folder: str) -> bool:
    """Whether a path is a folder or below it; both resolved already."""
    return path == folder or path.startswith(folder.rstrip(os.sep) + os.sep)


def _is_down(name: str) -> bool:
    """Whether a name by itself leads nowhere but down."""
    return not name.startswith("/") and ".." not in name.split("/")


def _untaken(name: str, taken: set[str]) -> str:
    """A name that no other file has in the report, as much like this one as can be.

    INVARIANT: two files never share a name, or one of them would hide behind the other. Its last part stays as it is,
    since it is a hint of what reads the file.
    """
    shown = name = sendable(name)
    count = 1
    while shown in taken:
        count += 1
        shown = f"({count})/{name}"
    taken.add(shown)
    return shown


def _leads_to_folder(entry: os.DirEntry[str]) -> bool:
    """Whether a link does; one in a circle leads nowhere, which its own look then says."""
    try:
        return entry.is_dir()
    except OSError:
        return False


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
                    if entry.name == ".git":
                        yield from ((acting, "") for acting in _acting_git(entry.path, name))
                else:
                    waiting.append(name)
            elif entry.is_symlink() and _leads_to_folder(entry):
                leads = os.path.realpath(entry.path)
                if not _is_in(leads, real):
                    yield name, "it is a link to a folder outside of the scanned one, and was not followed"
            else:
                yield name, ""


def _acting_git(path: str, name: str) -> Iterator[str]:
    """What in a repository's own folder acts when git is used there: hooks that are no samples, and the settings."""
    hooks = Path(path) / "hooks"
    if hooks.is_dir() and not hooks.is_symlink():
        for hook in sorted(hooks.iterdir())[:200]:
            if hook.is_file() and hook.suffix != ".sample":
                yield f"{name}/hooks/{hook.name}"
    if (Path(path) / "config").is_file():
        yield f"{name}/config"
