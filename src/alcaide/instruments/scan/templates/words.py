"""What a template itself says to the model: ordinary setting of a scene, or an instruction nobody is meant to see.

Templates of honest models say things: a default system prompt, how to call a tool, the date. What none of them does
is to add words only when the *user's* text holds a certain phrase, to tell the model to keep something from the user,
or to carry text that is encoded or invisible. Those are reported; what a default system prompt asks for is not judged.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from alcaide.instruments.scan.patterns import regex
from alcaide.instruments.scan.templates.known import HOSTS, PARTS, PHRASES

_WORD = regex(r"[^\W\d_]{2,}")
_PHRASES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile("".join(pieces), re.IGNORECASE | re.DOTALL), says) for says, *pieces in PHRASES
)
"""Patterns with bounded gaps: none of them takes more than linear time."""
_NEGATED = regex(r"\b(?:not|never|no|cannot)\b|n['’]t\b", re.IGNORECASE)
"""What a template forbids, it does not ask for."""
_ADDRESS = regex(r"(?:https?|ftp|wss?)://([^\s/'\"<>{}|\\^`)\]]{1,253})", re.IGNORECASE)
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{24,}={0,2}")
_INVISIBLE = regex(
    "[\u200b\u200e\u200f\u2060-\u2064\u206a-\u206f\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_HIDING = regex("[\u202d\u202e\U000e0000-\U000e007f]")
_MARKUP = regex(r"[<>\[\]{}|#/\\@$^~=*_▁｜:]")


@dataclass(frozen=True, slots=True)
class Said:
    """Something a text says that a template has no business saying."""

    kind: str
    """`instruction`, `address`, `encoded` or `invisible`."""
    what: str
    quote: str


def is_prose(text: str, words: int = 3) -> bool:
    """Whether a text has at least so many words: enough to tell a model something."""
    if text.isspace():
        return False
    return any(number >= words for number, _ in enumerate(_WORD.finditer(text), 1))


def is_phrase(text: str) -> bool:
    """Whether a text looked for in a user's message is something a user would say, not markup such as `</think>`."""
    text = text.strip()
    return (
        len(text) >= 3
        and _MARKUP.search(text) is None
        and _WORD.search(text) is not None
        and text.lower() not in PARTS
    )


def said(text: str) -> list[Said]:
    """What one piece of text says."""
    found: list[Said] = []
    instruction = next(
        (
            Said("instruction", what, _quote(text, match))
            for pattern, what in _PHRASES
            for match in pattern.finditer(text)
            if not _NEGATED.search(text, max(0, match.start() - 24), match.start())
        ),
        None,
    )
    if instruction is not None:
        found.append(instruction)
    for match in _ADDRESS.finditer(text):
        host = match[1].lower().rsplit("@", 1)[-1].split(":", 1)[0].rstrip(".,;")
        if host and host not in HOSTS:
            found.append(Said("address", host, _quote(text, match)))
            break
    hidden = _INVISIBLE.search(text)
    if hidden is not None:
        hides = _HIDING.search(text) is not None or len(_INVISIBLE.findall(text)) >= 8
        found.append(Said("invisible" if hides else "stray", f"U+{ord(hidden[0]):04X}", hidden[0]))
    for match in _BASE64.finditer(text):
        decoded = decoded_text(match[0])
        if decoded is not None:
            found.append(Said("encoded", decoded, match[0]))
            break
    return found


def decoded_text(packed: str) -> str | None:
    """What a run of characters says when read as base64, if it says several words."""
    packed = packed.rstrip("=")
    if len(packed) > 1 << 16 or (packed.isalpha() and (packed.islower() or packed.isupper())):
        return None
    try:
        data = base64.b64decode(
            packed.replace("-", "+").replace("_", "/") + "=" * (-len(packed) % 4), validate=True
        )
        text = data.decode("utf-8")
    except (binascii.Error, ValueError):
        return None
    readable = text.isprintable() or all(character.isprintable() or character.isspace() for character in text)
    return text if readable and text.isascii() and len(text) >= 12 else None


def _quote(text: str, match: re.Match[str]) -> str:
    start, end = match.span()
    return text[max(0, start - 20) : min(end, start + 160)].strip()
