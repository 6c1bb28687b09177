"""Every setting as a person wants to see it: name, value, where it came from, what it is for.

The list is the `Config` dataclass itself, so a new setting appears here, in `alcaide settings` and in
docs/reference/settings.md without another line.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields

from alcaide.kernel.config import SECTIONS, Config

SECRET = frozenset({"passphrase"})


@dataclass(frozen=True)
class Setting:
    """One setting. `source` is `environment`, `file`, `default` or, for the data folder, `command line`."""

    name: str
    value: str
    source: str
    variable: str
    doc: str


def describe(config: Config, environ: Mapping[str, str]) -> list[Setting]:
    """All settings of `config`, in the order they are declared."""
    return [_setting(config, name, default, doc, environ) for name, default, doc in declared()]


def declared() -> list[tuple[str, object, str]]:
    """Name, default and purpose of every setting but the sections, which their slices describe."""
    return [
        (field.name, None if field.default is MISSING else field.default, field.metadata["doc"])
        for field in fields(Config)
        if field.name != "sections"
    ]


def _setting(config: Config, name: str, default: object, doc: str, environ: Mapping[str, str]) -> Setting:
    value = getattr(config, name)
    variable = f"ALCAIDE_{name.upper()}"
    if variable in environ:
        source = "environment"
    elif value != default:
        source = "default" if name == "data" else "file"
    else:
        source = "default"
    shown = ("set" if value else "not set") if name in SECRET else _text(value)
    return Setting(name, _without_password(shown) if name == "database_url" else shown, source, variable, doc)


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _without_password(url: str) -> str:
    """A database address is shown to people; the password in it is not."""
    scheme, mark, rest = url.partition("://")
    credentials, at, place = rest.rpartition("@")
    if not at:
        return url
    return f"{scheme}{mark}{credentials.partition(':')[0]}:…@{place}"


def table(rows: Sequence[Setting]) -> str:
    """Aligned lines for a terminal."""
    name = max(len(row.name) for row in rows) + 2
    value = min(max(len(row.value) for row in rows), 48) + 2
    return "\n".join(
        f"{row.name:<{name}}{row.value or '-':<{value}}{row.source:<13}{row.doc}" for row in rows
    )


def sections() -> Sequence[str]:
    """The sections that slices read for themselves."""
    return SECTIONS
