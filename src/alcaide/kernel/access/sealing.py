"""Small secrets at rest that must be read back (TOTP secrets), so that a copy of the database alone is no use.

The sealing key is derived from the instance's signing key: whoever may sign may open, and a copied database
without the `keys` folder (and its passphrase, where there is one) opens nothing. Each box names the key it
was sealed under, so rotation leaves old boxes readable for as long as the old private key is kept.
"""

from __future__ import annotations

import secrets
from typing import Protocol

from alcaide.kernel.errors import AlcaideError, Corrupt, NotFound

_SEPARATOR = b"\x00"
# INVARIANT: nothing that Alcaide signs as evidence starts like this: envelopes sign `DSSEv1 …`, checkpoints
# their origin. So no signature that was ever published can be this one, from which the sealing key is
# derived.
_DERIVE = b"alcaide sealing key v1, never published\x00"


class _Signer(Protocol):
    @property
    def keyid(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


class _Keys(Protocol):
    def signer(self, keyid: str) -> _Signer: ...


def seal(signer: _Signer, plain: bytes, *, context: str) -> bytes:
    """Encrypt and bind to `context` (which row it is for): moved to another row, it does not open."""
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    nonce = secrets.token_bytes(12)
    box = ChaCha20Poly1305(_key(signer, context)).encrypt(nonce, plain, context.encode())
    return signer.keyid.encode() + _SEPARATOR + nonce + box


def unseal(keys: _Keys, sealed: bytes, *, context: str) -> bytes:
    """The plain bytes. Raises Corrupt if it was altered, moved, or its key is gone."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    keyid, _, rest = sealed.partition(_SEPARATOR)
    try:
        signer = keys.signer(keyid.decode("ascii"))
        return ChaCha20Poly1305(_key(signer, context)).decrypt(rest[:12], rest[12:], context.encode())
    except NotFound as problem:
        raise Corrupt(
            "a sealed secret needs a key that is gone; restore the key or set it up anew"
        ) from problem
    except AlcaideError:
        raise
    except (InvalidTag, ValueError) as problem:
        raise Corrupt("a sealed secret does not open; it was altered, or set up anew elsewhere") from problem


def _key(signer: _Signer, context: str) -> bytes:
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    # Ed25519 signatures are deterministic (RFC 8032), so the same key always derives the same secret.
    secret = signer.sign(_DERIVE)
    return HKDF(algorithm=hashes.SHA256(), length=32, salt=None, info=b"alcaide " + context.encode()).derive(
        secret
    )
