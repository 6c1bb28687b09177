"""Where a member of an archive would land, and whether its name says so.

The names of one archive are judged together: a duplicate and a file that goes through a link are seen only so. What
is kept per name is its hash, so that ten million names cost no more than the limit on members allows.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from alcaide.instruments.scan.formats.archives.rules import (
    DUPLICATE,
    LINK,
    NAME,
    SPECIAL_MODE,
    THROUGH_LINK,
    TRAVERSAL,
)
from alcaide.instruments.scan.model import Level
from alcaide.instruments.scan.patterns import regex

if TYPE_CHECKING:
    from alcaide.instruments.scan.context import Context

_PLAIN = regex(
    r"(?:[\w+=@,()-][\w+=@,() .-]*/)*[\w+=@,()-]+(?:[ .]+[\w+=@,()-]+)*/?\Z",
    re.ASCII,
)
"""Names about which nothing can be said: the quick way for nearly all of them (no `..`, no hidden first dot)."""

_DECEIVING = regex(
    "[\0-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\u00ad\u061c\u115f\u1160\u3164]"
)
"""Control characters, those that turn the reading direction, and those that have no width (Unicode 15.1: Cc, Cf)."""

_RESERVED = frozenset(
    ["con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10))]
)
"""Names that Windows takes for devices, with any ending (Microsoft, Naming Files)."""

_MANY_LINKS = 10_000
_LONGEST = 4096
_DEEPEST = 200


class Names:
    """The names of one archive."""

    __slots__ = ("_context", "_folded", "_links", "_seen")

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: set[int] = set()
        self._folded: set[int] = set()
        self._links: dict[str, bool] = {}

    def member(self, name: str, *, folder: bool = False, mode: int = 0, offset: int | None = None) -> None:
        """Judge where one member would land.

        Args:
            name: as the archive has it.
            folder: whether it names a folder; those may repeat.
            mode: its Unix mode, 0 where unknown.
            offset: where the archive speaks of it.
        """
        context = self._context
        path = name
        if not _PLAIN.match(name):
            path = self._odd(name, offset)
        if self._links:
            self._through(path, name, offset)
        if mode & 0o6000 and not folder:
            context.find(
                SPECIAL_MODE, f"`{name}` would be unpacked with mode {mode & 0o7777:o}", offset=offset
            )
        if folder:
            return
        key = hash(path)
        if key in self._seen:
            context.find(DUPLICATE, f"`{name}` is in the archive twice", offset=offset, member=name)
            return
        self._seen.add(key)
        folded = hash(path.casefold())
        if folded in self._folded:
            context.find(
                DUPLICATE,
                f"`{name}` has the name of another member but for upper and lower case: some systems keep only one",
                offset=offset,
                member=name,
            )
        self._folded.add(folded)

    def link(self, name: str, target: str, *, hard: bool = False, offset: int | None = None) -> None:
        """Judge a link: where it leads, seen from where it would lie.

        Args:
            name: the link's own name; judge it with `member` too.
            target: where it leads. A hard link's target counts from the top of the archive.
            hard: whether it is a hard link.
            offset: where the archive speaks of it.
        """
        base = "" if hard else name.replace("\\", "/").rstrip("/").rpartition("/")[0]
        outside = escapes(f"{base}/{target}" if base else target) or is_absolute(target)
        kind = "hard link" if hard else "link"
        if outside:
            self._context.find(
                LINK,
                f"unpacking it lays the {kind} `{name}` to `{target}`, which is outside of its folder",
                offset=offset,
                member=name,
                target=target,
            )
        if len(self._links) < _MANY_LINKS and not hard:
            self._links[_normal(name)] = outside

    def _through(self, path: str, name: str, offset: int | None) -> None:
        """Whether a part of the way to a member is a link of the same archive."""
        normal = _normal(path)
        at = normal.find("/")
        while at >= 0:
            above = normal[:at]
            if above in self._links:
                outside = self._links[above]
                self._context.find(
                    THROUGH_LINK,
                    f"`{name}` would be written through the link `{above}`"
                    + (", to outside of its folder" if outside else ""),
                    level=Level.CRITICAL if outside else Level.MEDIUM,
                    offset=offset,
                    member=name,
                )
                return
            at = normal.find("/", at + 1)

    def _odd(self, name: str, offset: int | None) -> str:
        """Judge a name that is not plain; returns it as a path with `/`."""
        context = self._context
        path = name.replace("\\", "/")
        if is_absolute(name) or escapes(path):
            context.find(
                TRAVERSAL,
                f"unpacking it writes `{name}`, which is outside of its folder",
                offset=offset,
                member=name,
            )
        elif ".." in path.split("/"):
            context.find(NAME, f"`{name}` goes up and down again", offset=offset, member=name)
        problem, level = _deceives(name, path)
        if problem:
            context.find(NAME, f"`{name}` {problem}", level=level, offset=offset, member=name)
        return _normal(path)


def _deceives(name: str, path: str) -> tuple[str, Level]:
    """What a name would make a person or a program believe that is not so; "" if nothing."""
    if _DECEIVING.search(name):
        return "has characters in its name that are not shown, or that turn how it reads", Level.MEDIUM
    steps = path.rstrip("/").split("/")
    if len(name) > _LONGEST or len(steps) > _DEEPEST:
        return "has a name longer or deeper than systems can hold", Level.MEDIUM
    last = steps[-1]
    if last != last.rstrip(". ") and last not in (".", ".."):
        return "ends in a dot or a blank, which some systems drop: it becomes another name", Level.MEDIUM
    if "\\" in name:
        return "has `\\` in its name: a folder on one system, a character on another", Level.MEDIUM
    if any(step.partition(".")[0].lower() in _RESERVED for step in steps):
        return "is the name of a device on Windows", Level.LOW
    if any("\udc80" <= character <= "\udcff" for character in name):
        return "is not valid in the encoding that the archive says its names have", Level.LOW
    return "", Level.LOW


def is_absolute(name: str) -> bool:
    """Whether a name starts at the root, at a drive, at a share, or at somebody's home."""
    return bool(
        name[:1] in ("/", "\\") or (name[1:2] == ":" and name[:1].isalpha()) or name[:2] in ("~/", "~\\")
    )


def escapes(path: str) -> bool:
    """Whether a relative path with `/` leads above where it starts, at its end or on its way."""
    if ".." not in path:
        return False
    depth = 0
    for step in path.replace("\\", "/").split("/"):
        if step == "..":
            depth -= 1
            if depth < 0:
                return True
        elif step not in ("", "."):
            depth += 1
    return False


def _normal(path: str) -> str:
    """The path without empty steps and `.`, with `..` taken back where possible."""
    steps: list[str] = []
    for step in path.replace("\\", "/").split("/"):
        if step in ("", "."):
            continue
        if step == ".." and steps and steps[-1] != "..":
            steps.pop()
        else:
            steps.append(step)
    return "/".join(steps)
