"""What a row of the tables of key formats says.

A format is a fact about a provider's credentials, taken from the provider's own documentation or from the shape of
keys it issues. Three sorts, by what it takes to recognise one:

- *prefixed*: a literal marks every key (`ghp_…`); found by the guard's shared pass;
- *shaped*: no literal, but a structure that chance does not make (`<digits>:<35 characters>`); tried on tokens that
  look random;
- *near*: only so many characters of some alphabet; believed where the provider is named close by.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from re import _parser as parser  # type: ignore[attr-defined]
from typing import Literal

Kind = Literal["API_KEY", "TOKEN", "PASSWORD", "PRIVATE_KEY", "WEBHOOK_URL", "ACCOUNT_ID"]
Level = Literal["note", "warning", "error"]

WINDOW = 4096
"""Longest run that a prefixed key without an upper length may have; signed tokens reach 2 to 3 kB."""


@dataclass(frozen=True, slots=True)
class Format:
    """One credential format.

    Attributes:
        id: stable, kebab-case, unique; the rule is `secrets/<id>`.
        provider: whose credential it is.
        title: what the provider calls it.
        regex: the credential itself and nothing around it, in `re` and RE2's common syntax; a group named `secret`
            narrows what is to be redacted.
        anchors: lower-case literals of which one is part of every match; empty for shaped and near formats.
        near: words of which one must stand close by; empty for prefixed and shaped formats.
        check: name of a checksum or structure check in `checks.CHECKS`.
        kind: what a placeholder for it is called.
        score: probability that a match is a credential, without any word about secrets near it.
        level: `error` for what opens a door, `warning` for test doors, `note` for halves made to be public.
        before: how far a match may begin ahead of its anchor.
    """

    id: str
    provider: str
    title: str
    regex: str
    anchors: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    check: str | None = None
    kind: Kind = "API_KEY"
    score: float = 0.95
    level: Level = "error"
    before: int = 0

    @property
    def after(self) -> int:
        """How far a match may reach after its anchor."""
        return min(int(parser.parse(self.regex).getwidth()[1]), WINDOW)


def prefixed(
    id: str,
    provider: str,
    title: str,
    prefix: str,
    tail: str,
    *,
    check: str | None = None,
    kind: Kind = "API_KEY",
    score: float = 0.95,
    level: Level = "error",
) -> Format:
    """A format whose every key begins with `prefix`, literally."""
    return Format(
        id,
        provider,
        title,
        re.escape(prefix).replace(r"\-", "-") + tail,
        anchors=(prefix.lower(),),
        check=check,
        kind=kind,
        score=score,
        level=level,
    )


def near(
    id: str,
    provider: str,
    title: str,
    words: tuple[str, ...],
    regex: str,
    *,
    kind: Kind = "API_KEY",
    score: float = 0.9,
    level: Level = "error",
) -> Format:
    """A format without a mark of its own: `words` name the provider as people write it in configuration."""
    return Format(id, provider, title, regex, near=words, kind=kind, score=score, level=level)


def shaped(
    id: str,
    provider: str,
    title: str,
    regex: str,
    *,
    check: str | None = None,
    kind: Kind = "API_KEY",
    score: float = 0.9,
    level: Level = "error",
) -> Format:
    """A format known by its structure alone; `regex` must match a whole token."""
    return Format(id, provider, title, regex, check=check, kind=kind, score=score, level=level)
