"""Envelopes that others made, bare or in a Sigstore bundle, read with nothing checked but their form.

A key id or a certificate in them is a hint by whoever wrote it. What is read here is checked in `public_keys` and
`certificates`, against keys and roots that somebody here has named.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Literal

from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence.envelope import (
    MAX_ENVELOPE_BYTES,
    MAX_SIGNATURES,
    PAYLOAD_TYPE,
    Envelope,
    Signature,
)
from alcaide.kernel.evidence.statement import Statement, parse_statement
from alcaide.kernel.strict import Fields, strict_json

MAX_CERTIFICATES = 10
MAX_TIMESTAMPS = 5
_LONGEST_SIGNATURE = 4_096
_LONGEST_CERTIFICATE = 64 * 2**10
_BUNDLE = re.compile(r"application/vnd\.dev\.sigstore\.bundle(?:\.v0\.3)?\+json(?:;version=0\.[1-3])?\Z")


@dataclass(frozen=True, slots=True)
class SigstoreBundle:
    """A Sigstore bundle around an envelope. `way` is how it says it was signed; nothing of it is checked."""

    envelope: Envelope
    way: Literal["key", "certificate"]
    hint: str = ""
    """Of a key: SHA-256 of its PEM, as most writers have it."""
    certificates: tuple[bytes, ...] = ()
    """In DER, the signer's own first."""
    timestamps: tuple[bytes, ...] = ()
    """RFC 3161 responses in DER, over the signature."""
    logged: bool = False
    """Whether it carries entries of a transparency log."""


def read_bundle(data: bytes) -> SigstoreBundle:
    """A Sigstore bundle up to version 0.3 that holds an envelope. Raises InvalidInput naming the field, or TooLarge."""
    bundle = Fields(strict_json(data, max_bytes=MAX_ENVELOPE_BYTES, what="the signature"))
    media_type = bundle.needed("mediaType", limit=200)
    if not _BUNDLE.match(media_type):
        raise InvalidInput(f"`mediaType` `{media_type}` is not that of a Sigstore bundle up to version 0.3")
    return bundle_of(bundle)


def bundle_of(bundle: Fields) -> SigstoreBundle:
    """The same from parsed JSON, whatever media type it states."""
    if "dsseEnvelope" not in bundle:
        raise InvalidInput(
            "`dsseEnvelope` is missing; a signature over a Statement has one, one over a file has not"
        )
    envelope = envelope_of(bundle.object("dsseEnvelope"))
    material = bundle.object("verificationMaterial")
    entries = material.objects("tlogEntries", limit=10) if "tlogEntries" in material else ()
    logged = bool(list(entries))
    if "publicKey" in material:
        return SigstoreBundle(
            envelope, "key", material.object("publicKey").text("hint", limit=200), logged=logged
        )
    if "x509CertificateChain" in material:
        listed = list(material.object("x509CertificateChain").objects("certificates", limit=MAX_CERTIFICATES))
    elif "certificate" in material:
        listed = [material.object("certificate")]
    else:
        raise InvalidInput(
            "`verificationMaterial` names neither a key nor a certificate; have it signed again"
        )
    return SigstoreBundle(
        envelope,
        "certificate",
        certificates=tuple(_bytes(one, "rawBytes", _LONGEST_CERTIFICATE) for one in listed),
        timestamps=tuple(_timestamps(material)),
        logged=logged,
    )


def envelope_of(fields: Fields) -> Envelope:
    """The envelope in a parsed document."""
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


def _timestamps(material: Fields) -> list[bytes]:
    if "timestampVerificationData" not in material:
        return []
    data = material.object("timestampVerificationData")
    if "rfc3161Timestamps" not in data:
        return []
    return [
        _bytes(one, "signedTimestamp", _LONGEST_CERTIFICATE)
        for one in data.objects("rfc3161Timestamps", limit=MAX_TIMESTAMPS)
    ]


def _bytes(fields: Fields, key: str, limit: int) -> bytes:
    """Standard or URL-safe base64, padded or not, as DSSE has readers accept."""
    text = fields.text(key, limit=limit * 2)
    try:
        raw = text.encode("ascii").translate(bytes.maketrans(b"-_", b"+/")).rstrip(b"=")
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise InvalidInput(f"`{fields.at(key)}` is not base64; encode it again") from None
