"""`key-event` and `trusted-key`: which keys speak for this instance, and whose keys it believes.

The two are different kinds of evidence on purpose: verifying the log follows the chain of `key-event`s alone.
"""

from __future__ import annotations

from typing import ClassVar, Literal

from alcaide.predicates.base import Predicate


class KeyEvent(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """The subject is `key:<keyid>` with the SHA-256 of the raw public key.

    `created` is the first leaf of the log and is signed by the key itself. `rotated` is signed by the key that
    was in force before; from the next leaf on the new one signs. `public` is the raw Ed25519 key in hex.
    """

    TYPE: ClassVar[str] = "urn:alcaide:key-event:v1"
    TITLE: ClassVar[str] = "Signing key changed"

    event: Literal["created", "rotated"]
    keyid: str
    public: str


class TrustedKey(Predicate, frozen=True, kw_only=True, omit_defaults=True):
    """Somebody decided to believe signatures by a key of somebody else, or no longer to.

    The subject is `trusted-key:<name>` with the SHA-256 of the public key in DER. What was taken in while the key
    was trusted stays as it was recorded, and counts, unless `because` is `compromised`: then whatever was taken in
    under the key from `since` on (ever, if it says none) is Unknown to every requirement.
    """

    TYPE: ClassVar[str] = "urn:alcaide:trusted-key:v1"
    TITLE: ClassVar[str] = "Trusted key changed"

    event: Literal["trusted", "distrusted"]
    name: str
    algorithm: str
    because: Literal["", "out-of-use", "compromised"] = ""
    since: str = ""
