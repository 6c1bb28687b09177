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
    r"|\.\.\.|…|\*\*\*|•••|aaaa(?:aaaa)?$|abcdefgh|qwertyuiop|super[-_]?secret|(?:top|very)[-_]?secret"
    r"|mock[-_]?|(?:unit|integration)[-_]?test|(?:keep|do[-_]?not|don'?t)[-_](?:it|tell|share|use)|this[-_]is[-_]"
    r"|test[-_]?(?:token|secret|key|password|pass|pwd)|(?:token|secret|key|password|pass)[-_]?test$|not[-_]?secret"
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
_REFERENCE = re.compile(
    # Where a secret is kept, written as an address or as the name that a store gives it.
    r"(?:[a-z][a-z0-9+]{1,20}(?:\+[a-z]+)?://(?![^\s/@]*:[^\s/@]+@)|vault:|secretref:|ref\+|arn:aws|ssm:|sm:|awssm:"
    r"|azurekeyvault|@microsoft\.keyvault|projects/[^/\s]{1,60}/secrets/|urn:|data:|keychain:|pass:|gopass:|bws:|kms:"
    r"|enc\[|enc\(|\$ansible_vault|!vault|\{cipher\})",
    re.IGNORECASE,
)
_FILES = re.compile(
    # The first octets of pictures, fonts, documents and archives in base 64, and of SSH's public keys.
    r"iVBORw0KGgo|/9j/4AAQ|R0lGOD|UklGR|PHN2Z|d09GR|d09GMg|JVBERi|UEsDBB|H4sIA|T2dnU|AAAAB3NzaC1|AAAAC3NzaC1|AAAAE2VjZHNh"
    r"|LS0tLS1CRUdJTiBDRVJU|LS0tLS1CRUdJTiBQVUJM"
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
_RUN = re.compile("[a-z]+|[0-9]+")
_LETTER_ROWS = _ASCENDING[10:] * 2 + " " + "abc" * 12
_DIGIT_ROWS = "1234567890" * 4 + " " + "0123456789" * 4 + " " + "123" * 12 + " " + "9876543210" * 4
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


def reference(value: str) -> bool:
    """Whether `value` says where a secret is kept, or is one that has been encrypted."""
    return _REFERENCE.match(value) is not None


def encoded_file(value: str) -> bool:
    """Whether `value` begins as a picture, a document, a certificate or a public key does in base 64."""
    return _FILES.match(value) is not None


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
    if _woven(lowered):
        return True
    distinct = len(set(lowered))
    if len(lowered) >= 8 and distinct <= 3:
        return True
    if len(lowered) >= 20 and (distinct <= 6 or entropy(lowered) < MONOTONE):
        return True
    return _in_rows(lowered) >= max(8, ROWS * len(lowered))


def _woven(lowered: str) -> bool:
    """Whether the letters are rows and the digits are: `a1b2c3d4`, `abcd1234wxyz9876`."""
    if len(lowered) < 8:
        return False
    runs = _RUN.findall(lowered)
    if len(runs) > 1 and all(len(run) > 2 and (run in _LETTER_ROWS or run in _DIGIT_ROWS) for run in runs):
        return True
    letters = "".join(filter(str.isalpha, lowered))
    digits = "".join(filter(str.isdigit, lowered))
    return len(letters) > 3 and len(digits) > 3 and letters in _LETTER_ROWS and digits in _DIGIT_ROWS


def _in_rows(lowered: str) -> int:
    """How many characters stand in rows of the alphabet or of digits."""
    covered, reached = 0, 0
    for _, start, end in _RUNS.find_matches_as_indexes(lowered, overlapping=True):
        covered += end - max(start, reached)
        reached = end
    return covered
