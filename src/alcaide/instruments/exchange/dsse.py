"""Read DSSE envelopes that others made, and say which trusted keys signed them.

An envelope carries bytes of a stated type and signatures over both. A key id in it is a hint by whoever wrote
it, so every trusted key is tried on every signature, and only keys named beforehand count. The envelope is
kept byte for byte by whoever took it in; nothing is written again from what was parsed.

An envelope in a Sigstore bundle may carry a certificate instead: that counts if its chain leads to a root that is
trusted here (`kernel.evidence.certificates`).

Left out on purpose: transparency logs, and whose key a key is.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from alcaide.instruments.exchange.document import Outcome, ParsedDocument, subjects_of
from alcaide.kernel.errors import TooLarge
from alcaide.kernel.evidence import Envelope, Statement, pae
from alcaide.kernel.evidence.certificates import Certified, certified
from alcaide.kernel.evidence.envelope import MAX_ENVELOPE_BYTES
from alcaide.kernel.evidence.foreign import bundle_of, envelope_of, statement_of
from alcaide.kernel.evidence.public_keys import signature_holds
from alcaide.kernel.strict import Fields, strict_json

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from alcaide.kernel.evidence.public_keys import PublicKey

MAX_TRUSTED = 64

TEST_RESULT = "https://in-toto.io/attestation/test-result/v0.1"
VSA = "https://slsa.dev/verification_summary/v1"
FACTS = ("https://slsa.dev/provenance/v1", "https://slsa.dev/provenance/v0.2")
"""Predicates of things that happened, which neither pass nor fail: signed by a trusted key, they stand."""


class Dsse:
    """The reader. `kind` of its documents is `dsse`.

    Options: `trusted`, names and keys whose signature counts; `roots`, names and root certificates under which a
    signer's certificate counts at the time `now`.
    """

    name = "dsse"
    title = "in-toto attestation (DSSE)"
    checks_signatures = True
    checks_certificates = True
    media_types: tuple[str, ...] = ("application/vnd.dsse.envelope.v1+json", "application/vnd.in-toto+json")

    def sniff(self, data: bytes) -> bool:
        return b'"payloadType"' in data and b'"signatures"' in data

    def read(
        self,
        data: bytes,
        *,
        trusted: Mapping[str, PublicKey] | None = None,
        roots: Mapping[str, Certificate] | None = None,
        now: datetime | None = None,
        **options: Any,
    ) -> ParsedDocument:
        """A bare envelope, or the one inside a Sigstore bundle."""
        if options:
            raise TypeError(f"the DSSE reader takes no {', '.join(options)}")
        document = Fields(strict_json(data, max_bytes=MAX_ENVELOPE_BYTES, what="the envelope"))
        bundled = "dsseEnvelope" in document
        envelope = envelope_of(document.object("dsseEnvelope") if bundled else document)
        notes: list[str] = []
        statement = statement_of(envelope)
        signers = verify(envelope, trusted or {})
        by_certificate = _by_certificate(document, roots or {}, now) if bundled else None
        if by_certificate and by_certificate.signer:
            signers = (
                (*signers, by_certificate.signer.root) if by_certificate.outcome == "passed" else signers
            )
        elif bundled:
            notes.append(
                "taken out of a Sigstore bundle; its certificate and log entries are kept and not checked"
            )
        outcome, reason = _outcome(statement, signers)
        altered = bool(by_certificate and by_certificate.outcome == "failed")
        if altered and by_certificate:
            outcome, reason = "failed", by_certificate.reason
        elif outcome == "unknown" and not signers and by_certificate:
            reason = f"{reason}: {by_certificate.reason}"
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
                **certificate_summary(by_certificate),
                **({"altered": True} if altered else {}),
            },
            outcome=outcome,
            reason=reason,
            statements=(statement,) if statement else (),
            signed_by=signers,
            notes=tuple(notes),
        )


def _by_certificate(
    document: Fields, roots: Mapping[str, Certificate], now: datetime | None
) -> Certified | None:
    """What the certificate in a bundle comes to; None without one, or without a time to check it at."""
    material = document.object("verificationMaterial") if "verificationMaterial" in document else None
    if material is None or now is None or not roots:
        return None
    if "certificate" not in material and "x509CertificateChain" not in material:
        return None
    return certified(bundle_of(document), roots, now=now)


def certificate_summary(found: Certified | None) -> dict[str, Any]:
    """What a summary says of a trusted signer's certificate."""
    if found is None or found.signer is None:
        return {}
    signer = found.signer
    return {
        "signer": signer.subject,
        "issuer": signer.issuer,
        "certificate_sha256": signer.sha256,
        "certificate_valid_at": f"{signer.at:%Y-%m-%dT%H:%M:%SZ}",
        "timestamped": signer.stamped,
    }


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
