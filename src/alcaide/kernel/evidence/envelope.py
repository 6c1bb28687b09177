"""DSSE: the envelope around a Statement. Signing and checking are pure functions of keys and bytes.

Source: DSSE protocol v1 (secure-systems-lab/dsse). What is signed is the pre-authentication encoding
of the payload, never the JSON around it, so a verifier need not canonicalise what a stranger wrote.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from alcaide.kernel.errors import Corrupt, InvalidInput
from alcaide.kernel.evidence.canonical import canonical, strict_json

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PAYLOAD_TYPE = "application/vnd.in-toto+json"
MAX_ENVELOPE_BYTES = 24 * 2**20
MAX_SIGNATURES = 32


class Signer(Protocol):
    """Something that signs: has a name for its key, and never shows the key."""

    @property
    def keyid(self) -> str: ...

    def sign(self, message: bytes) -> bytes: ...


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature and the name of the key that is said to have made it."""

    keyid: str
    sig: bytes


@dataclass(frozen=True, slots=True)
class Envelope:
    """A payload, what it is, and who signed it."""

    payload: bytes
    payload_type: str
    signatures: tuple[Signature, ...]

    def to_bytes(self) -> bytes:
        """The canonical JSON of an envelope made here. Foreign ones are kept as they came, not re-made."""
        return canonical(
            {
                "payload": base64.b64encode(self.payload).decode(),
                "payloadType": self.payload_type,
                "signatures": [
                    {"keyid": s.keyid, "sig": base64.b64encode(s.sig).decode()} for s in self.signatures
                ],
            }
        )


def pae(payload_type: str, payload: bytes) -> bytes:
    """DSSE's pre-authentication encoding, the message that is signed."""
    kind = payload_type.encode("utf-8")
    return b"DSSEv1 %d %s %d %s" % (len(kind), kind, len(payload), payload)


def sign(payload: bytes, signer: Signer, *, payload_type: str = PAYLOAD_TYPE) -> Envelope:
    """An envelope around `payload` with one signature."""
    return Envelope(
        payload, payload_type, (Signature(signer.keyid, signer.sign(pae(payload_type, payload))),)
    )


def parse_envelope(data: bytes, *, max_bytes: int = MAX_ENVELOPE_BYTES) -> Envelope:
    """Read a DSSE envelope, signatures unchecked. Raises InvalidInput with the field at fault."""
    document = strict_json(data, max_bytes=max_bytes, what="envelope")
    if not isinstance(document, dict):
        raise InvalidInput("an envelope must be a JSON object")
    payload_type = document.get("payloadType")
    if not isinstance(payload_type, str) or not payload_type or len(payload_type) > 512:
        raise InvalidInput("`payloadType` must be text of at most 512 characters")
    signatures = document.get("signatures")
    if not isinstance(signatures, list) or not signatures:
        raise InvalidInput("`signatures` must be a list with at least one entry")
    if len(signatures) > MAX_SIGNATURES:
        raise InvalidInput(f"`signatures` has {len(signatures)} entries, over the limit of {MAX_SIGNATURES}")
    return Envelope(
        _base64(document.get("payload"), "payload"),
        payload_type,
        tuple(_parse_signature(s, i) for i, s in enumerate(signatures)),
    )


def verify(envelope: Envelope, keys: Mapping[str, Ed25519PublicKey]) -> str:
    """The key id of a known key whose signature holds; raises Corrupt if none does.

    A signature naming a known key must hold: one that does not is tampering, even beside a good one.
    """
    from cryptography.exceptions import InvalidSignature

    message = pae(envelope.payload_type, envelope.payload)
    good = ""
    for signature in envelope.signatures:
        key = keys.get(signature.keyid)
        if key is None:
            continue
        try:
            key.verify(signature.sig, message)
        except InvalidSignature:
            raise Corrupt(
                f"signature by key `{signature.keyid[:80]}` does not hold; the envelope was altered"
            ) from None
        good = good or signature.keyid
    if not good:
        named = ", ".join(f"`{s.keyid[:80]}`" for s in envelope.signatures)
        raise Corrupt(
            f"no signature by a known key (signed by {named}); add the signer's key if you trust it"
        )
    return good


def _parse_signature(value: Any, position: int) -> Signature:
    if not isinstance(value, dict):
        raise InvalidInput(f"`signatures[{position}]` must be a JSON object")
    keyid = value.get("keyid", "")
    if keyid is None:
        keyid = ""
    if not isinstance(keyid, str) or len(keyid) > 512:
        raise InvalidInput(f"`signatures[{position}].keyid` must be text of at most 512 characters")
    return Signature(keyid, _base64(value.get("sig"), f"signatures[{position}].sig"))


def _base64(value: Any, field: str) -> bytes:
    """Standard or URL-safe base64, as DSSE allows readers to accept."""
    if not isinstance(value, str):
        raise InvalidInput(f"`{field}` must be base64 text")
    try:
        raw = value.encode("ascii").translate(bytes.maketrans(b"-_", b"+/"))
        return base64.b64decode(raw + b"=" * (-len(raw) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error, ValueError):
        raise InvalidInput(f"`{field}` is not base64; encode it again") from None
