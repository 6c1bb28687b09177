"""Credentials that their own issuers print: everybody has them, so hiding one protects nobody.

A key in a vendor's sample looks exactly as a live one, checksums included; only knowing it tells. Digests are kept, so
that a scanner of this repository finds nothing and the list teaches no key. It holds what vendors themselves publish
for everyone to copy, never a key that somebody lost: a leak stays a leak however far it has spread.
"""

from __future__ import annotations

from hashlib import sha256

DIGITS = 16
"""Hexadecimal digits kept of each SHA-256: 64 bits, of which no other credential hits one of some dozens by chance."""
SHORTEST = 16
"""Characters of the shortest credential listed."""

_PUBLISHED = frozenset(
    word
    for line in (
        # Google: samples and tests of the Firebase kits (android, ios, js, cpp, flutter, angular, quickstarts) and the
        # Maps samples, each repository at its state of 2026-11; the manuals of Google Cloud and of Firebase.
        "27a9a42931dff7eb 49f777db995e8260 8731261cb72d8626 37f8f09bdf12c2f2 eb540d2b6ee2a0a4 4c1bbecaca974491",
        "2037abcaffb2b777 3d12d5fd096bdc9c e4902a0b38812b15 2e6c5d746bbd2a79 4c98242dcadc8b29 281cbc35f6814ed4",
        "fa54a007dbf9280a ea9bb1082cf95663 fe686096b4987fed e22199727d080710 54a58318925dac97 561c359df17fbbb0",
        "4486dba803eb60f0 a19f89ab3555eac1 dc0fcf046c61640c 6ca6473b42d9c17e 1597ab82f0c3904d 3b89dcd2f96161db",
        "0b476bdf9acf2123 ac9265e56c79b234 279a2219c2388e7f 95a4db2dd430bb3f",
        # Telegram's manual of bots; Stripe's documented test keys; the emulators of Azure Storage and of Cosmos DB;
        # the example of Amazon's manuals; Algolia's public demonstration indexes; the one-time-password example of
        # Google's key URI format.
        "0b5dd075ccdd03c4 731fa294d036e54f 2cafc0970149a84f f2d6ca16515033e5 2d1f7723aabc5c7a 0011cc25eb432071",
        "aa6547439583c3a2 78314b11be2e5815 f7e7896182dcde5d c4358082fb6a95c5 8be5d113c0871ce1",
    )
    for word in line.split()
)


def published(secret: str) -> bool:
    """Whether `secret` is one that its issuer prints in manuals and samples."""
    if len(secret) < SHORTEST:
        return False
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS] in _PUBLISHED
