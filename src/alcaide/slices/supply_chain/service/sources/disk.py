"""The server's own disk: which paths may be read, what lies below a folder, and small files that say what is where."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any

import msgspec

from alcaide.kernel.errors import InvalidInput
from alcaide.slices.supply_chain import queries, rules

if TYPE_CHECKING:
    from alcaide.kernel.instance import Instance

MOST_FILES = 1_000_000
"""Files below one entry that its fingerprint is made of; a folder with more is no model."""


def folders(instance: Instance) -> list[str]:
    """The folders that may be read, as they really lie."""
    return [os.path.realpath(folder) for folder in queries.settings(instance).folders]


def readable(instance: Instance, path: str) -> str:
    """Where a path really leads, if that may be read."""
    if not path.startswith("/") or "\0" in path or len(path) > 4_096:
        raise InvalidInput(f"`{path[:100]}` is not an absolute path", {"path": "give the whole path, from /"})
    real = rules.allowed(os.path.realpath(path), folders(instance))
    if not Path(real).exists():
        raise InvalidInput(
            f"there is nothing at `{path[:200]}`", {"path": "is not there; check the spelling"}
        )
    return real


def readable_folder(instance: Instance, path: str) -> str:
    """The same, for a folder."""
    real = readable(instance, path)
    if not Path(real).is_dir():
        raise InvalidInput(
            f"`{path[:200]}` is not a folder", {"path": "is a file; give the folder it lies in"}
        )
    return real


def root_of(instance: Instance, real: str) -> Path:
    """The folder that may be read and holds this path: links are followed in there."""
    return Path(next(folder for folder in folders(instance) if PurePath(real).is_relative_to(folder)))


def listing(folder: str, check: Callable[[], None], *, within: str = "") -> Iterator[tuple[str, int, int]]:
    """(path, bytes, time of the last change) of the files below a folder.

    Links are listed as themselves, or, where `within` is given, as the files in there that they lead to.
    """
    count = 0
    for base, _, names in os.walk(folder):
        check()
        for name in names:
            path = f"{base}/{name}"
            count += 1
            if count > MOST_FILES:
                raise InvalidInput(f"`{folder[:200]}` holds more than {MOST_FILES:,} files; watch its parts")
            with suppress(OSError):
                about = Path(path).lstat()
                if within and stat.S_ISLNK(about.st_mode):
                    real = os.path.realpath(path)
                    if PurePath(real).is_relative_to(within):
                        about = Path(real).lstat()
                        path = f"{path}\0{real}"
                yield path, about.st_size, about.st_mtime_ns


def small(path: Path, limit: int) -> bytes:
    """A short file, whole; a link is not followed.

    Raises InvalidInput if it is larger, is no plain file or cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError as error:
        raise InvalidInput(
            f"`{str(path)[-200:]}` cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise InvalidInput(f"`{str(path)[-200:]}` is not a plain file")
        with os.fdopen(os.dup(descriptor), "rb") as file:
            content = file.read(limit + 1)
    except OSError as error:
        raise InvalidInput(
            f"`{str(path)[-200:]}` cannot be read: {(error.strerror or str(error)).lower()}"
        ) from error
    finally:
        os.close(descriptor)
    if len(content) > limit:
        raise InvalidInput(
            f"`{str(path)[-200:]}` is larger than {limit >> 10:,} KiB, which is not what it should be"
        )
    return content


def small_json(content: bytes, called: str) -> dict[str, Any]:
    """A short JSON object. Raises InvalidInput if it is none."""
    try:
        found = msgspec.json.decode(content)
    except (msgspec.MsgspecError, RecursionError, ValueError) as error:
        raise InvalidInput(f"`{called[-200:]}` is not JSON: {str(error)[:200]}") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"`{called[-200:]}` is not a JSON object")
    return found


def small_yaml(content: bytes, called: str) -> dict[str, Any]:
    """A short YAML mapping, read without tags. Raises InvalidInput if it is none."""
    import yaml

    try:
        found = yaml.load(content, yaml.CSafeLoader)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise InvalidInput(f"`{called[-200:]}` is not YAML: {' '.join(str(error).split())[:200]}") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"`{called[-200:]}` is not a YAML mapping")
    return found
