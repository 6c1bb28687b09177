"""Whose signatures count, and what one comes to under that."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Literal

from alcaide.kernel.errors import InvalidInput
from alcaide.predicates.imported import VerifiedBy
from alcaide.predicates.signature_verified import Way

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from cryptography.x509 import Certificate

    from alcaide.kernel.evidence.public_keys import PublicKey

Outcome = Literal["passed", "failed", "unknown"]


@dataclass(frozen=True, slots=True)
class SigstoreTrust:
    """Which Sigstore instance is believed, and who should have signed."""

    trust_root: bytes
    """The bytes of `trusted_root.json`, or of a trust configuration."""
    identity: str
    """The e-mail address, or the URI of the workflow, in the signer's certificate."""
    issuer: str
    """The identity provider that vouched for it."""
    name: str = "sigstore"

    @property
    def sha256(self) -> str:
        """By which it is on record."""
        return sha256(self.trust_root).hexdigest()


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose signatures count, by the names they have here."""

    keys: Mapping[str, PublicKey] = field(default_factory=dict)
    roots: Mapping[str, Certificate] = field(default_factory=dict)
    sigstore: SigstoreTrust | None = None

    def digest_of(self, name: str) -> str:
        """SHA-256 by which a trusted signer is on record: of the key, the certificate, or the trust root."""
        from alcaide.kernel.evidence.certificates import fingerprint

        if name in self.keys:
            from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

            der = self.keys[name].public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return sha256(der).hexdigest()
        if name in self.roots:
            return fingerprint(self.roots[name])
        return self.sigstore.sha256 if self.sigstore else ""


@dataclass(frozen=True, slots=True)
class SignedBy:
    """What the signature alone comes to."""

    outcome: Outcome
    reason: str
    way: Way
    names: tuple[str, ...] = ()
    """Under which it is trusted here."""
    signer: str = ""
    issuer: str = ""
    signed_at: str = ""


def verified_by(trust: Trust, names: Sequence[str]) -> tuple[VerifiedBy, ...]:
    """Trusted signers as evidence names them."""
    return tuple(VerifiedBy(name=name, sha256=trust.digest_of(name)) for name in names)


def trust_of(pems: Mapping[str, bytes], sigstore: SigstoreTrust | None = None) -> Trust:
    """Keys and authorities' certificates in PEM, by name, as what is trusted. Raises InvalidInput with the name."""
    from alcaide.kernel.evidence.certificates import load_root
    from alcaide.kernel.evidence.public_keys import load_public_key

    keys: dict[str, PublicKey] = {}
    roots: dict[str, Certificate] = {}
    for name, pem in pems.items():
        try:
            if b"-----BEGIN CERTIFICATE" in pem:
                roots[name] = load_root(pem)
            else:
                keys[name] = load_public_key(pem)
        except InvalidInput as problem:
            raise InvalidInput(f"`{name}`: {problem}") from None
    return Trust(keys, roots, sigstore)
