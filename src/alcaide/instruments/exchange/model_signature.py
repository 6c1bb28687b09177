"""Read OpenSSF model signatures: a Sigstore bundle around an envelope around a list of files with digests.

What holds is checked in this order, and the first that does not decides: 1. the list is consistent with the root
digest that names the model, 2. a trusted key signed it, or a certificate whose chain leads to a trusted root.
Signatures by identity through Sigstore are read and left Unknown here: checking those needs the log's roots of trust.

Left out on purpose: signing, and holding a folder against the list (`instruments/scan/provenance` does both).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from alcaide.instruments.exchange.document import MAX_LISTED, Outcome, ParsedDocument
from alcaide.instruments.exchange.dsse import certificate_summary, verify
from alcaide.kernel.errors import InvalidInput
from alcaide.kernel.evidence import Statement, Subject
from alcaide.kernel.evidence.certificates import Certified, certified
from alcaide.kernel.evidence.envelope import MAX_ENVELOPE_BYTES
from alcaide.kernel.evidence.foreign import SigstoreBundle, read_bundle, statement_of
from alcaide.kernel.evidence.public_keys import key_hint
from alcaide.predicates.content import listing_digest
from alcaide.predicates.model_signature import OLD_PREDICATE_TYPE, PREDICATE_TYPE, Manifest, manifest_of

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from alcaide.kernel.evidence.public_keys import PublicKey


class ModelSignature:
    """The reader. `kind` of its documents is `model-signature`.

    Options: `trusted`, names and keys that count; `roots`, names and root certificates under which a signer's
    certificate counts at the time `now`.
    """

    name = "model-signature"
    title = "OpenSSF model signature"
    checks_signatures = True
    checks_certificates = True
    media_types: tuple[str, ...] = ("application/vnd.dev.sigstore.bundle.v0.3+json",)

    def sniff(self, data: bytes) -> bool:
        """Looks inside: other attestations travel in Sigstore bundles too, and those are DSSE's to read."""
        if b'"dsseEnvelope"' not in data or len(data) > MAX_ENVELOPE_BYTES:
            return False
        try:
            _, statement = _open(data)
        except InvalidInput:
            return False
        return statement.predicate_type in (PREDICATE_TYPE, OLD_PREDICATE_TYPE)

    def read(
        self,
        data: bytes,
        *,
        trusted: Mapping[str, PublicKey] | None = None,
        roots: Mapping[str, Certificate] | None = None,
        now: datetime | None = None,
        **options: Any,
    ) -> ParsedDocument:
        if options:
            raise TypeError(f"the model signature reader takes no {', '.join(options)}")
        bundle, statement = _open(data)
        manifest = manifest_of(statement)
        found: Certified | None = None
        if bundle.way == "key":
            signers = verify(bundle.envelope, trusted or {})
        else:
            found = certified(bundle, roots or {}, now=now) if now else Certified("unknown", _NO_TIME)
            signers = (found.signer.root,) if found.signer and found.outcome == "passed" else ()
        outcome, reason = _outcome(manifest, bundle, signers, trusted or {}, found)
        return ParsedDocument(
            kind=self.name,
            title=f"Signature of model {manifest.name}"[:200],
            media_type=self.media_types[0],
            sha256=sha256(data).hexdigest(),
            subjects=_subjects(manifest),
            summary={
                "model": manifest.name[:200],
                "root_sha256": manifest.root,
                "files": len({resource.path for resource in manifest.resources}),
                "method": manifest.method,
                "signed_with": bundle.way,
                "key_hint": bundle.hint,
                "signed_by": list(signers),
                "resources": [
                    {"name": r.path[:300], "algorithm": r.algorithm, "digest": r.digest}
                    for r in manifest.resources[:MAX_LISTED]
                ],
                "listed_in_full": len(manifest.resources) <= MAX_LISTED,
                **certificate_summary(found),
            },
            outcome=outcome,
            reason=reason,
            statements=(statement,),
            signed_by=signers,
        )


def _open(data: bytes) -> tuple[SigstoreBundle, Statement]:
    bundle = read_bundle(data)
    statement = statement_of(bundle.envelope)
    if statement is None:
        raise InvalidInput(
            f"`dsseEnvelope.payloadType` `{bundle.envelope.payload_type[:80]}` is not that of a Statement"
        )
    return bundle, statement


def _subjects(manifest: Manifest) -> tuple[Subject, ...]:
    """The model by the root digest it is signed under, and by its listing digest where the list gives that."""
    files = manifest.files()
    digests = [manifest.root, *([listing_digest(files)] if files and manifest.consistent else [])]
    return tuple(Subject(manifest.name, {"sha256": digest}) for digest in dict.fromkeys(digests))


_NO_TIME = "signed by certificate, and no time was given to check it at"


def _outcome(
    manifest: Manifest,
    bundle: SigstoreBundle,
    signers: tuple[str, ...],
    trusted: Mapping[str, PublicKey],
    found: Certified | None,
) -> tuple[Outcome, str]:
    if not manifest.consistent:
        return "failed", "the root digest is not that of the listed files; the list was altered"
    if found is not None:
        return found.outcome, found.reason
    if signers:
        return "passed", ""
    hint = bundle.hint
    named = [name for name, key in trusted.items() if hint and key_hint(key) == hint]
    if named:
        return (
            "failed",
            f"names the trusted key `{named[0]}`, but its signature does not hold; the content was altered",
        )
    return (
        "unknown",
        f"no signature by a trusted key{f' (signed by the key with hint {hint[:16]}…)' if hint else ''}",
    )
