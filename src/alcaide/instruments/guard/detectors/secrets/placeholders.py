"""What stands where a secret would, and is none: `<YOUR_KEY>`, `xxxx`, `${TOKEN}`, `changeme`, alphabet soup."""

from __future__ import annotations

import re
from collections import Counter
from math import log2

import ahocorasick_rs

_WORDS = re.compile(
    r"example|sample|placeholder|dummy|change[-_ ]?(?:me|this|it)|your[-_ ]|[-_ ]your|yourkey|yourtoken|yoursecret"
    r"|yourpass|yourapi|my[-_ ]?(?:secret|token|api|key|pass)|insert[-_ ]|replace[-_ ]?(?:me|with|this)|redacted"
    r"|masked|hidden|removed|todo|fixme|xxxx|xx-xx|not[-_ ]?(?:a[-_ ])?real|fake|foobar|foo[-_]?bar|lorem"
    r"|goes[-_ ]?here|[-_ ]here$|secretkey$|some[-_ ]?(?:secret|token|key)|the[-_ ](?:secret|token|key)"
    r"|\.\.\.|…|\*\*\*|•••|aaaa(?:aaaa)?$|abcdefgh|qwertyuiop"
    r"|^(?:key|pass|token|secret|password|pwd)[-_]?[0-9]{1,4}$"
)
_TEMPLATE = re.compile(
    # ${VAR} $VAR $(cmd) {{ x }} {% x %} <%= x %> %VAR% %(name)s {name} <name> [name] __NAME__ #{x} @{x} :name
    r"^[\"'`]?(?:\$\{|\$\(|\$[A-Za-z_][A-Za-z0-9_]*$|\{\{|\{%|<%|%[A-Za-z_][A-Za-z0-9_]*%|%\(|%s|\{=?[^{}\s]{1,60}\}|"
    r"<[^<>]{0,80}>|\[[A-Za-z0-9_ -]{0,60}\]|__[A-Za-z0-9_]+__$|#\{|@\{"
    r"|!(?:Ref|Sub|GetAtt|vault|secret)\b|@@|&lt;|\(\(|~\{)"
)
_INSIDE = re.compile(
    r"\$\{[^}]{1,80}\}|\{\{[^}]{1,80}\}\}|<[A-Za-z_ -]{2,60}>|%\([a-z_]{1,40}\)s|\$\([^)]{1,80}\)"
)
_LOOKUP = re.compile(
    # Code that fetches the secret from where it is kept.
    r"^(?:os\.|process\.|env[.\[(]|getenv|System\.|config[.\[(]|settings[.\[(]|secrets?[.\[(]|vault[.:\[(]|ssm:|arn:"
    r"|self\.|this\.|ctx\.|context\.|args\.|options?\.|opts\.|params?[.\[]|request\.|req\.|data\.|var\.|local\."
    r"|module\.|input\(|getpass|random|generate|crypto\.|hash|bcrypt|base64\.|null$|none$|nil$|true$|false$|undefined$"
    r"|str$|string$|int$|bytes$|optional|secretstr|char\*?$|varchar|text$|required$|file:|@file|/run/secrets/|keyring)",
    re.IGNORECASE,
)

_ASCENDING = "0123456789abcdefghijklmnopqrstuvwxyz"
ROWS = 0.2
"""Share of a value that rows make up in what manuals print; a made-up but plausible key may hold one row."""
MONOTONE = 2.75
"""Bits a character below which 20 characters were not drawn at random: 20 random digits have 2.9 ± 0.1."""
_RUNS = ahocorasick_rs.AhoCorasick(
    sorted(
        {
            row[start : start + 8]
            for row in (
                "12345678901234567890",
                "98765432109876543210",
                _ASCENDING[10:],
                _ASCENDING[10:][::-1],
                "0123456789abcdef" * 2,
            )
            for start in range(len(row) - 7)
        }
    )
)
"""Rows of eight: what people type, and manuals print, where a key would be."""


def template(value: str) -> bool:
    """Whether `value` is filled in elsewhere: a variable, a tag, a call that fetches it."""
    return _TEMPLATE.match(value) is not None or _INSIDE.search(value) is not None


def lookup(value: str) -> bool:
    """Whether an unquoted `value` is code or a type rather than the secret itself."""
    return _LOOKUP.match(value) is not None


def entropy(value: str) -> float:
    """Bits a character (Shannon 1948), from the value's own letter counts."""
    length = len(value)
    return -sum(count / length * log2(count / length) for count in Counter(value).values())


def placeholder(value: str) -> bool:
    """Whether `value` says of itself that it is not real, or is too regular to be."""
    lowered = value.lower()
    if _WORDS.search(lowered):
        return True
    if template(value):
        return True
    distinct = len(set(lowered))
    if len(lowered) >= 8 and distinct <= 3:
        return True
    if len(lowered) >= 20 and (distinct <= 6 or entropy(lowered) < MONOTONE):
        return True
    return _in_rows(lowered) >= max(8, ROWS * len(lowered))


def _in_rows(lowered: str) -> int:
    """How many characters stand in rows of the alphabet or of digits."""
    covered, reached = 0, 0
    for _, start, end in _RUNS.find_matches_as_indexes(lowered, overlapping=True):
        covered += end - max(start, reached)
        reached = end
    return covered
