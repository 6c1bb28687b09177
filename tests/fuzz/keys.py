"""The key of the log that fuzzing owns: made from a fixed seed, so that a mutated bundle can be sealed anew."""

from __future__ import annotations

from functools import cache
from hashlib import sha256

from alcaide.kernel.ledger.keys import Ed25519Signer, keyid_of

SEED = sha256(b"a log that only tests believe").digest()


@cache
def fuzz_signer() -> Ed25519Signer:
    import nacl.bindings

    public, secret = nacl.bindings.crypto_sign_seed_keypair(SEED)
    return Ed25519Signer(keyid_of(public), public, secret)
