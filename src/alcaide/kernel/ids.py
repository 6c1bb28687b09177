"""Identifiers: time-ordered and unguessable enough for rows, and slugs for people."""

from __future__ import annotations

import re
import secrets
import time
import unicodedata

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford base32: no i, l, o, u to misread
_SLUG_GAP = re.compile(r"[^a-z0-9]+")


def new_id() -> str:
    """26 characters: 48 bits of milliseconds, then 80 random bits. Sorts by time of making."""
    value = (time.time_ns() // 1_000_000) << 80 | secrets.randbits(80)
    letters = []
    for _ in range(26):
        letters.append(_ALPHABET[value & 31])
        value >>= 5
    return "".join(reversed(letters))


def slug(text: str, limit: int = 64) -> str:
    """A name fit for an address: lower-case ASCII letters, digits and single dashes; may be empty."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return _SLUG_GAP.sub("-", plain).strip("-")[:limit].rstrip("-")
