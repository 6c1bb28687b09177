"""Lists of names that ship as data: in `lists/`, one or more names a line, comments after `#`."""

from __future__ import annotations

from alcaide.instruments.scan.lists import read_list


def words(name: str) -> frozenset[str]:
    """All names of one list."""
    return frozenset(word for line in read_list(name).splitlines() for word in line.partition("#")[0].split())
