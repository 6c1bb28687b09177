"""Read DSSE envelopes that others made, and say which trusted keys signed them.

An envelope carries bytes of a stated type and signatures over both. A key id in it is a hint by whoever wrote
it, so every trusted key is tried on every signature, and only keys named beforehand count. The envelope is
kept byte for byte by whoever took it in; nothing is written again from what was parsed.

Left out on purpose: certificates and transparency logs (see `model_signature`), and whose key a key is.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from hashlib import sha256
from typing import TYPE_CHECKING, Any, TypeAlias

from alcaide.instruments.exchange.document import Outcome, ParsedDocument, subjects_of
from alcaide.instruments.exchange.strict import Fields, strict_json
from alcaide.kernel.errors import InvalidInput, TooLarge
from alcaide.kernel.evidence import PAYLOAD_TYPE, Envelope, Signature, Statement, pae, parse_statement

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

    PublicKey: TypeAlias = Ed25519PublicKey | EllipticCurvePublicKey | RSAPublicKey

MAX_ENVELOPE_BYTES = 24 * 2**20
MAX_SIGNATURES = 32
MAX_TRUSTED = 64
MAX_KEY_BYTES = 64 * 2**10
_LONGEST_SIGNATURE = 4_096
_SMALLEST_RSA = 2_048  # NIST SP 800-131A: shorter keys are no longer acceptable
_LARGEST_RSA = 16_384  # a key of a megabit would verify for minutes

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VSA = "https://slsa.dev/verification_summary/v1"
FACTS = ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2")
"""Predicates of things that happened, which neither pass nor fail: signed by a trusted key, they stand."""


class Dsse:
    """The reader. `kind` of its documents is `dsse`.

    Option `trusted`: names and keys whose signature counts.
    """

    name = "dsse"
    title = "in-toto attestation (DSSE)"
    checks_signatures = True
    media_types: tuple[str, ...] = ("application/vnd.dsse.envelope.v1+json", "application/vnd.in-toto+json")

    def sniff(self, data: bytes) -> bool:
        return b'"payloadType"' in data and b'"signatures"' in data

    def read(
        self, data: bytes, *, trusted: Mapping[str, PublicKey] | None = None, **options: Any
    ) -> ParsedDocument:
        """A bare envelope, or the one inside a Sigstore bundle."""
        if options:
            raise TypeError(f"the DSSE reader takes no {', '.join(options)}")
        document = Fields(strict_json(data, max_bytes=MAX_ENVELOPE_BYTES, what="the envelope"))
        bundled = "dsseEnvelope" in document
        envelope = envelope_of(document.object("dsseEnvelope") if bundled else document)
        notes: list[str] = []
        if bundled:
            notes.append(
                "taken out of a Sigstore bundle; its certificate and log entries are kept and not checked"
            )
        statement = statement_of(envelope)
        signers = verify(envelope, trusted or {})
        outcome, reason = _outcome(statement, signers)
        found = {(s.name, repr(sorted(s.digest.items()))): s for s in statement.subjects} if statement else {}
        return ParsedDocument(
            kind=self.name,
            title=f"Attestation {statement.predicate_type if statement else envelope.payload_type}"[:200],
            media_type=self.media_types[0],
            sha256=sha256(data).hexdigest(),
            subjects=subjects_of(found, notes),
            summary={
                "payload_type": envelope.payload_type,
                "predicate_type": statement.predicate_type if statement else "",
                "signatures": len(envelope.signatures),
                "keyids": [signature.keyid[:200] for signature in envelope.signatures],
                "signed_by": list(signers),
                "says": _says(statement) if statement else "",
            },
            outcome=outcome,
            reason=reason,
            statements=(statement,) if statement else (),
            signed_by=signers,
            notes=tuple(notes),
        )


def envelope_of(fields: Fields) -> Envelope:
    """The envelope in a parsed document, signatures unchecked."""
    payload_type = fields.needed("payloadType", limit=512)
    signatures = list(fields.objects("signatures", limit=MAX_SIGNATURES))
    if not signatures:
        raise InvalidInput(f"`{fields.at('signatures')}` is empty; an envelope needs at least one signature")
    return Envelope(
        _bytes(fields, "payload", MAX_ENVELOPE_BYTES),
        payload_type,
        tuple(
            Signature(s.text("keyid", limit=512), _bytes(s, "sig", _LONGEST_SIGNATURE)) for s in signatures
        ),
    )


def statement_of(envelope: Envelope) -> Statement | None:
    """The in-toto Statement inside, v1 or v0.1, or None where the payload is of another type."""
    if envelope.payload_type != PAYLOAD_TYPE:
        return None
    strict_json(envelope.payload, max_bytes=16 * 2**20, what="the payload")
    return parse_statement(envelope.payload)


def load_public_key(pem: bytes) -> PublicKey:
    """A public key from PEM: Ed25519, ECDSA on P-256, P-384 or P-521, or RSA of 2048 to 16384 bits."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
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
    if isinstance(key, ed25519.Ed25519PublicKey):
        return key
    if isinstance(key, ec.EllipticCurvePublicKey) and key.curve.name in _curve_hashes():
        return key
    if isinstance(key, rsa.RSAPublicKey) and _SMALLEST_RSA <= key.key_size <= _LARGEST_RSA:
        return key
    raise InvalidInput(
        "this kind of key is not accepted; use Ed25519, ECDSA P-256 or P-384, or RSA of 2048 bits or more"
    )


def verify(envelope: Envelope, trusted: Mapping[str, PublicKey]) -> tuple[str, ...]:
    """The names of the trusted keys under which at least one signature holds, in the order of `trusted`."""
    if len(trusted) > MAX_TRUSTED:
        raise TooLarge(
            f"{len(trusted)} trusted keys are more than the limit of {MAX_TRUSTED}; give those that matter"
        )
    message = pae(envelope.payload_type, envelope.payload)
    return tuple(
        name
        for name, key in trusted.items()
        if any(signature_holds(key, signature.sig, message) for signature in envelope.signatures)
    )


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


def _bytes(fields: Fields, key: str, limit: int) -> bytes:
    """Standard or URL-safe base64, padded or not, as DSSE has readers accept."""
    text = fields.text(key, limit=limit * 2)
    try:
        raw = text.encode("ascii").translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise InvalidInput(f"`{fields.at(key)}` is not base64; encode it again") from None


def _says(statement: Statement) -> str:
    """The result a predicate states, in its own word, or ''."""
    key = {TEST_RESULT: "result", VSA: "verificationResult"}.get(statement.predicate_type)
    value = statement.predicate.get(key) if key else None
    return value[:40] if isinstance(value, str) else ""


def _outcome(statement: Statement | None, signers: tuple[str, ...]) -> tuple[Outcome, str]:
    """A stated failure counts even unsigned, as nobody gains by it.

    A stated pass counts only from a trusted key.
    """
    if statement is None:
        return "unknown", "the payload is not an in-toto Statement"
    said = _says(statement)
    if said == "FAILED":
        return "failed", "the attestation states `FAILED`"
    if not signers:
        return "unknown", "no signature by a trusted key"
    if said in ("PASSED", "WARNED") or statement.predicate_type in FACTS:
        return "passed", ""
    return "unknown", f"`{statement.predicate_type[:120]}` states no result that is understood here"
