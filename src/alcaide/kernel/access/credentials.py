"""Random secrets that people and programs carry, and the digests of them that the database keeps.

Every secret here has 256 random bits, so a plain SHA-256 is enough to store: there is nothing to guess that a
slow hash would slow down. Passwords are the exception and live in `passwords`.
"""

from __future__ import annotations

import hmac
import re
import secrets
from dataclasses import dataclass
from hashlib import sha256

_BYTES = 32
_TOKEN = re.compile(r"alc_([0-9a-z]{8,32})_([0-9a-f]{64})\Z")
TOKEN_PREFIX = "alc_"  # noqa: S105 - the part that is no secret
_RECOVERY_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_RECOVERY_LETTERS = 16
"""80 bits.

Typed by hand from paper, so shorter than the rest; guessing is rate-limited like any second factor.
"""


@dataclass(frozen=True)
class TokenParts:
    """What a token's text holds: which token, and the proof."""

    id: str
    secret: str


def new_secret() -> str:
    """256 bits as hex: safe in a URL, a cookie and a shell without quoting."""
    return secrets.token_hex(_BYTES)


def digest(secret: str) -> str:
    """What is stored instead of the secret; also what it is looked up by."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def same(secret: str, stored_digest: str) -> bool:
    """Whether this is the secret whose digest is stored, in the same time either way."""
    return hmac.compare_digest(digest(secret), stored_digest)


def token_text(token_id: str, secret: str) -> str:
    """`alc_<id>_<secret>`: the prefix lets secret scanners find a leaked one, the id lets its owner revoke it."""
    return f"{TOKEN_PREFIX}{token_id}_{secret}"


def parse_token(text: str) -> TokenParts | None:
    """The parts of a token's text; None if it cannot be one."""
    match = _TOKEN.match(text) if len(text) <= 128 else None
    return TokenParts(match[1], match[2]) if match else None


def new_recovery_code() -> str:
    """Sixteen letters and digits that are hard to misread, in fours."""
    letters = [secrets.choice(_RECOVERY_ALPHABET) for _ in range(_RECOVERY_LETTERS)]
    return "-".join("".join(letters[start : start + 4]) for start in range(0, _RECOVERY_LETTERS, 4))


def plain_recovery_code(typed: str) -> str | None:
    """The code as it was made, from the way a person typed it; None if it cannot be one."""
    letters = re.sub(r"[\s-]", "", typed[:64]).lower()
    letters = letters.translate(str.maketrans("oil", "011"))
    if len(letters) != _RECOVERY_LETTERS or any(letter not in _RECOVERY_ALPHABET for letter in letters):
        return None
    return "-".join(letters[start : start + 4] for start in range(0, _RECOVERY_LETTERS, 4))
