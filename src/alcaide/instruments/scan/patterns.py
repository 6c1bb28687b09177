"""Regular expressions that are compiled when they are first needed.

The readers have some two hundred, and compiling all of them takes longer than reading fifty small files; most scans
need a few.
"""

from __future__ import annotations

import re
from typing import Any, AnyStr, cast

_METHODS = ("match", "fullmatch", "search", "finditer", "findall", "sub", "subn", "split")


def regex(text: AnyStr, flags: int = 0) -> re.Pattern[AnyStr]:
    """As `re.compile`, but at the first use, which is also where a mistake in the expression shows."""
    return cast("re.Pattern[AnyStr]", _Later(text, flags))


class _Later:
    """Stands for the compiled expression, whose own methods it has from the first use on."""

    def __init__(self, text: str | bytes, flags: int) -> None:
        self._text = text
        self._flags = flags

    def __getattr__(self, name: str) -> Any:
        compiled = re.compile(self._text, self._flags)
        for method in _METHODS:
            setattr(self, method, getattr(compiled, method))
        return getattr(compiled, name)
