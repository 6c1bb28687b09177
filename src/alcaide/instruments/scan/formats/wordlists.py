"""Lists of names that ship as data: in `lists/`, one or more names a line, comments after `#`."""

from __future__ import annotations

from importlib.resources import files


def words(name: str) -> frozenset[str]:
    """All names of one list."""
    text = (files("alcaide.instruments.scan") / "lists" / name).read_text(encoding="utf-8")
    return frozenset(word for line in text.splitlines() for word in line.partition("#")[0].split())
