"""Names that are known to be good, as data: each list says what it was made from, and a tool makes it again."""

from __future__ import annotations

_HERE = __file__.removesuffix("__init__.py")


def read_list(name: str) -> str:
    """A list's text. It lies beside this module; `importlib.resources` and `pathlib` are slow to load."""
    with open(_HERE + name, encoding="utf-8") as file:  # noqa: PTH123
        return file.read()
