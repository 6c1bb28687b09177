"""Public keys of others: which kinds are accepted, and whether a signature is by one.

Pure. Left out on purpose: whose key a key is, and which count; that is for whoever names them.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from alcaide.kernel.errors import InvalidInput, TooLarge

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

MAX_KEY_BYTES = 64 * 2**10
_SMALLEST_RSA = 2_048  # NIST SP 800-131A: shorter keys are no longer acceptable
_LARGEST_RSA = 16_384  # a key of a megabit would verify for minutes


def load_public_key(pem: bytes) -> PublicKey:
    """A public key from PEM: Ed25519, ECDSA on P-256, P-384 or P-521, or RSA of 2048 to 16384 bits."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    if len(pem) > MAX_KEY_BYTES:
        raise TooLarge(
            f"the key has {len(pem)} bytes, over the limit of {MAX_KEY_BYTES}; give a single public key"
        )
    try:
        key = load_pem_public_key(pem)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        hint = "; this is a private key, which should not leave its owner" if b"PRIVATE KEY" in pem else ""
        raise InvalidInput(
            f"not a public key in PEM{hint}; give the text that starts `-----BEGIN PUBLIC KEY-----`"
        ) from None
    return accepted(key)


def accepted(key: Any) -> PublicKey:
    """The key, if it is of a kind whose signatures are checked here. Raises InvalidInput."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _curve_hashes():
        return key
    if isinstance(key, rsa.RSAPublicKey) and _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
        return key
    raise InvalidInput(
        "this kind of key is not accepted; use Ed25519, ECDSA P-256 or P-384, or RSA of 2048 bits or more"
    )


def algorithm_of(key: PublicKey) -> str:
    """Its kind in a word: `ed25519`, `ecdsa-p256`, `rsa`."""
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519

    if isinstance(key, ed25519.Ed25519PublicKey):
        return "ed25519"
    return f"ecdsa-p{key.curve.key_size}" if isinstance(key, ec.EllipticCurvePublicKey) else "rsa"


def signature_holds(key: PublicKey, signature: bytes, message: bytes) -> bool:
    """Whether `signature` over `message` is by `key`.

    ECDSA hashes by curve; RSA is tried as PSS and as PKCS #1 v1.5.
    """
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding
    from cryptography.hazmat.primitives.hashes import SHA256

    try:
        if isinstance(key, ed25519.Ed25519PublicKey):
            key.verify(signature, message)
            return True
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, message, ec.ECDSA(_curve_hashes()[key.curve.name]()))
            return True
    except (InvalidSignature, UnsupportedAlgorithm, ValueError):
        return False
    for scheme in (padding.PSS(padding.MGF1(SHA256()), padding.PSS.AUTO), padding.PKCS1v15()):
        try:
            key.verify(signature, message, scheme, SHA256())
            return True
        except (InvalidSignature, UnsupportedAlgorithm, ValueError):
            continue
    return False


def key_hint(key: PublicKey) -> str:
    """SHA-256 of the key's PEM, by which Sigstore bundles refer to a key they do not carry."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    return sha256(key.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)).hexdigest()


def _curve_hashes() -> dict[str, Any]:
    from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512

    return {"secp256r1": SHA256, "secp384r1": SHA384, "secp521r1": SHA512}
