r"""Private keys written out: PEM and OpenPGP armour, PuTTY's files, the private part of a JSON Web Key.

Whole, cut short, or folded into one line with `\n` as JSON and environment variables have them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from alcaide.instruments.guard.detectors.secrets.find import Find
from alcaide.instruments.guard.detectors.secrets.placeholders import placeholder

KEY_BLOCK = 16_384
"""Characters a key block may have: a 16,384-bit RSA key takes 12.7 kB as PEM, escapes included."""
SHORTEST = 24
"""Characters of base64 below which there is no key to speak of."""
NEARBY = 2400
"""Characters around a JWK's `kty` in which its other members stand; a 4096-bit RSA key has 3.2 kB in all."""

_BODY = re.compile(r"[A-Za-z0-9+/=\s\"',\\|>]+")
_ESCAPES = re.compile(r"\\[nr]|[\s\"'+,\\|>]")
_HEADERS = re.compile(r"(?:Proc-Type|DEK-Info|Comment|Version|Subject|Charset|Hash): [^\n\\]{0,200}")
_PRIVATE_NUMBER = re.compile(r"\"(?:d|k)\"\s{0,3}:\s{0,3}\"([A-Za-z0-9_-]{20,2000})\"")


def armoured(text: str, start: int, end: int) -> Find | None:
    """The block whose first line is at `start` to `end`."""
    limit = min(len(text), end + KEY_BLOCK)
    at = text.find("-----END", end, limit)
    if at >= 0:
        close = text.find("-----", at + 8, at + 60)
        last = close + 5 if close >= 0 else at + 8
        inner = text[end:at]
    else:
        body = _BODY.match(text, end, limit)
        last = body.end() if body else end
        inner = text[end:last]
        while last > end and text[last - 1] in " \n\r\t\"',":
            last -= 1
    material = _ESCAPES.sub("", _HEADERS.sub("", inner))
    label = text[start:end].strip("- ")[6:].strip()
    if len(material) < SHORTEST:
        if len(material) < 4 or not material.isalnum():
            return None
        return _key(start, last, 0.4, f"beginning of a private key ({label.lower()})")
    distinct = len(set(material[:400]))
    if distinct < 10 or (distinct < 20 and placeholder(material[:40])):
        return _key(start, last, 0.3, "placeholder of a private key")
    evidence = {"label": label, "complete": at >= 0}
    if at < 0:
        return _key(start, last, 0.95, "private key, cut short", evidence)
    return _key(start, last, 0.99, "private key", evidence)


def _key(start: int, end: int, score: float, message: str, evidence: Mapping[str, Any] | None = None) -> Find:
    return Find("private-key", start, end, score, message, "PRIVATE_KEY", specific=2, evidence=evidence or {})


def putty(text: str, lower: str, start: int) -> Find | None:
    """PuTTY's file that begins at `start`, if its private half is there."""
    private = lower.find("private-lines:", start, start + KEY_BLOCK)
    if private < 0:
        return None
    close = lower.find("private-mac:", private, private + KEY_BLOCK)
    last = text.find("\n", close) if close >= 0 else min(len(text), private + KEY_BLOCK)
    last = last if last >= 0 else len(text)
    return Find("putty-private-key", start, last, 0.99, "PuTTY private key", "PRIVATE_KEY", specific=2)


def web_key(text: str, start: int, end: int) -> Find | None:
    """The private number of the JSON Web Key whose `kty` is at `start` to `end` (RFC 7517, RFC 7518 §6)."""
    inside = _PRIVATE_NUMBER.search(text, max(0, start - NEARBY), min(len(text), end + NEARBY))
    if inside is None:
        return None
    first, last = inside.span(1)
    return Find(
        "jwk-private-key", first, last, 0.95, "private part of a JSON Web Key", "PRIVATE_KEY", specific=1
    )
